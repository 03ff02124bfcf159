//! `kez`: reads what was typed and runs it.

use std::process::ExitCode;

use clap::Parser;
use kez::cli::{Cli, run};

#[tokio::main]
async fn main() -> ExitCode {
    run(Cli::parse()).await
}
