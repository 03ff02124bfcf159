//! How often one caller may call: a bucket a caller, counted by each replica for itself.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use kez_contract::{Code, Problem};

/// After so many checks, callers whose bucket is full again are forgotten.
const FORGET_EVERY: u32 = 10_000;

/// A bucket of `per_minute` calls for each caller, refilled evenly.
#[derive(Clone)]
pub struct Limit {
    per_minute: NonZeroU32,
    buckets: Arc<DefaultKeyedRateLimiter<String>>,
    checks: Arc<AtomicU32>,
}

impl Limit {
    pub fn per_minute(per_minute: NonZeroU32) -> Self {
        Self {
            per_minute,
            buckets: Arc::new(RateLimiter::keyed(Quota::per_minute(per_minute))),
            checks: Arc::default(),
        }
    }

    /// Counts a call, or says when the next one may come.
    pub fn check(&self, caller: &str) -> Result<(), Problem> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.buckets.retain_recent();
        }
        self.buckets.check_key(&caller.to_owned()).map_err(|until| {
            let seconds = until.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
            Problem {
                retry_after: Some(seconds),
                limit_per_minute: Some(self.per_minute.get()),
                ..Problem::new(
                    Code::RateLimited,
                    format!("more than {} a minute; try again in {seconds} s", self.per_minute),
                )
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_runs_dry_for_its_owner_alone() {
        let limit = Limit::per_minute(NonZeroU32::new(3).unwrap());
        for _ in 0..3 {
            limit.check("alice").unwrap();
        }
        let refused = limit.check("alice").unwrap_err();
        assert_eq!((refused.code, refused.limit_per_minute), (Code::RateLimited, Some(3)));
        assert!(refused.retry_after.is_some_and(|seconds| (1..=21).contains(&seconds)));
        limit.check("bob").unwrap();
    }
}
