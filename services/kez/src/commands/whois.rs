//! `kez whois`: who is behind a handle or a key.

use clap::Args;
use kez_contract::Code;
use kez_crypto::{FullHandle, Handle, PublicKey};

use crate::failure::Failure;
use crate::mail::refusal;
use crate::output::Output;
use crate::server::ServerArgs;
use crate::visible;

/// Look somebody up, by handle or by key; no identity is needed
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez whois alice\n  kez whois alice@kez.lat --server-url https://kez.lat\n  kez whois ed25519:3b6a27bc…\n\n\
    The server says whose key a handle is. To be sure, compare the key with its owner."
)]
pub struct WhoisArgs {
    /// A handle, with or without @server, or ed25519:<64 hex digits>
    who: String,

    #[command(flatten)]
    pub output: Output,

    #[command(flatten)]
    server: ServerArgs,
}

/// Whether this can be somebody at all; what server they are of is found out later.
pub(super) fn check(who: &str) -> Result<(), Failure> {
    let checked = match who {
        key if key.contains(':') => PublicKey::parse(key).map(drop),
        full if full.contains('@') => FullHandle::parse(full).map(drop),
        handle => Handle::parse(handle).map(drop),
    };
    checked.map_err(|fault| Failure::argument(refusal(fault)))
}

pub async fn run(args: WhoisArgs) -> Result<(), Failure> {
    check(&args.who)?;
    let client = args.server.connect_as_nobody().await?;
    let found = if args.who.contains(':') {
        client.by_primary(&PublicKey::parse(&args.who).map_err(refusal)?).await
    } else {
        client.lookup(&args.who).await
    };
    let record = found.map_err(|problem| match problem.code {
        Code::NotFound => Failure { advice: None, ..Failure::from(problem) },
        _ => problem.into(),
    })?;
    args.output.item(&record, || {
        let proofs = record.proofs.iter().map(|proof| format!("\nsays it is  {}", visible::line(proof)));
        format!(
            "{}\nkey         {}\nregistered  {}{}",
            record.fqhn,
            record.primary,
            visible::line(&record.registered_at),
            proofs.collect::<String>()
        )
    })
}
