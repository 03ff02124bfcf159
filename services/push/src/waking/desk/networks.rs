//! What push networks are known for: whether they answer soon.

use std::collections::HashMap;

use url::Url;

/// Nothing is known of more networks than that; of one beyond, one of the others is forgotten.
const KNOWN: usize = 4096;
/// A push that was not answered soon outweighs so many that were.
const SILENCE: i8 = 8;
/// A network that always answers may be late so often at once, and one that never did is believed after so many answers.
const BEST: i8 = 4 * SILENCE;
const WORST: i8 = -2 * SILENCE;

/// Networks, and how many pushes each has answered soon beyond those that it has not.
#[derive(Debug, Default)]
pub struct Networks {
    known: HashMap<String, i8>,
}

impl Networks {
    /// Whether a push to it is to be expected to take its time. Of a network that nobody knows, the last push to the same
    /// subscription tells.
    pub fn is_slow(&self, network: &str, failed: bool) -> bool {
        match self.known.get(network) {
            None | Some(0) => failed,
            Some(credit) => *credit < 0,
        }
    }

    /// A push to it was answered soon, or not.
    pub fn note(&mut self, network: String, soon: bool) {
        if self.known.len() >= KNOWN && !self.known.contains_key(&network) {
            let any = self.known.keys().next().cloned();
            any.and_then(|any| self.known.remove(&any));
        }
        let credit = self.known.entry(network).or_default();
        *credit = credit.saturating_add(if soon { 1 } else { -SILENCE }).clamp(WORST, BEST);
    }
}

/// The network of an endpoint: its host and port.
pub fn network(endpoint: &str) -> String {
    Url::parse(endpoint).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(answers: &[bool]) -> Networks {
        let mut networks = Networks::default();
        for soon in answers {
            networks.note("a".to_owned(), *soon);
        }
        networks
    }

    #[test]
    fn of_a_network_that_nobody_knows_the_subscription_tells() {
        let unknown = Networks::default();
        assert!(!unknown.is_slow("a", false));
        assert!(unknown.is_slow("a", true));
        assert!(after(&[false]).is_slow("b", true) && !after(&[false]).is_slow("b", false));
    }

    /// Whatever it answers: a push that is refused at once holds nobody up.
    #[test]
    fn a_network_that_answers_is_fast_and_one_that_does_not_is_slow() {
        assert!(!after(&[true]).is_slow("a", true));
        assert!(after(&[false]).is_slow("a", false));
    }

    #[test]
    fn one_that_answers_every_other_time_stays_slow() {
        let mut networks = after(&[]);
        for _ in 0..100 {
            networks.note("a".to_owned(), false);
            networks.note("a".to_owned(), true);
            assert!(networks.is_slow("a", false));
        }
    }

    #[test]
    fn a_good_network_may_be_late_now_and_then_and_a_bad_one_is_believed_in_the_end() {
        let mut networks = after(&[true; 100]);
        for _ in 0..3 {
            networks.note("a".to_owned(), false);
            assert!(!networks.is_slow("a", false));
        }
        let mut networks = after(&[false; 100]);
        for _ in 0..16 {
            assert!(networks.is_slow("a", false));
            networks.note("a".to_owned(), true);
        }
        networks.note("a".to_owned(), true);
        assert!(!networks.is_slow("a", true));
    }

    #[test]
    fn no_more_is_remembered_than_there_is_room_for() {
        let mut networks = Networks::default();
        for number in 0..KNOWN + 100 {
            networks.note(number.to_string(), false);
        }
        assert_eq!(networks.known.len(), KNOWN);
        assert!(networks.is_slow(&(KNOWN + 99).to_string(), false));
    }

    #[test]
    fn a_network_is_a_host_and_a_port() {
        assert_eq!(network("https://push.test/a?b"), network("https://push.test/c"));
        assert_ne!(network("https://push.test/a"), network("https://push.test:8443/a"));
        assert_ne!(network("https://push.test/a"), network("https://other.test/a"));
    }
}
