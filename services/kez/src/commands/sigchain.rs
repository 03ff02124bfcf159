//! `kez sigchain`: the record of what an identity claims, shown, verified, carried elsewhere and followed.

mod bundle;
mod export;
mod import;
mod reindex;
mod show;
mod verify;
mod watch;

use clap::Subcommand;

use crate::failure::Failure;
use crate::output::Output;

/// Show, verify, export, import or follow sigchains
#[derive(Debug, Subcommand)]
pub enum SigchainCommand {
    Show(show::ShowArgs),
    Verify(verify::VerifyArgs),
    Export(export::ExportArgs),
    Import(import::ImportArgs),
    Watch(watch::WatchArgs),
    Reindex(reindex::ReindexArgs),
}

impl SigchainCommand {
    pub fn output(&self) -> Output {
        match self {
            Self::Show(args) => args.output,
            Self::Verify(args) => args.output,
            Self::Export(args) => args.output,
            Self::Import(args) => args.output,
            Self::Watch(args) => args.output,
            Self::Reindex(args) => args.output,
        }
    }
}

pub async fn run(command: SigchainCommand) -> Result<(), Failure> {
    match command {
        SigchainCommand::Show(args) => show::run(args).await,
        SigchainCommand::Verify(args) => verify::run(&args),
        SigchainCommand::Export(args) => export::run(args).await,
        SigchainCommand::Import(args) => import::run(args).await,
        SigchainCommand::Watch(args) => watch::run(args).await,
        SigchainCommand::Reindex(args) => reindex::run(args).await,
    }
}
