//! The command line: every command on one screen.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{
    archive, bench, claim, completions, conform, device, doctor, identity, inbox, mesh, register, send,
    sigchain, whois,
};
use crate::failure::{EXIT_CODES, Failure};
use crate::up;

const EXAMPLES: &str = "Start here:
  kez up                       start a server of your own on this machine
  kez identity new             make a key: that is who you are
  kez register alice           take a name
  kez send bob \"hi\"            write to somebody
  kez inbox --follow           read what comes
Say which accounts are yours, so that others can be sure of you:
  kez claim publish-help github:alice
  kez claim add github:alice
  kez whois alice
A second person on this machine:
  kez identity new --identity bob.json
  kez register bob --identity bob.json";

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
    #[command(subcommand)]
    Claim(claim::ClaimCommand),
    #[command(subcommand)]
    Device(device::DeviceCommand),
    #[command(subcommand)]
    Sigchain(sigchain::SigchainCommand),
    Send(send::SendArgs),
    Inbox(inbox::InboxArgs),
    #[command(subcommand)]
    Archive(archive::ArchiveCommand),
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
        Command::Identity(command) => identity::run(command).await?,
        Command::Register(args) => register::run(args).await?,
        Command::Whois(args) => whois::run(args).await?,
        Command::Claim(command) => return claim::run(command).await,
        Command::Device(command) => device::run(command).await?,
        Command::Sigchain(command) => sigchain::run(command).await?,
        Command::Send(args) => send::run(args).await?,
        Command::Inbox(args) => inbox::run(args).await?,
        Command::Archive(command) => archive::run(command)?,
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
            Self::Claim(command) => command.output().json,
            Self::Device(command) => command.output().json,
            Self::Sigchain(command) => command.output().json,
            Self::Send(args) => args.output.json,
            Self::Inbox(args) => args.output.json,
            Self::Archive(command) => command.output().json,
            Self::Mesh(args) => args.output.json,
            Self::Bench(args) => args.output.json,
            Self::Up(_) | Self::Init(_) | Self::Completions(_) | Self::Conform(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// The help of a command as a terminal of 100 columns shows it, whatever the environment holds.
    fn help(name: &str, command: &clap::Command) -> String {
        let command = command.clone().term_width(100).mut_args(|argument| argument.hide_env_values(true));
        command.bin_name(format!("kez {name}")).render_long_help().to_string()
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_says_it_all() {
        let cli = Cli::command();
        insta::assert_snapshot!("kez", cli.clone().term_width(100).render_long_help().to_string());
        for command in
            ["doctor", "register", "whois", "send", "inbox", "mesh", "bench", "completions", "conform"]
        {
            insta::assert_snapshot!(command, help(command, cli.find_subcommand(command).unwrap()));
        }
        for (group, commands) in [
            ("identity", &["new", "restore", "show", "rotate"][..]),
            ("claim", &["create", "publish-help", "add", "revoke", "list", "check"]),
            ("archive", &["open"]),
            ("device", &["request", "add", "list", "revoke"]),
            ("sigchain", &["show", "verify", "export", "import", "watch"]),
        ] {
            for command in commands {
                let name = format!("{group} {command}");
                let command = cli.find_subcommand(group).unwrap().find_subcommand(command).unwrap();
                insta::assert_snapshot!(name.replace(' ', "-"), help(&name, command));
            }
        }
    }

    #[test]
    fn flags_that_do_not_go_together_are_refused() {
        for arguments in [
            &["kez"][..],
            &["kez", "send"],
            &["kez", "inbox", "--ack", "--http"],
            &["kez", "inbox", "--limit", "0"],
            &["kez", "identity", "new", "--words", "13"],
            &["kez", "whois", "alice", "--server-url", "kez.lat"],
            &["kez", "whois", "alice", "--server", "Not A Domain"],
            &["kez", "bench", "--messages", "0"],
            &["kez", "claim", "add", "alice"],
            &["kez", "claim", "create", "github:alice", "--expires", "tomorrow"],
            &["kez", "claim", "check", "github:alice", "--here", "--fresh"],
            &["kez", "device", "add", "laptop"],
            &["kez", "device", "add", "laptop", "--device", "ed25519:00"],
            &["kez", "sigchain", "verify", "x", "--alone", "--head", "sha256:00"],
            &["kez", "identity", "rotate", "--yes"],
        ] {
            assert!(Cli::try_parse_from(arguments).is_err(), "{arguments:?}");
        }
    }
}
