//! The time, passed in rather than asked for, so that tests need not wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The system's clock, moved by an offset that only tests set.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    offset_seconds: Arc<AtomicI64>,
}

impl Clock {
    /// Seconds since 1970-01-01 00:00 UTC.
    pub fn now(&self) -> i64 {
        self.milliseconds() / 1000
    }

    /// The same, in milliseconds.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    pub fn milliseconds(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        now.saturating_add(self.offset_seconds.load(Ordering::Relaxed).saturating_mul(1000))
    }

    /// Moves this clock, and every clone of it, by that many seconds.
    pub fn advance(&self, seconds: i64) {
        self.offset_seconds.fetch_add(seconds, Ordering::Relaxed);
    }
}
