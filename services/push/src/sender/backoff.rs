//! How long a subscription is left alone after a push that failed.

use std::time::Duration;

use super::KEPT_FOR;

/// The shortest pause.
const SHORTEST: Duration = Duration::from_secs(1);
/// Longer than this it is not without being asked for.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The pause after so many failures in a row, somewhere up to a bound that doubles each time (`chance` says where), and never
/// less than the network asks for; more than a push is good for it never is.
pub fn pause(failures: u32, asked: Option<Duration>, chance: [u8; 2]) -> Duration {
    let bound = SHORTEST.saturating_mul(1 << failures.clamp(1, 16)).min(LONGEST);
    let share = f64::from(u16::from_be_bytes(chance)) / f64::from(u16::MAX);
    let own = SHORTEST + (bound - SHORTEST).mul_f64(share);
    // Those that were sent away at once do not all come back at once.
    let theirs = asked.map(|asked| asked.saturating_add(SHORTEST.mul_f64(share)));
    theirs.unwrap_or_default().max(own).min(Duration::from_secs(KEPT_FOR.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: [u8; 2] = [0, 0];
    const LAST: [u8; 2] = [255, 255];

    #[test]
    fn pauses_grow_up_to_a_bound() {
        for failures in 0..40 {
            assert_eq!(pause(failures, None, FIRST), SHORTEST);
        }
        assert_eq!(pause(1, None, LAST), Duration::from_secs(2));
        assert_eq!(pause(5, None, LAST), Duration::from_secs(32));
        assert_eq!(pause(10, None, LAST), LONGEST);
        assert_eq!(pause(u32::MAX, None, LAST), LONGEST);
    }

    #[test]
    fn a_network_is_left_alone_for_as_long_as_it_asks() {
        let minute = Duration::from_secs(60);
        assert_eq!(pause(1, Some(minute), FIRST), minute);
        assert_eq!(pause(1, Some(minute), LAST), minute + SHORTEST);
        assert_eq!(pause(10, Some(minute), LAST), LONGEST);
        let day = Duration::from_secs(KEPT_FOR.into());
        assert_eq!(pause(1, Some(Duration::MAX), LAST), day);
    }
}
