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
        self.check_weight(caller, NonZeroU32::MIN)
    }

    /// Counts a call that weighs as much as so many, or says when it may come. What weighs more than the whole bucket takes
    /// the whole bucket.
    pub fn check_weight(&self, caller: &str, weight: NonZeroU32) -> Result<(), Problem> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.buckets.retain_recent();
        }
        match self.buckets.check_key_n(&caller.to_owned(), weight.min(self.per_minute)) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(until)) => {
                Err(self.refusal(until.wait_time_from(DefaultClock::default().now()).as_secs() + 1))
            }
            // The bucket holds a minute's calls, and nothing that is asked for is more.
            Err(_) => Err(self.refusal(60)),
        }
    }

    fn refusal(&self, seconds: u64) -> Problem {
        Problem {
            retry_after: Some(seconds),
            limit_per_minute: Some(self.per_minute.get()),
            ..Problem::new(
                Code::RateLimited,
                format!("more than {} a minute; try again in {seconds} s", self.per_minute),
            )
        }
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

    #[test]
    fn what_is_heavy_takes_more_of_the_bucket() {
        let limit = Limit::per_minute(NonZeroU32::new(60).unwrap());
        let weight = |weight| NonZeroU32::new(weight).unwrap();
        for _ in 0..3 {
            limit.check_weight("alice", weight(16)).unwrap();
        }
        let refused = limit.check_weight("alice", weight(16)).unwrap_err();
        // Twelve are left; the four others come back in as many seconds.
        assert!(refused.retry_after.is_some_and(|seconds| (1..=5).contains(&seconds)), "{refused}");
        // What was refused took nothing.
        limit.check_weight("alice", weight(12)).unwrap();
        limit.check("alice").unwrap_err();
        // However heavy, it may come once a minute.
        limit.check_weight("bob", weight(1000)).unwrap();
        limit.check("bob").unwrap_err();
    }
}
