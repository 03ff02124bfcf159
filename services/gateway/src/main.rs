//! The gateway as a process of its own.

use std::process::ExitCode;

use clap::Parser;
use kez_service::{Clock, connect, run, telemetry};

#[tokio::main]
async fn main() -> ExitCode {
    run::exit_code(serve().await)
}

async fn serve() -> anyhow::Result<()> {
    let config = gateway::Config::parse();
    let _telemetry = telemetry::start("gateway", &config.telemetry)?;
    let mut stop = run::Stop::listen()?;
    let start = async {
        let nats = connect("gateway", &config.nats).await?;
        gateway::start(&nats, config.settings, Clock::default(), config.nats.concurrency).await
    };
    let Some(running) = stop.unless_received(start).await? else { return Ok(()) };
    stop.received().await;
    running.stop().await
}
