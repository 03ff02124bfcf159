//! `kez archive`: reads what the web client has exported.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::archive;
use crate::failure::{Exit, Failure};
use crate::identity::PassphraseArgs;
use crate::output::Output;
use crate::{private_file, visible};

/// No archive is longer: a million long messages.
const LONGEST: u64 = 4 * 1024 * 1024 * 1024;

/// Read archives that the web client has exported
#[derive(Debug, Subcommand)]
pub enum ArchiveCommand {
    Open(OpenArgs),
}

/// Print the messages and drafts in an archive
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez archive open alice.kez\n  kez archive open alice.kez --json | jq -r .text"
)]
pub struct OpenArgs {
    /// The file
    file: PathBuf,

    #[command(flatten)]
    passphrase: PassphraseArgs,

    #[command(flatten)]
    pub output: Output,
}

impl ArchiveCommand {
    pub fn output(&self) -> Output {
        match self {
            Self::Open(args) => args.output,
        }
    }
}

pub fn run(command: ArchiveCommand) -> Result<(), Failure> {
    let ArchiveCommand::Open(args) = command;
    let file = private_file::read(&args.file, LONGEST).map_err(|error| {
        Failure::new(Exit::Failed, "failed", format!("cannot read {}: {error}", args.file.display()))
    })?;
    let passphrase = args.passphrase.existing(&args.file)?;
    let archive = archive::open(&file, passphrase.as_str()).map_err(|fault| {
        let (exit, code) = match fault {
            archive::Fault::WrongPassphrase => (Exit::Identity, "wrong_passphrase"),
            archive::Fault::Malformed => (Exit::Failed, "malformed"),
            archive::Fault::UnsupportedVersion => (Exit::Failed, "unsupported_version"),
        };
        Failure::new(exit, code, format!("{}: {fault}", args.file.display()))
    })?;
    let owner = &archive.owner;
    args.output.note(&format!(
        "Messages of {}@{}, {}, as of {}.\n",
        word(owner, "handle"),
        word(owner, "server"),
        word(owner, "primary"),
        word(owner, "created_at"),
    ))?;
    archive.lines.iter().try_for_each(|line| args.output.item(line, || shown(line)))
}

fn shown(line: &Value) -> String {
    let peer = word(line, "peer");
    let words = match line["text"].as_str() {
        Some(text) => visible::lines(text, "          "),
        None => "(a message of another kind; --json shows it)".to_owned(),
    };
    if line["type"] == "draft" {
        return format!("draft, to {peer}\n          {words}");
    }
    let (time, direction) = (word(line, "sent_at"), if line["mine"] == true { "to" } else { "from" });
    format!("{time}  {direction} {peer}\n          {words}")
}

fn word(line: &Value, name: &str) -> String {
    visible::line(line[name].as_str().unwrap_or("?"))
}
