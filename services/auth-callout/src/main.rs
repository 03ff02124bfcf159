//! The auth callout as a process of its own.

use std::process::ExitCode;

use clap::Parser;
use kez_service::{Clock, connect, run, telemetry};

#[tokio::main]
async fn main() -> ExitCode {
    run::exit_code(serve().await)
}

async fn serve() -> anyhow::Result<()> {
    let config = auth_callout::Config::parse();
    let _telemetry = telemetry::start("auth-callout", &config.telemetry)?;
    let mut stop = run::Stop::listen()?;
    let start = async {
        let nats = connect("auth-callout", &config.nats).await?;
        auth_callout::start(&nats, config.settings, Clock::default(), config.nats.concurrency).await
    };
    let Some(running) = stop.unless_received(start).await? else { return Ok(()) };
    tokio::select! {
        () = stop.received() => {}
        reason = running.failed() => {
            tracing::error!(%reason, "this replica cannot answer and ends, so that another one gets its share");
            std::process::exit(1); // Returning would wait for the very tasks that are stuck.
        }
    }
    running.stop().await
}
