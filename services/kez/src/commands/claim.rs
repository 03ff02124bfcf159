//! `kez claim`: accounts elsewhere that are mine, said by my sigchain and by the account itself.

mod chain;
mod check;
mod create;
mod publish;

use std::process::ExitCode;

use clap::Subcommand;
use kez_crypto::Identifier;

use crate::failure::Failure;
use crate::output::Output;

/// Claim accounts elsewhere as yours, and check whose an account is
#[derive(Debug, Subcommand)]
pub enum ClaimCommand {
    Create(create::CreateArgs),
    PublishHelp(create::PublishHelpArgs),
    Add(chain::AddArgs),
    Revoke(chain::RevokeArgs),
    List(chain::ListArgs),
    Check(Box<check::CheckArgs>),
}

impl ClaimCommand {
    pub fn output(&self) -> Output {
        match self {
            Self::Create(args) => args.output,
            Self::PublishHelp(args) => args.output,
            Self::Add(args) => args.output,
            Self::Revoke(args) => args.output,
            Self::List(args) => args.output,
            Self::Check(args) => args.output,
        }
    }
}

pub async fn run(command: ClaimCommand) -> Result<ExitCode, Failure> {
    match command {
        ClaimCommand::Create(args) => create::create(&args)?,
        ClaimCommand::PublishHelp(args) => create::publish_help(&args)?,
        ClaimCommand::Add(args) => chain::add(args).await?,
        ClaimCommand::Revoke(args) => chain::revoke(args).await?,
        ClaimCommand::List(args) => chain::list(args).await?,
        ClaimCommand::Check(args) => return check::run(*args).await,
    }
    Ok(ExitCode::SUCCESS)
}

/// An account, as it is typed.
pub(super) fn subject(text: &str) -> Result<Identifier, String> {
    Identifier::parse(text).map_err(|_| {
        "not an account such as github:alice, dns:alice.example, web:https://alice.example, nostr:npub1…, \
         bluesky:alice.bsky.social or ap:alice@social.example"
            .to_owned()
    })
}
