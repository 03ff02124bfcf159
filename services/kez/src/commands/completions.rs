//! `kez completions`: what shells need to complete `kez`.

use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::failure::Failure;

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez completions bash > ~/.local/share/bash-completion/completions/kez\n  kez completions zsh > ~/.zfunc/_kez\n  kez completions fish > ~/.config/fish/completions/kez.fish"
)]
pub struct CompletionsArgs {
    shell: Shell,
}

pub fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    // Into memory first: clap panics when standard output is closed.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "kez", &mut script);
    Ok(std::io::stdout().write_all(&script)?)
}
