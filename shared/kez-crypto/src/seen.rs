//! The memory of messages already received, so that none is shown twice (protocol section 8).

use std::collections::{HashSet, VecDeque};

use crate::MessageId;

const CAPACITY: usize = 10_000;

/// The ids of the last 10,000 messages.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    known: HashSet<MessageId>,
    order: VecDeque<MessageId>,
}

impl Seen {
    /// A memory without any message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether this id comes for the first time; it is remembered, and the oldest one beyond 10,000 is forgotten.
    pub fn first_time(&mut self, id: &MessageId) -> bool {
        if !self.known.insert(*id) {
            return false;
        }
        self.order.push_back(*id);
        if self.order.len() > CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_only_the_oldest() {
        let id = |number: usize| MessageId::from_bytes((number as u128).to_be_bytes());
        let mut seen = Seen::new();
        assert!((0..CAPACITY).all(|number| seen.first_time(&id(number))));
        assert!((0..CAPACITY).all(|number| !seen.first_time(&id(number))));
        assert!(seen.first_time(&id(CAPACITY)));
        assert!(!seen.first_time(&id(1)));
        assert!(seen.first_time(&id(0)));
    }
}
