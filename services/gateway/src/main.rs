//! The gateway as a process of its own.

use clap::Parser;
use kez_service::{Clock, connect, run, telemetry};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = gateway::Config::parse();
    let _telemetry = telemetry::start("gateway", &config.telemetry)?;
    let nats = connect("gateway", &config.nats).await?;
    let running = gateway::start(&nats, config.settings, Clock::default(), config.nats.concurrency).await?;
    run::until_stopped().await?;
    running.stop().await
}
