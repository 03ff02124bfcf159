//! Telling a database that does not answer from a statement that is wrong.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kez_service::Fault;
use sea_orm::{DbErr, RuntimeErr};
use sqlx::error::DatabaseError;
use sqlx::sqlite::SqliteError;

/// Whether the database failed to answer last time, so that an outage is logged when it begins and when it ends.
#[derive(Clone)]
pub struct Outage {
    service: &'static str,
    lasts: Arc<AtomicBool>,
}

impl Outage {
    pub fn of(service: &'static str) -> Self {
        Self { service, lasts: Arc::default() }
    }

    pub fn lasts(&self) -> bool {
        self.lasts.load(Ordering::Relaxed)
    }

    /// The database did not answer.
    pub fn begins(&self, error: &dyn Display) -> Fault {
        if !self.lasts.swap(true, Ordering::Relaxed) {
            tracing::warn!(%error, "the database does not answer");
        }
        Fault::unavailable(format!("the database of the {} does not answer; try again", self.service))
    }

    /// The database answered.
    pub fn is_over(&self) {
        if self.lasts() && self.lasts.swap(false, Ordering::Relaxed) {
            tracing::info!("the database answers again");
        }
    }
}

/// Whether the same statement may succeed once the database is well again.
pub fn is_outage(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            match error.as_ref() {
                sqlx::Error::Database(error) => is_passing(error.as_ref()),
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => true,
                _ => false,
            }
        }
        _ => false,
    }
}

fn is_passing(error: &dyn DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<SqliteError>().is_some() {
        // Busy, locked, read-only, input or output error, disk full, cannot open; an extended code holds more above them.
        return code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14));
    }
    // Connection lost, too few resources, stopped by its operator, failing itself, a deadlock, or a standby without writes.
    ["08", "53", "57", "58", "40", "25006"].iter().any(|class| code.starts_with(class))
}
