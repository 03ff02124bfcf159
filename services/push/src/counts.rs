//! How many pushes came to what: the service's own numbers in `$SRV.STATS`, which say nothing of anybody.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kez_contract::push::{OUTCOMES, Outcome};
use serde_json::{Map, Value};

/// Counts since the start.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    counts: Arc<[AtomicU64; OUTCOMES.len()]>,
}

impl Counts {
    pub fn count(&self, outcome: Outcome) {
        self.count_many(outcome, 1);
    }

    pub fn count_many(&self, outcome: Outcome, number: usize) {
        let place = OUTCOMES.iter().position(|known| *known == outcome);
        if let Some(count) = place.and_then(|place| self.counts.get(place)) {
            count.fetch_add(number as u64, Ordering::Relaxed);
        }
    }

    /// Each by its name.
    pub fn told(&self) -> Value {
        let counts = OUTCOMES.iter().zip(self.counts.iter());
        let told: Map<String, Value> = counts
            .map(|(outcome, count)| (outcome.as_str().to_owned(), count.load(Ordering::Relaxed).into()))
            .collect();
        Value::Object(told)
    }
}
