//! `kez claim create` and `kez claim publish-help`: what an account publishes, signed. No server is needed.

use clap::{Args, ValueEnum};
use kez_crypto::{Claim, Identifier, Timestamp};
use kez_service::Clock;
use serde_json::json;

use super::publish::{Form, steps};
use super::subject;
use crate::failure::Failure;
use crate::identity::IdentityArgs;
use crate::output::Output;

/// Print what an account has to publish to say that it is yours
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez claim create github:alice\n  kez claim create dns:alice.example --expires 2030-01-01\n  \
    kez claim create ap:alice@social.example --format compact\n\n\
    No server is needed. kez claim publish-help says where to put it."
)]
pub struct CreateArgs {
    /// The account: github:alice, dns:alice.example, web:https://alice.example, nostr:npub1…, bluesky:…, ap:…
    #[arg(value_parser = subject)]
    subject: Identifier,

    /// How it is written [default: as the account's channel wants it]
    #[arg(long, value_enum)]
    format: Option<Form>,

    #[command(flatten)]
    life: Life,

    #[command(flatten)]
    pub output: Output,

    #[command(flatten)]
    identity: IdentityArgs,
}

/// Say step by step where an account publishes that it is yours, with the claim ready to paste
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez claim publish-help github:alice\n  kez claim publish-help dns:alice.example\n\n\
    Afterwards: kez claim add SUBJECT, then kez claim check SUBJECT."
)]
pub struct PublishHelpArgs {
    /// The account: github:alice, dns:alice.example, web:https://alice.example, nostr:npub1…, bluesky:…, ap:…
    #[arg(value_parser = subject)]
    subject: Identifier,

    #[command(flatten)]
    life: Life,

    #[command(flatten)]
    pub output: Output,

    #[command(flatten)]
    identity: IdentityArgs,
}

/// How long a claim holds.
#[derive(Debug, Args)]
struct Life {
    /// When the claim ends, 2030-01-31 or 2030-01-31T12:00:00Z [default: never]
    #[arg(long, value_name = "DATE", value_parser = date)]
    expires: Option<Timestamp>,
}

pub(super) fn create(args: &CreateArgs) -> Result<(), Failure> {
    let claim = sign(&args.subject, &args.life, &args.identity)?;
    let form = args.format.unwrap_or_else(|| Form::of(&args.subject));
    let text = form.write(&claim);
    let format = form.to_possible_value().map(|value| value.get_name().to_owned());
    let value = json!({ "subject": args.subject, "format": format, "text": text });
    args.output.item(&value, || text)
}

pub(super) fn publish_help(args: &PublishHelpArgs) -> Result<(), Failure> {
    // Said before a passphrase is asked for.
    if steps(&args.subject, b"").is_none() {
        return Err(Failure::usage(format!(
            "there is no way to check accounts of {}",
            args.subject.system()
        ))
        .advise("dns, web, github, nostr, bluesky and ap (Mastodon and its like) can be checked"));
    }
    let claim = sign(&args.subject, &args.life, &args.identity)?;
    let text = steps(&args.subject, &claim).unwrap_or_default();
    let value =
        json!({ "subject": args.subject, "text": Form::of(&args.subject).write(&claim), "steps": text });
    args.output.item(&value, || text)
}

fn sign(subject: &Identifier, life: &Life, identity: &IdentityArgs) -> Result<Vec<u8>, Failure> {
    let now = Timestamp::from_unix(Clock::default().now());
    if life.expires.is_some_and(|end| end <= now) {
        return Err(Failure::usage("the claim would have ended already").advise("see --expires"));
    }
    let identity = identity.open()?;
    Ok(Claim::create(subject, now, life.expires, identity.itself("sign claims")?))
}

/// A day, which begins at midnight UTC, or a moment.
fn date(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text)
        .or_else(|_| Timestamp::parse(&format!("{text}T00:00:00Z")))
        .map_err(|_| "not a date such as 2030-01-31 or 2030-01-31T12:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_day_or_a_moment() {
        assert_eq!(date("2030-01-31").unwrap().to_string(), "2030-01-31T00:00:00Z");
        assert_eq!(date("2030-01-31T12:00:00Z").unwrap().to_string(), "2030-01-31T12:00:00Z");
        for bad in ["", "tomorrow", "2030-02-30", "2030-01-31T12:00", "31.01.2030"] {
            assert!(date(bad).is_err(), "{bad}");
        }
    }
}
