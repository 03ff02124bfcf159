//! `kez sigchain reindex`: fills the tables of who claims what anew from the stream.

use std::path::PathBuf;

use clap::Args;
use kez_service::{NatsConfig, connect};
use serde_json::json;
use sigchain::Report;

use crate::failure::{Exit, Failure};
use crate::output::{Output, counted};

/// Fill the sigchain service's tables anew from its stream, and compare the two (for operators)
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  kez sigchain reindex\n  kez sigchain reindex --check\n\n\
    The stream is the authority and is only read. The service goes on meanwhile; until the tables are full again, it \
    finds fewer who claim an account than there are. The digest is the same for equal tables.")]
pub struct ReindexArgs {
    /// Only compare
    #[arg(long)]
    check: bool,

    /// URL of the NATS server
    #[arg(
        long = "nats-url",
        env = "KEZ_NATS_URL",
        value_name = "KEZ_NATS_URL",
        default_value = "nats://127.0.0.1:4222"
    )]
    nats_url: String,

    /// File that holds the sigchain service's nkey seed
    #[arg(
        long = "nats-seed-file",
        env = "KEZ_NATS_SEED_FILE",
        value_name = "KEZ_NATS_SEED_FILE",
        default_value = "data/keys/sigchain.nk"
    )]
    seed_file: PathBuf,

    /// The service's database
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "DATABASE_URL",
        default_value = "sqlite://data/sigchain.db",
        hide_env_values = true
    )]
    database_url: String,

    #[command(flatten)]
    pub output: Output,
}

pub(super) async fn run(args: ReindexArgs) -> Result<(), Failure> {
    let config = NatsConfig { url: args.nats_url, seed_file: args.seed_file, concurrency: 1 };
    let nats = connect("sigchain", &config).await.map_err(|error| {
        Failure::new(Exit::Unavailable, "unavailable", format!("{error:#}"))
            .advise("it takes the seed file of the sigchain service")
    })?;
    let report = sigchain::reindex(&nats, &args.database_url, args.check)
        .await
        .map_err(|error| Failure::new(Exit::Failed, "failed", format!("{error:#}")))?;
    let Report { chains, events, claims, devices, digest } = &report;
    let value = json!({
        "chains": chains, "events": events, "claims": claims, "devices": devices, "digest": digest,
    });
    args.output.item(&value, || {
        format!(
            "The tables say what the stream says: {} of {}, {} and {}.\ndigest  {digest}",
            counted(*chains, "chain"),
            counted(*events, "event"),
            counted(*claims, "claim"),
            counted(*devices, "device"),
        )
    })
}
