//! The broker's clock: mail is stamped by it, and replicas agree on nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use kez_service::Clock;

/// Our clock, and how far the broker's is ahead of it. Milliseconds since 1970.
#[derive(Debug, Clone)]
pub struct BrokerClock {
    clock: Clock,
    ahead: Arc<AtomicI64>,
}

impl BrokerClock {
    pub fn new(clock: Clock) -> Self {
        Self { clock, ahead: Arc::default() }
    }

    pub fn now(&self) -> i64 {
        self.clock.milliseconds().saturating_add(self.ahead.load(Ordering::Relaxed))
    }

    /// The broker says that this is the time.
    pub fn set(&self, now: i64) {
        self.ahead.store(now.saturating_sub(self.clock.milliseconds()), Ordering::Relaxed);
    }
}
