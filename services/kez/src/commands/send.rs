//! `kez send`: writing to somebody.

use std::io::{IsTerminal, Read};

use clap::Args;
use serde_json::json;

use super::whois;
use crate::chains::Memory;
use crate::failure::Failure;
use crate::identity::IdentityArgs;
use crate::output::Output;
use crate::server::ServerArgs;
use crate::visible;

/// No message is longer; the sealed form of it must fit into 256 KiB.
const LONGEST: u64 = 192 * 1024;

/// Send somebody a sealed message; done means stored and flushed to disk
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez send bob \"hi\"\n  fortune | kez send bob -\n  kez send ed25519:3b6a27bc… \"hi\" --json\n\n\
    While the server is unavailable it is tried again for 20 seconds, and stored once however often."
)]
pub struct SendArgs {
    /// A handle, with or without @server, or ed25519:<64 hex digits>
    to: String,

    /// The words; without them, or with -, standard input
    text: Vec<String>,

    /// Send over HTTP instead of NATS
    #[arg(long)]
    http: bool,

    #[command(flatten)]
    pub output: Output,

    #[command(flatten)]
    identity: IdentityArgs,

    #[command(flatten)]
    server: ServerArgs,
}

pub async fn run(args: SendArgs) -> Result<(), Failure> {
    whois::check(&args.to)?;
    let text = text(&args.text)?;
    let me = args.identity.open()?.speaker();
    let delivered = if args.http {
        args.server.http(&me, &Memory::default()).await?.send(&args.to, &text).await?
    } else {
        args.server.connect(&me, &Memory::default()).await?.send(&args.to, &text).await?
    };
    let value = json!({
        "id": delivered.id.to_string(),
        "transport_id": delivered.sent.id,
        "seq": delivered.sent.seq,
        "to": args.to,
    });
    args.output.item(&value, || format!("Sent to {}.", visible::line(&args.to)))
}

fn text(words: &[String]) -> Result<String, Failure> {
    let mut text = words.join(" ");
    if text.is_empty() || text == "-" {
        if std::io::stdin().is_terminal() {
            eprintln!("Type your message, then Ctrl-D on a line of its own:");
        }
        text.clear();
        std::io::stdin().take(LONGEST + 1).read_to_string(&mut text)?;
        text.truncate(text.trim_end_matches(['\r', '\n']).len());
    }
    if text.is_empty() {
        return Err(Failure::usage("there is nothing to send"));
    }
    if text.len() as u64 > LONGEST {
        return Err(Failure::usage(format!("the message is longer than {} KiB", LONGEST / 1024)));
    }
    Ok(text)
}
