//! The push service as a process of its own.

use std::process::ExitCode;

use clap::Parser;
use kez_service::{Clock, connect, run, telemetry};

#[tokio::main]
async fn main() -> ExitCode {
    run::exit_code(serve().await)
}

async fn serve() -> anyhow::Result<()> {
    let config = push::Config::parse();
    let _telemetry = telemetry::start("push", &config.telemetry)?;
    let mut stop = run::Stop::listen()?;
    let start = async {
        let nats = connect("push", &config.nats).await?;
        push::start(&nats, config.settings, Clock::default(), config.nats.concurrency).await
    };
    let Some(running) = stop.unless_received(start).await? else { return Ok(()) };
    stop.received().await;
    running.stop().await
}
