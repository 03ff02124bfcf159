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
    look: Option<Look>,
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
        Self {
            held: since,
            ready: VecDeque::new(),
            waiting: BTreeMap::new(),
            look: Some(Look { since, again: 0 }),
        }
    }

    /// What comes next, if it is here.
    pub(super) fn take(&mut self) -> Option<(u64, Item)> {
        self.ready.pop_front()
    }

    /// The fetch to make before anything else is read.
    pub(super) fn look(&self) -> Option<Look> {
        self.look
    }

    /// Something may have been missed.
    pub(super) fn disturb(&mut self) {
        self.look.get_or_insert(Look { since: self.held, again: 0 });
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
        let again = self.look.take().map_or(0, |look| look.again);
        let before = self.held;
        for (seq, item) in items {
            self.hand_over(seq, item);
        }
        let progress = self.held > before;
        if more && progress {
            self.look = Some(Look { since: self.held, again: 0 });
            return;
        }
        while let Some(behind_a_gap) = self.release() {
            if again + 1 < LOOKS || progress {
                let again = if progress { 0 } else { again + 1 };
                self.look = Some(Look { since: self.held, again });
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
