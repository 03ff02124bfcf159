//! The command line: every command on one screen.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{bench, completions, conform, doctor, identity, inbox, mesh, register, send, whois};
use crate::failure::{EXIT_CODES, Failure};
use crate::up;

const EXAMPLES: &str = "Start here:
  kez up                       start a server of your own on this machine
  kez identity new             make a key: that is who you are
  kez register alice           take a name
  kez send bob \"hi\"            write to somebody
  kez inbox --follow           read what comes
Two people on one machine:
  kez --help                   every command takes --identity bob.json";

/// Sealed messages between keys
#[derive(Debug, Parser)]
#[command(
    name = "kez",
    version,
    arg_required_else_help = true,
    after_help = EXAMPLES,
    after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"),
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(up::UpArgs),
    Init(up::InitArgs),
    Doctor(doctor::DoctorArgs),
    #[command(subcommand)]
    Identity(identity::IdentityCommand),
    Register(register::RegisterArgs),
    Whois(whois::WhoisArgs),
    Send(send::SendArgs),
    Inbox(inbox::InboxArgs),
    Mesh(mesh::MeshArgs),
    Bench(bench::BenchArgs),
    Completions(completions::CompletionsArgs),
    #[command(hide = true)]
    Conform(conform::ConformArgs),
}

/// Runs what was typed.
pub async fn run(cli: Cli) -> ExitCode {
    let as_json = cli.command.prints_json();
    match dispatch(cli.command).await {
        Ok(code) => code,
        Err(failure) => failure.report(as_json),
    }
}

async fn dispatch(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Up(args) => up::run(args).await?,
        Command::Init(args) => up::init(&args)?,
        Command::Doctor(args) => return doctor::run(args).await,
        Command::Identity(command) => identity::run(command)?,
        Command::Register(args) => register::run(args).await?,
        Command::Whois(args) => whois::run(args).await?,
        Command::Send(args) => send::run(args).await?,
        Command::Inbox(args) => inbox::run(args).await?,
        Command::Mesh(args) => mesh::run(args).await?,
        Command::Bench(args) => bench::run(args).await?,
        Command::Completions(args) => completions::run(&args)?,
        Command::Conform(args) => return conform::run(&args),
    }
    Ok(ExitCode::SUCCESS)
}

impl Command {
    fn prints_json(&self) -> bool {
        match self {
            Self::Doctor(args) => args.output.json,
            Self::Identity(command) => command.output().json,
            Self::Register(args) => args.output.json,
            Self::Whois(args) => args.output.json,
            Self::Send(args) => args.output.json,
            Self::Inbox(args) => args.output.json,
            Self::Mesh(args) => args.output.json,
            Self::Bench(args) => args.output.json,
            Self::Up(_) | Self::Init(_) | Self::Completions(_) | Self::Conform(_) => false,
        }
    }
}
