//! The projection: who claims what, in SQL, as the stream has it.
//!
//! It is behind the stream by moments, is never asked when something is decided, and can be dropped: a replica that finds
//! its tables empty fills them from the stream. Replicas share the tables; whichever is first writes, and the others see
//! that it is done.

mod migrations;
mod snapshot;
mod tables;
mod write;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use kez_crypto::{Identifier, Primary};
use kez_database::Database;
use kez_service::Fault;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::ledger::Ledger;
pub use migrations::Migrator;
pub use snapshot::Snapshot;
use tables::{claims, positions};
pub use write::{clear, count, read};

/// The stream is looked at this often even when the feed says nothing.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Whatever is appended within so long is written together: each writing is flushed, as each append is.
const GATHER: Duration = Duration::from_millis(20);
/// How long a database that does not answer is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// The tables, once their database was reached.
#[derive(Clone)]
pub struct Projection {
    database: watch::Receiver<Option<Database>>,
    /// Ends with the last clone.
    _follower: Arc<JoinSet<()>>,
}

impl Projection {
    /// Starts to follow the stream; the database may come later, or come back.
    pub fn follow(ledger: Ledger, url: &str) -> Self {
        let (reached, database) = watch::channel(None);
        let url = url.to_owned();
        let mut follower = JoinSet::new();
        follower.spawn(async move {
            let database = reach(&url).await;
            reached.send_replace(Some(database.clone()));
            keep_up(&ledger, &database).await;
        });
        Self { database, _follower: Arc::new(follower) }
    }

    /// The primaries that claim a subject, in order, after one of them; each with the stream's sequence of its event.
    pub async fn claimants(
        &self,
        subject: &Identifier,
        after: Option<&Primary>,
        limit: u32,
    ) -> Result<Vec<(String, u64)>, Fault> {
        let Some(database) = self.database.borrow().clone() else {
            return Err(Fault::unavailable("the table of claims is not there; try again"));
        };
        let mut select = claims::Entity::find().filter(claims::Column::Subject.eq(subject.as_str()));
        if let Some(after) = after {
            select = select.filter(claims::Column::Primary.gt(after.to_string()));
        }
        let select = select.order_by_asc(claims::Column::Primary).limit(u64::from(limit));
        let rows = database.run(select.all(database.connection())).await?;
        rows.into_iter().map(|row| Ok((row.primary, u64::try_from(row.sequence)?))).collect()
    }
}

/// Opens the database, however long that takes.
async fn reach(url: &str) -> Database {
    let mut told = false;
    loop {
        match Database::open::<Migrator>(url, "sigchain").await {
            Ok(database) => return database,
            Err(error) if !told => {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "claims cannot be looked up; chains are kept all the same"
                );
                told = true;
            }
            Err(_) => {}
        }
        sleep(PAUSE).await;
    }
}

async fn keep_up(ledger: &Ledger, database: &Database) {
    loop {
        let grown = ledger.grown.notified();
        match catch_up(ledger, database).await {
            // What was appended in between has set `grown` already.
            Ok(()) => {
                sleep(GATHER).await;
                let _ = timeout(LOOK_EVERY, grown).await;
            }
            Err(fault) => {
                fault.into_problem();
                sleep(PAUSE).await;
            }
        }
    }
}

/// Writes what the stream holds beyond the tables.
pub async fn catch_up(ledger: &Ledger, database: &Database) -> Result<(), Fault> {
    loop {
        let position = position(database).await?;
        let next = ledger.store().next(position).await?;
        if next.last == position {
            return Ok(());
        }
        // In order, so that replicas which write the same chains do not wait for each other in a circle.
        let mut snapshots = Vec::with_capacity(next.grown.len());
        for (primary, sequence) in next.grown {
            snapshots.push(ledger.up_to(primary, sequence, Snapshot::of).await?);
        }
        database.run(write::write(database, &snapshots, next.last)).await?;
    }
}

async fn position(database: &Database) -> Result<u64, Fault> {
    let row = database.run(positions::Entity::find_by_id(positions::ONLY).one(database.connection())).await?;
    Ok(row.map(|row| u64::try_from(row.sequence)).transpose()?.unwrap_or(0))
}
