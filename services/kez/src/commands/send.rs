//! `kez send`: writing to somebody.

use std::io::{IsTerminal, Read};
use std::time::Duration;

use clap::Args;
use kez_contract::Problem;
use kez_contract::inbox::Sent;
use serde_json::json;

use super::whois;
use crate::chains::{ChainFault, Memory};
use crate::client::{Client, Delivered};
use crate::failure::Failure;
use crate::http::HttpClient;
use crate::identity::IdentityArgs;
use crate::output::Output;
use crate::server::ServerArgs;
use crate::visible;

/// No message is longer; the sealed form of it must fit into 256 KiB.
const LONGEST: u64 = 192 * 1024;

/// How long my sigchain is waited for once the message is stored.
const LOOK: Duration = Duration::from_millis(500);

/// Send somebody a sealed message; done means stored and flushed to disk
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez send bob \"hi\"\n  fortune | kez send bob -\n  kez send ed25519:3b6a27bc… \"hi\" --json\n\n\
    While the server is unavailable it is tried again for 20 seconds, and stored once however often; with --http it is tried once.\n\
    Devices of yours get a copy, for which nobody is woken; kez inbox shows it, too."
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
    let post = if args.http {
        Post::Http(Box::new(args.server.http(&me, &Memory::default()).await?))
    } else {
        Post::Nats(args.server.connect(&me, &Memory::default()).await?)
    };
    // Looked up beside the sending, which waits for nobody's sigchain.
    let looking = tokio::spawn(post.clone().has_siblings());
    let delivered = post.send(&args.to, &text).await?;
    let value = json!({
        "id": delivered.id.to_string(),
        "transport_id": delivered.sent.id,
        "seq": delivered.sent.seq,
        "to": args.to,
    });
    let told = args.output.item(&value, || format!("Sent to {}.", visible::line(&args.to)));
    let has_siblings = tokio::time::timeout(LOOK, looking).await;
    // A copy too many is a line in my own mailbox; one too few is a message that my other devices never show.
    let is_alone = matches!(has_siblings, Ok(Ok(Ok(false))));
    if !is_alone
        && delivered.to != me.primary()
        && let Err(problem) = post.copy(&delivered, &text).await
    {
        Failure::from(problem).warn("your other devices have no copy of it", args.output.json);
    }
    told
}

/// The way that a message takes.
#[derive(Clone)]
enum Post {
    Nats(Client),
    Http(Box<HttpClient>),
}

impl Post {
    async fn send(&self, to: &str, text: &str) -> Result<Delivered, Problem> {
        match self {
            Self::Nats(client) => client.send(to, text).await,
            Self::Http(http) => http.send(to, text).await,
        }
    }

    async fn has_siblings(self) -> Result<bool, ChainFault> {
        match self {
            Self::Nats(client) => client.has_siblings().await,
            Self::Http(http) => http.has_siblings().await,
        }
    }

    async fn copy(&self, delivered: &Delivered, text: &str) -> Result<Sent, Problem> {
        match self {
            Self::Nats(client) => client.copy(delivered, text).await,
            Self::Http(http) => http.copy(delivered, text).await,
        }
    }
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
