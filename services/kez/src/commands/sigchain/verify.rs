//! `kez sigchain verify`: holds a file of events to the rules, without a server.

use std::path::PathBuf;

use clap::Args;
use kez_crypto::Primary;
use kez_crypto::chain::parse_event;
use serde_json::json;

use super::bundle::{events, owner};
use crate::chains::{ChainFault, Entry, Verified};
use crate::failure::{Exit, Failure};
use crate::output::{Output, counted};

/// Verify a sigchain in a file, offline; done means that every event holds
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez sigchain verify alice.jsonl\n  kez sigchain verify alice.jsonl --head sha256:0bfe…\n  \
    kez sigchain export alice | kez sigchain verify -\n\n\
    The file holds an event a line, or kez:zc1:…, or one event. The first event that breaks a rule is named, with the rule."
)]
pub struct VerifyArgs {
    /// The file, or - for standard input
    file: PathBuf,

    /// The hash that the last event must have, as somebody remembers it
    #[arg(long, value_name = "sha256:HASH")]
    head: Option<String>,

    /// Whose chain it must be, ed25519:<64 hex digits> or nostr:npub1… [default: the first event's]
    #[arg(long, value_name = "PRIMARY", value_parser = primary)]
    primary: Option<Primary>,

    /// The file holds one event from the middle of a chain: check its form and signature only
    #[arg(long, conflicts_with_all = ["head", "primary"])]
    alone: bool,

    #[command(flatten)]
    pub output: Output,
}

pub(super) fn run(args: &VerifyArgs) -> Result<(), Failure> {
    let events = events(&args.file)?;
    if args.alone {
        let [event] = &events[..] else {
            return Err(Failure::usage(format!("there are {} events in it, not one", events.len())));
        };
        let broken = |fault| ChainFault::Broken { seq: Entry::read(event).seq, fault };
        let event = parse_event(event.get().as_bytes()).map_err(broken)?;
        let value = json!({ "primary": event.primary, "seq": event.seq, "head": event.hash });
        return args.output.item(&value, || {
            format!("Event {} of {} is signed by it; {}", event.seq, event.primary, event.hash)
        });
    }
    let primary = args.primary.map_or_else(|| owner(&events), Ok)?;
    let chain = Verified::of(primary, events)?;
    let head = chain.chain().head().unwrap_or_default();
    if args.head.as_ref().is_some_and(|wanted| *wanted != head) {
        let message = format!("every event holds, but the last one, event {}, is {head}", chain.length() - 1);
        return Err(Failure::new(Exit::Failed, "wrong_head", message));
    }
    let unknown = chain.events().iter().filter(|event| !Entry::read(event).is_known()).count();
    let value = json!({ "primary": primary, "length": chain.length(), "head": head, "unknown": unknown });
    args.output.item(&value, || {
        let unknown = match unknown {
            0 => String::new(),
            unknown => format!("\n{unknown} of them do what this version of kez does not know"),
        };
        format!("{} of {primary}: in order\nhead  {head}{unknown}", counted(chain.length(), "event"))
    })
}

fn primary(text: &str) -> Result<Primary, String> {
    Primary::parse(text).map_err(|_| "not ed25519:<64 hex digits> or nostr:npub1…".to_owned())
}
