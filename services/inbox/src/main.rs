//! The inbox service as a process of its own.

use clap::Parser;
use kez_service::{Clock, connect, run, telemetry};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = inbox::Config::parse();
    let _telemetry = telemetry::start("inbox", &config.telemetry)?;
    let nats = connect("inbox", &config.nats).await?;
    let running = inbox::start(&nats, config.settings, Clock::default(), config.nats.concurrency).await?;
    run::until_stopped().await?;
    running.stop().await
}
