//! From the start of a process to its end.

use std::process::ExitCode;

use anyhow::Result;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C or SIGTERM, which from now on end this process in good order only.
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// Takes over both signals; to be called first, so that none comes too early.
    pub fn listen() -> Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for either.
    pub async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        tracing::info!("stopping: finishing what is in flight");
    }

    /// What `start` makes; none if it was stopped before that was done.
    pub async fn unless_received<T>(&mut self, start: impl Future<Output = Result<T>>) -> Result<Option<T>> {
        tokio::select! {
            started = start => started.map(Some),
            () = self.received() => Ok(None),
        }
    }
}

/// How a process ends; what went wrong is one line on standard error.
pub fn exit_code(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
