//! Where the reader of a mailbox stands, so that every message goes out once and in order, whatever the live feed drops,
//! repeats or overtakes. Pure: it decides, [`crate::inbox_stream`] does.

use kez_contract::inbox::{Page, Stored};

/// Fetches in a row that may lack what was announced, since a replica of the store may lag; then it is gone for good,
/// acknowledged by all devices before it could be fetched.
const HOPELESS: u32 = 5;

/// One reader of one mailbox.
#[derive(Debug)]
pub struct Reader {
    /// Everything up to and including this sequence has gone out.
    held: u64,
    /// The highest sequence that was announced.
    announced: u64,
    /// The store has messages beyond what was fetched, or may have.
    more: bool,
    vain: u32,
}

impl Reader {
    /// A reader who has everything up to and including `since`, and must fetch to know what came after it.
    pub fn new(since: u64) -> Self {
        Self { held: since, announced: since, more: true, vain: 0 }
    }

    pub fn held(&self) -> u64 {
        self.held
    }

    /// Whether there is something that only a fetch can bring.
    pub fn is_behind(&self) -> bool {
        self.more || self.announced > self.held
    }

    /// The live feed may have dropped something, and nobody would say so.
    pub fn doubt(&mut self) {
        self.more = true;
    }

    /// Hears of a message on the live feed, and of the one before it in the same mailbox. Whether it goes out now; if
    /// not, it has gone out already, or a fetch will bring it. Without `room` to hold it, it is left to the fetch.
    pub fn hear(&mut self, sequence: u64, previous: u64, room: bool) -> bool {
        let next = sequence > self.held && previous <= self.held && !self.is_behind() && room;
        self.announced = self.announced.max(sequence);
        if next {
            self.held = sequence;
        }
        next
    }

    /// Reads a page that was fetched from [`Self::held`] on; what is to go out of it.
    pub fn read(&mut self, page: Page) -> Vec<Stored> {
        let before = self.held;
        let mut out = Vec::with_capacity(page.messages.len());
        for message in page.messages {
            if message.seq > self.held {
                self.held = message.seq;
                out.push(message);
            }
        }
        self.held = self.held.max(page.next);
        // A page that brings nothing has nothing after it, whatever it says.
        self.more = page.more && self.held > before;
        self.vain = if self.held > before || self.announced <= self.held { 0 } else { self.vain + 1 };
        if self.vain == HOPELESS {
            self.announced = self.held;
            self.vain = 0;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    /// A mailbox and its live feed, which loses what it likes.
    #[derive(Debug, Clone)]
    enum Step {
        /// A message is stored this far after the one before it, and announced so many times.
        Store { gap: u64, announced: usize, room: bool },
        /// An old announcement arrives late.
        Repeat(prop::sample::Index),
        /// The reader fetches, if it is behind, from a store that lags by so many messages.
        Fetch { limit: usize, lag: usize },
        /// The connection was gone for a while.
        Doubt,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (1..5_u64, 0..3_usize, prop::bool::weighted(0.8))
                .prop_map(|(gap, announced, room)| Step::Store { gap, announced, room }),
            1 => any::<prop::sample::Index>().prop_map(Step::Repeat),
            3 => (1..5_usize, 0..2_usize).prop_map(|(limit, lag)| Step::Fetch { limit, lag }),
            1 => Just(Step::Doubt),
        ]
    }

    fn stored(seq: u64) -> Stored {
        let envelope = RawValue::from_string("{}".to_owned()).unwrap();
        Stored { seq, received_at: String::new(), envelope }
    }

    fn page(mailbox: &[u64], since: u64, limit: usize) -> Page {
        let after: Vec<u64> = mailbox.iter().copied().filter(|seq| *seq > since).collect();
        let messages: Vec<Stored> = after.iter().take(limit).map(|seq| stored(*seq)).collect();
        let next = messages.last().map_or(since, |message| message.seq);
        Page { more: after.len() > messages.len(), messages, next }
    }

    fn fetch(reader: &mut Reader, mailbox: &[u64], limit: usize, out: &mut Vec<u64>) {
        let page = page(mailbox, reader.held(), limit);
        out.extend(reader.read(page).iter().map(|message| message.seq));
    }

    proptest! {
        #[test]
        fn every_message_goes_out_once_and_in_order(
            old in prop::collection::vec(1..5_u64, 0..6),
            since in 0..12_u64,
            steps in prop::collection::vec(step(), 0..60),
        ) {
            let mut mailbox: Vec<u64> = old.iter().scan(0, |seq, gap| { *seq += gap; Some(*seq) }).collect();
            let mut reader = Reader::new(since);
            let mut out = Vec::new();
            for step in steps {
                match step {
                    Step::Store { gap, announced, room } => {
                        let previous = mailbox.last().copied().unwrap_or(0);
                        mailbox.push(previous + gap);
                        for _ in 0..announced {
                            if reader.hear(previous + gap, previous, room) {
                                out.push(previous + gap);
                            }
                        }
                    }
                    Step::Repeat(index) if !mailbox.is_empty() => {
                        let at = index.index(mailbox.len());
                        let previous = at.checked_sub(1).map_or(0, |before| mailbox[before]);
                        if reader.hear(mailbox[at], previous, true) {
                            out.push(mailbox[at]);
                        }
                    }
                    Step::Fetch { limit, lag } if reader.is_behind() => {
                        let visible = &mailbox[..mailbox.len().saturating_sub(lag)];
                        fetch(&mut reader, visible, limit, &mut out);
                    }
                    Step::Repeat(_) | Step::Fetch { .. } => {}
                    Step::Doubt => reader.doubt(),
                }
                let expected: Vec<u64> = mailbox.iter().copied().filter(|seq| *seq > since).collect();
                prop_assert!(expected.starts_with(&out), "{out:?} of {expected:?}");
            }
            // In the end the store answers in full: nothing is missing, and nobody fetches for ever.
            reader.doubt();
            for _ in 0..mailbox.len() + 10 {
                if reader.is_behind() {
                    fetch(&mut reader, &mailbox, 3, &mut out);
                }
            }
            let expected: Vec<u64> = mailbox.iter().copied().filter(|seq| *seq > since).collect();
            prop_assert_eq!(out, expected);
            prop_assert!(!reader.is_behind());
        }
    }

    #[test]
    fn a_gap_is_fetched() {
        let mut reader = Reader::new(0);
        reader.read(page(&[3], 0, 9));
        assert!(!reader.is_behind());
        assert!(reader.hear(5, 3, true));
        assert!(!reader.hear(9, 7, true), "7 is missing");
        assert!(reader.is_behind());
        let out = reader.read(page(&[3, 5, 7, 9], reader.held(), 9));
        assert_eq!(out.iter().map(|message| message.seq).collect::<Vec<_>>(), [7, 9]);
        assert!(!reader.is_behind());
        assert!(!reader.hear(9, 7, true), "it went out with the page");
    }

    #[test]
    fn what_was_purged_before_it_was_fetched_is_given_up() {
        let mut reader = Reader::new(3);
        reader.read(page(&[], 3, 9));
        reader.hear(9, 7, true);
        for _ in 0..HOPELESS {
            assert!(reader.is_behind());
            assert!(reader.read(page(&[], 3, 9)).is_empty());
        }
        assert!(!reader.is_behind());
        assert!(reader.hear(11, 0, true), "the mailbox was empty before it");
    }

    #[test]
    fn a_store_that_promises_more_and_brings_nothing_is_not_asked_for_ever() {
        let mut reader = Reader::new(3);
        reader.read(Page { messages: Vec::new(), next: 3, more: true });
        assert!(!reader.is_behind());
    }
}
