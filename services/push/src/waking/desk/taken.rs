//! A subscription that was taken: nobody else pushes to it, for as long as that is renewed.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::super::LEASE;
use crate::sender::PATIENCE;
use crate::store::{Claim, Kept};

/// What waits for its turn is taken anew so often.
pub const RENEWAL: Duration = Duration::from_secs(10);
/// A push begins only if it is over before somebody else can have taken the subscription, with so much time to spare.
const SPARE: Duration = Duration::from_secs(2);

pub struct Taken {
    pub kept: Kept,
    lease: Mutex<Lease>,
}

#[derive(Clone, Copy)]
struct Lease {
    /// As the database has it.
    until: i64,
    /// When it was asked for, by our own clock, which nobody sets.
    since: Instant,
    is_ours: bool,
    has_begun: bool,
}

impl Taken {
    pub fn new(kept: Kept, until: i64, since: Instant) -> Self {
        Self { kept, lease: Mutex::new(Lease { until, since, is_ours: true, has_begun: false }) }
    }

    pub fn until(&self) -> i64 {
        self.lock().until
    }

    /// Begins to push, if there is time for that.
    pub fn begin(&self) -> bool {
        let longest = Duration::from_millis(LEASE.unsigned_abs());
        let mut lease = self.lock();
        lease.has_begun = lease.is_ours && lease.since.elapsed() + PATIENCE + SPARE < longest;
        lease.has_begun
    }

    /// What takes it anew, while its push waits: only then does the lease say when the push began at the earliest, and by that
    /// others judge what it covers.
    pub fn renewal(&self, sequence: i64, until: i64) -> Option<Claim> {
        let lease = *self.lock();
        let kept = Kept { claimed_until: lease.until, ..self.kept.clone() };
        (lease.is_ours && !lease.has_begun).then_some(Claim { kept, sequence, until: Some(until) })
    }

    /// It was taken anew then, or somebody else has it.
    pub fn renewed(&self, is_ours: bool, until: i64, since: Instant) {
        let mut lease = self.lock();
        *lease = match is_ours {
            true => Lease { until, since, ..*lease },
            false => Lease { is_ours, ..*lease },
        };
    }

    fn lock(&self) -> MutexGuard<'_, Lease> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
