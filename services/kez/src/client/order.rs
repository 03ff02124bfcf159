//! Mail in order, exactly once: pure decisions on what comes live, what is fetched, and when to fetch.
//!
//! The live feed may drop, repeat and reorder; a fetch is the truth. Each live message names the one before it in the
//! same mailbox, so that a gap shows at once.

use std::collections::{BTreeMap, VecDeque};

/// A fetch that does not show what the live feed has announced may come from a replica that lags behind, so it is made
/// again; after so many, what is missing was removed from the mailbox in the meantime.
const LOOKS: u32 = 5;

/// What this mailbox's reader holds, and what it waits for.
#[derive(Debug)]
pub(super) struct Order<Item> {
    /// Everything up to this sequence has been handed over or lies ready.
    held: u64,
    ready: VecDeque<(u64, Item)>,
    /// Live messages behind a gap: by sequence, with the sequence before it.
    waiting: BTreeMap<u64, (u64, Item)>,
    /// A fetch is to be made, and was made so often without success.
    look: Option<u32>,
}

/// A fetch to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) since: u64,
    /// How often it was made without success.
    pub(super) again: u32,
}

impl<Item> Order<Item> {
    /// Begins after sequence `since`, with a fetch.
    pub(super) fn after(since: u64) -> Self {
        Self { held: since, ready: VecDeque::new(), waiting: BTreeMap::new(), look: Some(0) }
    }

    /// What comes next, if it is here.
    pub(super) fn take(&mut self) -> Option<(u64, Item)> {
        self.ready.pop_front()
    }

    /// The fetch to make before anything else is read.
    pub(super) fn look(&self) -> Option<Look> {
        self.look.map(|again| Look { since: self.held, again })
    }

    /// Something may have been missed.
    pub(super) fn disturb(&mut self) {
        self.look.get_or_insert(0);
    }

    /// A live message, and the sequence of the one before it in this mailbox.
    pub(super) fn live(&mut self, seq: u64, previous: u64, item: Item) {
        if seq <= self.held {
            return;
        }
        self.waiting.insert(seq, (previous, item));
        if self.release().is_some() {
            self.disturb();
        }
    }

    /// What a fetch found, and whether there is more.
    pub(super) fn page(&mut self, items: Vec<(u64, Item)>, more: bool) {
        let again = self.look.take().unwrap_or_default();
        let before = self.held;
        for (seq, item) in items {
            self.hand_over(seq, item);
        }
        let progress = self.held > before;
        if more && progress {
            self.look = Some(0);
            return;
        }
        while let Some(behind_a_gap) = self.release() {
            if again + 1 < LOOKS || progress {
                self.look = Some(if progress { 0 } else { again + 1 });
                return;
            }
            if let Some((_, item)) = self.waiting.remove(&behind_a_gap) {
                self.hand_over(behind_a_gap, item);
            }
        }
    }

    /// Hands over what has waited and follows what is held; the first sequence that still stands behind a gap.
    fn release(&mut self) -> Option<u64> {
        while let Some((seq, (previous, item))) = self.waiting.pop_first() {
            if seq > self.held && previous > self.held {
                self.waiting.insert(seq, (previous, item));
                return Some(seq);
            }
            self.hand_over(seq, item);
        }
        None
    }

