//! `kez sigchain show`: a chain, event by event, and what it comes to.

use clap::Args;
use serde_json::json;

use crate::chains::{Entry, Verified};
use crate::commands::whose::Whose;
use crate::failure::Failure;
use crate::output::{Output, table};
use crate::visible;

/// Show somebody's sigchain, every event verified
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez sigchain show\n  kez sigchain show alice\n  kez sigchain show nostr:npub1… --json\n\n\
    What is seen is remembered in heads.json beside the identity file, so that a server that takes events back, or shows \
    another history, is found out."
)]
pub struct ShowArgs {
    #[command(flatten)]
    pub output: Output,

    #[command(flatten)]
    whose: Whose,
}

pub(super) async fn run(args: ShowArgs) -> Result<(), Failure> {
    let chain = args.whose.chain().await?;
    let entries: Vec<Entry> = chain.events().iter().map(Entry::read).collect();
    let devices = chain.chain().devices();
    let value = json!({
        "primary": chain.primary(),
        "length": chain.length(),
        "head": chain.chain().head(),
        "claims": chain.chain().claims().collect::<Vec<_>>(),
        "devices": devices.map(|(key, name)| json!({ "device": key.identifier(), "name": name })).collect::<Vec<_>>(),
        "successor": chain.chain().successor().map(|key| key.identifier()),
        "events": entries,
    });
    args.output.item(&value, || text(&chain, &entries))
}

fn text(chain: &Verified, entries: &[Entry]) -> String {
    let Some(head) = chain.chain().head() else {
        return format!("chain      {}\nevents     none", chain.primary());
    };
    let rows: Vec<Vec<String>> = entries.iter().map(row).collect();
    let mut text = format!(
        "chain      {}\nevents     {}\n{}\nhead       {head}",
        chain.primary(),
        chain.length(),
        table(&rows)
    );
    for subject in chain.chain().claims() {
        text += &format!("\nclaims     {}", visible::line(subject.as_str()));
    }
    for (device, name) in chain.chain().devices() {
        text += &format!("\ndevice     {}  {}", device.identifier(), visible::line(name));
    }
    if let Some(successor) = chain.chain().successor() {
        text += &format!("\nsuccessor  {}", successor.identifier());
    }
    text
}

/// An event in columns.
pub(super) fn row(entry: &Entry) -> Vec<String> {
    let about =
        [entry.subject.as_deref(), entry.name.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let op = if entry.is_known() { entry.op.clone() } else { format!("{} (not known here)", entry.op) };
    [format!("{:>5}", entry.seq), entry.created_at.replace('T', " "), op, about]
        .map(|cell| visible::line(&cell))
        .to_vec()
}
