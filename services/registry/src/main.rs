//! The registry service as a process of its own.

use clap::Parser;
use kez_service::{Clock, connect, run, telemetry};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = registry::Config::parse();
    let _telemetry = telemetry::start("registry", &config.telemetry)?;
    let nats = connect("registry", &config.nats).await?;
    let running = registry::start(&nats, config.settings, Clock::default(), config.nats.concurrency).await?;
    run::until_stopped().await?;
    running.stop().await
}
