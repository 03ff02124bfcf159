//! What a message asks for of one subscription.

use kez_contract::push::COLLAPSE_SECONDS;

use super::{LEASE, mail};
use crate::store::Kept;

/// Messages that were stored so long after a push was begun need none of their own: whoever is woken looks once more.
const COLLAPSE: i64 = COLLAPSE_SECONDS as i64 * 1000;
/// What waits for a push that is on its way looks again after that.
const SOON: i64 = 2_000;
/// Whoever had a subscription, or was to try it again, and has let so much time pass, is not there any more.
const LOST: i64 = 60 * 1000;

/// A decision. Times are milliseconds of the broker's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Whoever was pushed to looks into the mailbox after this message came; or somebody sees to it.
    Covered,
    /// It is to be pushed to now.
    Due,
    /// Not before then, and this message is to see to it.
    TakeOver(i64),
    /// It has to be judged again then.
    Wait(i64),
}

/// Judges a subscription for a message of that sequence, stored at that time.
pub fn judge(kept: &Kept, sequence: i64, stored_at: i64, now: i64) -> Verdict {
    if kept.handed_at.saturating_add(COLLAPSE) >= stored_at {
        return Verdict::Covered;
    }
    let (pushing, pausing) = (kept.claimed_until > now, kept.retry_at > now);
    let last_planned = kept.claimed_until.max(kept.retry_at);
    if kept.holder > sequence && last_planned.saturating_add(LOST) > now {
        // A newer message is not acknowledged yet, and asks for all that this one does.
        return Verdict::Covered;
    }
    if pushing {
        let begun_after = kept.claimed_until - LEASE;
        // What that push does not cover is judged when it is over.
        let is_seen_to = kept.holder != sequence && kept.holder != mail::ANSWERED;
        let covers = is_seen_to && begun_after.saturating_add(COLLAPSE) >= stored_at;
        let soon = kept.claimed_until.min(now.saturating_add(SOON));
        return if covers { Verdict::Covered } else { Verdict::Wait(soon) };
    }
    match pausing {
        true if kept.holder == sequence => Verdict::Wait(kept.retry_at),
        true => Verdict::TakeOver(kept.retry_at),
        false => Verdict::Due,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000_000;

    fn kept() -> Kept {
        Kept {
            id: 1,
            primary: "a".to_owned(),
            endpoint: "https://push.test/".to_owned(),
            p256dh: String::new(),
            auth: String::new(),
            created_at: 0,
            handed_at: 0,
            retry_at: 0,
            attempts: 0,
            holder: 0,
            claimed_until: 0,
        }
    }

    #[test]
    fn whoever_was_not_pushed_to_is_due() {
        assert_eq!(judge(&kept(), 7, NOW, NOW), Verdict::Due);
        // An old message of a backlog, too.
        assert_eq!(judge(&kept(), 7, NOW - 3_600_000, NOW), Verdict::Due);
    }

    #[test]
    fn a_push_covers_what_came_before_and_shortly_after() {
        let pushed = Kept { handed_at: NOW, ..kept() };
        for (stored_at, verdict) in [
            (NOW - 60_000, Verdict::Covered),
            (NOW + COLLAPSE, Verdict::Covered),
            (NOW + COLLAPSE + 1, Verdict::Due),
        ] {
            assert_eq!(judge(&pushed, 7, stored_at, NOW + 60_000), verdict);
        }
    }

    #[test]
    fn while_a_push_is_on_its_way_nobody_else_pushes() {
        let begun = Kept { holder: 5, claimed_until: NOW + LEASE, ..kept() };
        assert_eq!(judge(&begun, 7, NOW + COLLAPSE, NOW + COLLAPSE), Verdict::Covered);
        let late = NOW + COLLAPSE + 1;
        assert_eq!(judge(&begun, 7, late, late), Verdict::Wait(late + SOON));
        // The same message, delivered again because whoever had it did not answer.
        assert_eq!(judge(&begun, 5, NOW, NOW + LEASE - 1), Verdict::Wait(NOW + LEASE));
        assert_eq!(judge(&begun, 5, NOW, NOW + LEASE), Verdict::Due);
    }

    /// It would not be made again if it failed.
    #[test]
    fn a_push_for_mail_that_was_answered_sees_to_nothing() {
        let begun = Kept { holder: mail::ANSWERED, claimed_until: NOW + LEASE, ..kept() };
        assert_eq!(judge(&begun, 7, NOW, NOW), Verdict::Wait(NOW + SOON));
        let failed = Kept { holder: mail::ANSWERED, retry_at: NOW + 9_000, attempts: 1, ..kept() };
        assert_eq!(judge(&failed, 7, NOW, NOW), Verdict::TakeOver(NOW + 9_000));
    }

    #[test]
    fn the_newest_message_sees_to_a_pause() {
        let pausing = Kept { holder: 5, retry_at: NOW + 9_000, attempts: 2, ..kept() };
        assert_eq!(judge(&pausing, 5, NOW, NOW), Verdict::Wait(NOW + 9_000));
        assert_eq!(judge(&pausing, 7, NOW, NOW), Verdict::TakeOver(NOW + 9_000));
        assert_eq!(judge(&pausing, 3, NOW, NOW), Verdict::Covered);
        assert_eq!(judge(&pausing, 5, NOW, NOW + 9_000), Verdict::Due);
    }

    /// Its stream is gone, or its owner has read the mail: nobody will ever deliver it again.
    #[test]
    fn a_message_that_is_lost_sees_to_nothing() {
        let lost = Kept { holder: 5_000, retry_at: NOW, attempts: 2, ..kept() };
        assert_eq!(judge(&lost, 3, NOW, NOW + LOST - 1), Verdict::Covered);
        assert_eq!(judge(&lost, 3, NOW, NOW + LOST), Verdict::Due);
    }
}