    fn hand_over(&mut self, seq: u64, item: Item) {
        if seq > self.held {
            self.held = seq;
            self.ready.push_back((seq, item));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taken(order: &mut Order<u64>) -> Vec<u64> {
        std::iter::from_fn(|| order.take()).map(|(seq, _)| seq).collect()
    }

    fn items(seqs: &[u64]) -> Vec<(u64, u64)> {
        seqs.iter().map(|seq| (*seq, *seq)).collect()
    }

    /// A reader that has made its first fetch of an empty mailbox.
    fn caught_up() -> Order<u64> {
        let mut order = Order::after(0);
        order.page(Vec::new(), false);
        assert_eq!(order.look(), None);
        order
    }

    #[test]
    fn live_messages_pass_without_a_fetch() {
        let mut order = caught_up();
        order.live(4, 0, 4);
        order.live(9, 4, 9);
        assert_eq!((taken(&mut order), order.look()), (vec![4, 9], None));
    }

    #[test]
    fn a_gap_is_fetched_and_the_fetch_brings_what_came_live_only_once() {
        let mut order = caught_up();
        order.live(4, 0, 4);
        order.live(9, 7, 9);
        assert_eq!((taken(&mut order), order.look()), (vec![4], Some(Look { since: 4, again: 0 })));
        order.page(items(&[7, 9]), false);
        assert_eq!((taken(&mut order), order.look()), (vec![7, 9], None));
        order.live(9, 7, 9);
        assert_eq!(taken(&mut order), Vec::<u64>::new());
    }

    #[test]
    fn pages_follow_each_other_until_the_last() {
        let mut order = Order::after(2);
        assert_eq!(order.look(), Some(Look { since: 2, again: 0 }));
        order.page(items(&[3, 5]), true);
        assert_eq!(order.look(), Some(Look { since: 5, again: 0 }));
        order.page(items(&[6]), false);
        assert_eq!((taken(&mut order), order.look()), (vec![3, 5, 6], None));
    }

    #[test]
    fn what_was_removed_from_the_mailbox_is_not_waited_for_for_ever() {
        let mut order = caught_up();
        order.live(9, 7, 9);
        for again in 0..LOOKS {
            assert_eq!(order.look(), Some(Look { since: 0, again }));
            order.page(Vec::new(), false);
        }
        assert_eq!((taken(&mut order), order.look()), (vec![9], None));
    }

    #[test]
    fn a_page_that_promises_more_and_holds_nothing_ends_the_fetch() {
        let mut order = Order::<u64>::after(0);
        order.page(Vec::new(), true);
        assert_eq!(order.look(), None);
    }

    /// What happens to a reader: a stored message, and how the feed treats it.
    #[derive(Debug, Clone, Copy)]
    enum Step {
        /// Stored; so many other people's messages stood in between.
        Store { others: u64 },
        /// The feed brings one of the messages stored, new or old, in any order.
        Live { which: prop::sample::Index },
        /// The connection was made again.
        Disturb,
        /// The fetch that is asked for is made, if any, from a replica that has not seen the last few messages.
        Fetch { lag: usize, page: usize },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (0..3_u64).prop_map(|others| Step::Store { others }),
            4 => any::<prop::sample::Index>().prop_map(|which| Step::Live { which }),
            1 => Just(Step::Disturb),
            4 => (0..3_usize, 1..4_usize).prop_map(|(lag, page)| Step::Fetch { lag, page }),
        ]
    }

    /// The page that a replica answers with, which has not yet seen the last `lag` messages.
    fn answer(stored: &[u64], since: u64, lag: usize, size: usize) -> (Vec<(u64, u64)>, bool) {
        let seen = stored.get(..stored.len().saturating_sub(lag)).unwrap_or_default();
        let after: Vec<u64> = seen.iter().copied().filter(|seq| *seq > since).collect();
        (items(after.get(..size).unwrap_or(&after)), after.len() > size)
    }

    proptest! {
        #[test]
        fn whatever_the_feed_does_mail_comes_in_order_and_once(steps in prop::collection::vec(step(), 0..120)) {
            let mut order = Order::after(0);
            let mut stored: Vec<u64> = Vec::new();
            let mut handed: Vec<u64> = Vec::new();
            for step in steps {
                match step {
                    Step::Store { others } => stored.push(stored.last().unwrap_or(&0) + 1 + others),
                    Step::Live { which } if !stored.is_empty() => {
                        let at = which.index(stored.len());
                        let previous = at.checked_sub(1).map_or(0, |before| stored[before]);
                        order.live(stored[at], previous, stored[at]);
                    }
                    Step::Live { .. } => {}
                    Step::Disturb => order.disturb(),
                    Step::Fetch { lag, page } => {
                        if let Some(look) = order.look() {
                            // Replicas catch up before a reader's patience ends.
                            let lag = if look.again + 1 < LOOKS { lag } else { 0 };
                            let (found, more) = answer(&stored, look.since, lag, page);
                            order.page(found, more);
                        }
                    }
                }
                handed.extend(taken(&mut order));
                prop_assert!(stored.starts_with(&handed), "{handed:?} of {stored:?}");
            }
            order.disturb();
            while let Some(look) = order.look() {
                let (found, more) = answer(&stored, look.since, 0, 2);
                order.page(found, more);
            }
            handed.extend(taken(&mut order));
            prop_assert_eq!(handed, stored);
        }
    }
}
