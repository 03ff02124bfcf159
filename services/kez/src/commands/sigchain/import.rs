//! `kez sigchain import`: gives a server the events of a file that it lacks.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use kez_contract::sigchain::Appended;
use kez_contract::{Code, Document, Problem};
use kez_crypto::Primary;
use serde_json::json;

use super::bundle::{events, owner};
use crate::chains::memory::compare;
use crate::chains::{ChainFault, Memory, Verified};
use crate::client::Client;
use crate::failure::Failure;
use crate::http::HttpClient;
use crate::identity::IdentityArgs;
use crate::output::{Output, counted};
use crate::server::{ServerArgs, nobody};

/// The longest that is waited when the server asks for it.
const PATIENCE: u64 = 60;

/// Append the events of a file that the server lacks, such as when moving servers
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  kez sigchain import mine.jsonl --server-url https://kez.lat\n  \
    kez sigchain export | kez sigchain import - --server-url https://kez.lat\n\n\
    The events are signed already, so it may be anybody's chain: one's own goes over NATS, as whom one is; another's over \
    HTTP, and no identity is needed. A server that has another history is not changed.")]
pub struct ImportArgs {
    /// The file, or - for standard input
    file: PathBuf,

    #[command(flatten)]
    pub output: Output,

    #[command(flatten)]
    identity: IdentityArgs,

    #[command(flatten)]
    server: ServerArgs,
}

/// Who takes the events.
enum Taker {
    Nats(Client),
    Http(Box<HttpClient>),
}

pub(super) async fn run(args: ImportArgs) -> Result<(), Failure> {
    let events = events(&args.file)?;
    let primary = owner(&events)?;
    let chain = Verified::of(primary, events)?;
    // Whatever the server lacks, it is not to be told apart here from what it has taken back.
    let taker = taker(&args, &primary).await?;
    let there = taker.chain(&primary).await?;
    let missing = missing(&chain, &there)?;
    let longer = if missing.is_empty() { &there } else { &chain };
    // The rest of a chain that was seen in full is not given up by putting back its beginning.
    let memory = args.identity.memory()?;
    if let Some(seen) = memory.last(&primary) {
        compare(&primary, &seen, longer.heads())?;
    }
    for event in missing {
        taker.append(&primary, event).await?;
    }
    memory.check(longer)?;
    let value = json!({
        "primary": primary,
        "appended": missing.len(),
        "length": longer.length(),
        "head": longer.chain().head(),
    });
    args.output.item(&value, || match missing.len() {
        0 => format!("The server has it all already: {}.", counted(chain.length(), "event")),
        appended => {
            format!("Appended {}; the server has {} now.", counted(appended as u64, "event"), chain.length())
        }
    })
}

/// What of a chain comes after what the server has of it.
fn missing<'c>(chain: &'c Verified, there: &Verified) -> Result<&'c [Document], ChainFault> {
    let differs = chain.heads().iter().zip(there.heads()).position(|(mine, theirs)| mine != theirs);
    match differs {
        Some(seq) => Err(ChainFault::Forked { primary: chain.primary(), seq: seq as u64 }),
        None => Ok(chain.events().get(there.heads().len()..).unwrap_or_default()),
    }
}

async fn taker(args: &ImportArgs, primary: &Primary) -> Result<Taker, Failure> {
    let memory = Memory::default();
    let is_mine = args.identity.file.primary().is_ok_and(|me| Primary::from(me) == *primary);
    if is_mine || args.server.nats.is_some() {
        let identity = args.identity.open()?;
        identity.itself("continue the sigchain")?;
        return Ok(Taker::Nats(args.server.connect(&identity.speaker(), &memory).await?));
    }
    Ok(Taker::Http(Box::new(args.server.http(&nobody(), &memory).await?)))
}

impl Taker {
    async fn chain(&self, primary: &Primary) -> Result<Verified, ChainFault> {
        match self {
            Self::Nats(client) => client.chain(*primary).await,
            Self::Http(http) => http.chain(*primary).await,
        }
    }

    /// Has an event stored, and waits when it is told to.
    async fn append(&self, primary: &Primary, event: &Document) -> Result<Appended, Problem> {
        loop {
            let appended = match self {
                Self::Nats(client) => client.append_event(event).await,
                Self::Http(http) => http.append_event(primary, event).await,
            };
            match appended {
                Err(Problem { code: Code::RateLimited, retry_after, .. }) => {
                    let seconds = retry_after.unwrap_or(1).clamp(1, PATIENCE);
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                }
                answer => return answer,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::tests::claiming;

    #[test]
    fn only_what_continues_the_servers_history_is_appended() {
        let chain = claiming(&["a", "b", "c"]);
        let missing = |there: &[&str]| missing(&chain, &claiming(there)).map(|events| events.len());
        assert_eq!(missing(&[]), Ok(3));
        assert_eq!(missing(&["a", "b"]), Ok(1));
        assert_eq!(missing(&["a", "b", "c"]), Ok(0));
        assert_eq!(missing(&["a", "b", "c", "d"]), Ok(0));
        let forked = Err(ChainFault::Forked { primary: chain.primary(), seq: 1 });
        assert_eq!(missing(&["a", "x", "c"]), forked);
    }
}
