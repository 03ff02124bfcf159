//! `kez sigchain export`: a chain as a file that anybody can verify and any server can take.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use kez_crypto::bundle;
use serde_json::json;

use crate::commands::whose::Whose;
use crate::failure::{Exit, Failure};
use crate::output::{Output, counted};
use crate::private_file;

/// Write somebody's sigchain as lines of JSON, one event a line
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez sigchain export > mine.jsonl\n  kez sigchain export alice --file alice.jsonl\n  \
    kez sigchain export --format packed\n\nA copy of one's own chain is worth keeping: kez sigchain import puts it back."
)]
pub struct ExportArgs {
    /// Write to this file instead of standard output; what it holds is replaced
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// How it is written
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,

    #[command(flatten)]
    pub output: Output,

    #[command(flatten)]
    whose: Whose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// An event a line
    Jsonl,
    /// kez:zc1:… in one word
    Packed,
}

pub(super) async fn run(args: ExportArgs) -> Result<(), Failure> {
    let chain = args.whose.chain().await?;
    if chain.length() == 0 {
        return Err(Failure::new(Exit::NotFound, "not_found", format!("{} has no events", chain.primary())));
    }
    let mut content = bundle::to_lines(chain.events().iter().map(|event| event.get()));
    if args.format == Format::Packed {
        let packed = bundle::pack(&content)
            .map_err(|fault| Failure::new(Exit::Failed, fault.code(), fault.to_string()))?;
        content = format!("{packed}\n").into_bytes();
    }
    let Some(path) = args.file else {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(&content)?;
        return Ok(stdout.flush()?);
    };
    let unwritable =
        |error| Failure::new(Exit::Failed, "failed", format!("cannot write {}: {error}", path.display()));
    private_file::write(&path, &content, true).map_err(unwritable)?;
    let path = path.display().to_string();
    let value = json!({ "primary": chain.primary(), "length": chain.length(), "head": chain.chain().head(), "file": path });
    args.output
        .item(&value, || format!("{} of {} in {path}", counted(chain.length(), "event"), chain.primary()))
}
