//! `kez claim add`, `revoke` and `list`: what a sigchain says of accounts.

use clap::Args;
use kez_crypto::{Identifier, Op};
use serde_json::json;

use super::subject;
use crate::chains::Entry;
use crate::commands::whose::Whose;
use crate::failure::Failure;
use crate::identity::IdentityArgs;
use crate::output::Output;
use crate::server::ServerArgs;
use crate::visible;

/// Say in your sigchain that an account is yours
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez claim add github:alice\n  kez claim add dns:alice.example --json\n\n\
    The account has to say the same: kez claim publish-help SUBJECT."
)]
pub struct AddArgs {
    /// The account: github:alice, dns:alice.example, web:https://alice.example, nostr:npub1…, bluesky:…, ap:…
    #[arg(value_parser = subject)]
    subject: Identifier,

    #[command(flatten)]
    pub output: Output,

    #[command(flatten)]
    identity: IdentityArgs,

    #[command(flatten)]
    server: ServerArgs,
}

/// Say in your sigchain that an account is not yours any more
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez claim revoke github:alice\n\nWhat the account publishes proves nothing from then on; remove it there, too."
)]
pub struct RevokeArgs {
    /// The account, as kez claim list shows it
    #[arg(value_parser = subject)]
    subject: Identifier,

    #[command(flatten)]
    pub output: Output,

    #[command(flatten)]
    identity: IdentityArgs,

    #[command(flatten)]
    server: ServerArgs,
}

/// List the accounts that somebody's sigchain claims
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez claim list\n  kez claim list alice\n\nWhether the accounts agree: kez claim check, or kez whois."
)]
pub struct ListArgs {
    #[command(flatten)]
    pub output: Output,

    #[command(flatten)]
    whose: Whose,
}

pub(super) async fn add(args: AddArgs) -> Result<(), Failure> {
    if args.subject.system() == "ed25519" {
        return Err(Failure::usage("a key is not an account").advise("a device is added with kez device add"));
    }
    let subject = args.subject;
    let reminder = format!("Let the account say the same: kez claim publish-help {subject}");
    let op = Op::Add { subject: subject.clone() };
    append(&op, &subject, &args.identity, &args.server, args.output).await?;
    args.output.note(&reminder)
}

pub(super) async fn revoke(args: RevokeArgs) -> Result<(), Failure> {
    let subject = args.subject;
    let op = Op::Revoke { subject: subject.clone() };
    append(&op, &subject, &args.identity, &args.server, args.output).await
}

async fn append(
    op: &Op,
    subject: &Identifier,
    identity: &IdentityArgs,
    server: &ServerArgs,
    output: Output,
) -> Result<(), Failure> {
    let memory = identity.memory()?;
    let me = identity.open()?;
    me.itself("continue the sigchain")?;
    let client = server.connect(&me.speaker(), &memory).await?;
    let appended = client.append(op).await?;
    let value = json!({ "op": op.name(), "subject": subject, "seq": appended.event.seq, "head": appended.event.head });
    output.item(&value, || {
        let seq = appended.event.seq;
        match op {
            Op::Revoke { .. } => {
                format!("Event {seq} of your sigchain says that {subject} is not yours any more.")
            }
            _ => format!("Event {seq} of your sigchain says that {subject} is yours."),
        }
    })
}

pub(super) async fn list(args: ListArgs) -> Result<(), Failure> {
    let chain = args.whose.chain().await?;
    let entries: Vec<Entry> = chain.events().iter().map(Entry::read).collect();
    for subject in chain.chain().claims() {
        let claimed =
            |entry: &&Entry| entry.op == "add" && entry.subject.as_deref() == Some(subject.as_str());
        let Some(since) = entries.iter().rev().find(claimed) else { continue };
        let value = json!({ "subject": subject, "seq": since.seq, "created_at": since.created_at });
        args.output.item(&value, || {
            let subject = visible::line(subject.as_str());
            format!("{subject}  since {} (event {})", since.created_at.replace('T', " "), since.seq)
        })?;
    }
    if chain.chain().claims().next().is_none() { args.output.note("No accounts.") } else { Ok(()) }
}
