//! Filling the tables anew from the stream, and comparing the two.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use async_nats::Client;
use kez_crypto::Primary;
use kez_database::Database;
use kez_service::Fault;
use sha2::{Digest, Sha256};
use tokio::time::sleep;

use crate::ledger::Ledger;
use crate::projection::{self, Migrator, Snapshot};
use crate::store::Store;

/// Chains go on growing while they are compared: looks at one before it is said to differ.
const LOOKS: u32 = 50;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// What the tables hold, every chain of which was found equal to the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub chains: u64,
    pub events: u64,
    pub claims: u64,
    pub devices: u64,
    /// SHA-256, in hex, over what the tables say of each chain, in order: equal tables have equal digests.
    pub digest: String,
}

/// Empties the tables and fills them from the stream, unless they are only to be compared; then compares every chain. Runs
/// beside the service, which goes on.
pub async fn reindex(nats: &Client, database_url: &str, only_compare: bool) -> Result<Report> {
    let database = Database::open::<Migrator>(database_url, "sigchain").await?;
    let ledger = Ledger::follow(nats, Store::existing(nats)).await?;
    if !only_compare {
        projection::clear(&database).await?;
    }
    projection::catch_up(&ledger, &database).await.map_err(failure)?;
    compare(&ledger, &database).await
}

async fn compare(ledger: &Ledger, database: &Database) -> Result<Report> {
    let mut report = Report { chains: 0, events: 0, claims: 0, devices: 0, digest: String::new() };
    let mut digest = Sha256::new();
    for primary in chains(ledger).await? {
        let chain = equal(ledger, database, primary).await?;
        report.chains += 1;
        report.events += u64::try_from(chain.length)?;
        report.claims += chain.claims.len() as u64;
        report.devices += chain.devices.len() as u64;
        digest.update(format!("{chain:?}\n"));
    }
    report.digest = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let rows = projection::count(database).await?;
    ensure!(
        rows == (report.chains, report.claims, report.devices),
        "the tables hold rows that no chain accounts for: reindex without --check"
    );
    Ok(report)
}

/// Every identity that the stream holds a chain of, in order.
async fn chains(ledger: &Ledger) -> Result<BTreeSet<Primary>> {
    let mut chains = BTreeSet::new();
    let mut after = 0;
    loop {
        let next = ledger.store().next(after).await.map_err(failure)?;
        chains.extend(next.grown.into_keys());
        if next.last == after {
            return Ok(chains);
        }
        after = next.last;
    }
}

/// What both the stream and the tables say of a chain.
async fn equal(ledger: &Ledger, database: &Database, primary: Primary) -> Result<Snapshot> {
    for look in 0..LOOKS {
        let stands = ledger.latest(primary, Snapshot::of).await.map_err(failure)?;
        if projection::read(database.connection(), &stands.primary).await?.as_ref() == Some(&stands) {
            return Ok(stands);
        }
        projection::catch_up(ledger, database).await.map_err(failure)?;
        sleep(BETWEEN_LOOKS * look.min(1)).await;
    }
    Err(anyhow!("what the tables say of a chain is not what the stream says: reindex without --check"))
}

fn failure(fault: Fault) -> anyhow::Error {
    fault.into_problem().into()
}
