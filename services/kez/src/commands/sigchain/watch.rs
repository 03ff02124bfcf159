//! `kez sigchain watch`: events as they come.

use clap::Args;
use futures_util::StreamExt;
use futures_util::stream::select_all;
use serde_json::json;

use super::show::row;
use crate::chains::Entry;
use crate::client::Watched;
use crate::commands::whose;
use crate::failure::Failure;
use crate::identity::IdentityArgs;
use crate::output::Output;
use crate::server::ServerArgs;

/// Follow sigchains: each event as it comes, verified, until Ctrl-C
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez sigchain watch alice bob\n  kez sigchain watch alice --all --json\n\n\
    It ends with an error when a chain does not go on from what was seen of it. Your identity must be registered."
)]
pub struct WatchArgs {
    /// Handles, ed25519:<64 hex digits> or nostr:npub1…, at most 16 [default: you]
    #[arg(num_args = 0..=16)]
    who: Vec<String>,

    /// Begin with the events that are there already
    #[arg(long)]
    all: bool,

    /// End after so many events [default: never]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,

    #[command(flatten)]
    pub output: Output,

    #[command(flatten)]
    identity: IdentityArgs,

    #[command(flatten)]
    server: ServerArgs,
}

pub(super) async fn run(args: WatchArgs) -> Result<(), Failure> {
    args.who.iter().try_for_each(|who| whose::check(who))?;
    let me = args.identity.open()?.speaker();
    let client = args.server.connect(&me, &args.identity.memory()?).await?;
    let mut primaries = Vec::new();
    for who in &args.who {
        let primary = whose::find(&client, who).await?;
        if !primaries.contains(&primary) {
            primaries.push(primary);
        }
    }
    if args.who.is_empty() {
        primaries.push(me.primary().into());
    }
    let since = if args.all { 0 } else { u64::MAX };
    let mut watches = Vec::new();
    for primary in primaries {
        watches.push(client.watch(primary, since).await?);
    }
    let mut events =
        select_all(watches).take(usize::try_from(args.limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX));
    while let Some(watched) = events.next().await {
        print(args.output, &watched?)?;
    }
    Ok(())
}

fn print(output: Output, watched: &Watched) -> Result<(), Failure> {
    let entry = Entry::read(&watched.event);
    let value = json!({
        "primary": watched.primary,
        "head": watched.head,
        "seq": entry.seq,
        "created_at": entry.created_at,
        "op": entry.op,
        "subject": entry.subject,
        "name": entry.name,
        "event": watched.event,
    });
    output.item(&value, || format!("{}  {}", watched.primary, row(&entry).join("  ").trim_start()))
}
