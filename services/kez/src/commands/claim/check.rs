//! `kez claim check`: does the account say the same?

use std::process::ExitCode;

use clap::Args;
use kez_contract::sigchain::{Status, Verdict};
use kez_crypto::{Identifier, Timestamp};
use kez_proofs::Checker;
use kez_service::Clock;

use super::subject;
use crate::chains::Verified;
use crate::commands::verdict::{confirm, line};
use crate::commands::whose::Whose;
use crate::failure::{Exit, Failure};
use crate::identity::PassphraseArgs;
use crate::mail::document;
use crate::output::Output;
use crate::server::nobody;

/// Check whether an account says that it belongs to somebody; done means that it does
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez claim check github:alice\n  kez claim check dns:alice.example alice --fresh\n  kez claim check web:https://alice.example alice --here\n\n\
    The server looks, and its answer may be a day old; the claim that it finds is verified here once more. With --here this \
    machine looks. Exit code 0 only when it is verified, 1 when the account says otherwise, 5 when it could not be asked."
)]
pub struct CheckArgs {
    /// The account: github:alice, dns:alice.example, web:https://alice.example, nostr:npub1…, bluesky:…, ap:…
    #[arg(value_parser = subject)]
    subject: Identifier,

    /// Have the server look now, however lately it did
    #[arg(long)]
    fresh: bool,

    /// Look from this machine, without the server's word
    #[arg(long, conflicts_with = "fresh")]
    here: bool,

    #[command(flatten)]
    pub output: Output,

    #[command(flatten)]
    whose: Whose,

    #[command(flatten, next_help_heading = "Identity")]
    passphrase: PassphraseArgs,

    #[command(flatten, next_help_heading = "Checks from here")]
    proofs: kez_proofs::Settings,
}

pub(super) async fn run(args: CheckArgs) -> Result<ExitCode, Failure> {
    if !Checker::supports(&args.subject) {
        return Err(Failure::usage(format!("accounts of {} cannot be checked", args.subject.system()))
            .advise("dns, web, github, nostr, bluesky and ap (Mastodon and its like) can be checked"));
    }
    let now = Timestamp::from_unix(Clock::default().now());
    let chain = args.whose.chain().await?;
    let verdict = if args.here { look(&args, &chain, now).await? } else { ask(&args, &chain).await? };
    let verdict = confirm(verdict, &args.subject, chain.chain(), now)?;
    print(&args, &chain, &verdict)?;
    Ok(match verdict.status {
        Status::Verified => ExitCode::SUCCESS,
        Status::Failed => ExitCode::from(Exit::Failed as u8),
        Status::Unreachable => ExitCode::from(Exit::Unavailable as u8),
    })
}

/// The server's verdict: over HTTP anybody gets one, over NATS whoever is registered.
async fn ask(args: &CheckArgs, chain: &Verified) -> Result<Verdict, Failure> {
    let (whose, primary) = (&args.whose, chain.primary());
    let memory = whose.file.memory()?;
    if whose.server.nats.is_none() {
        let http = whose.server.http(&nobody(), &memory).await?;
        return Ok(http.verify(&args.subject, &primary, args.fresh).await?);
    }
    let me = whose.file.open(&args.passphrase)?.speaker();
    let client = whose.server.connect(&me, &memory).await?;
    Ok(client.verify(&args.subject, &primary, args.fresh).await?)
}

/// What this machine finds.
async fn look(args: &CheckArgs, chain: &Verified, now: Timestamp) -> Result<Verdict, Failure> {
    let checker = Checker::new(&args.proofs)?;
    let (primary, revoked) = (chain.primary(), chain.chain().was_revoked(&args.subject));
    let found = checker.check(&args.subject, &primary, revoked, now).await;
    Ok(Verdict {
        subject: args.subject.to_string(),
        primary: primary.to_string(),
        status: found.status,
        why: found.why,
        detail: found.detail,
        evidence: found.evidence,
        claim: found.claim.map(|claim| document(claim.into_bytes())).transpose()?,
        checked_at: now.to_string(),
    })
}

fn print(args: &CheckArgs, chain: &Verified, verdict: &Verdict) -> Result<(), Failure> {
    args.output.item(verdict, || {
        let claimed = match chain.chain().is_claimed(&args.subject) {
            true => "its sigchain claims the account",
            false => "its sigchain does not claim the account",
        };
        format!("{}  {}\n{}\n{claimed}", args.subject, chain.primary(), line(verdict))
    })
}
