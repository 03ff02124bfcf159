//! `kez identity rotate`: moving to another key, for good.

use std::path::PathBuf;

use clap::Args;
use data_encoding::HEXLOWER;
use kez_contract::{Code, Problem};
use kez_crypto::chain::successor_proof;
use kez_crypto::{Op, phrase};
use serde_json::json;
use zeroize::Zeroizing;

use crate::chains::{ChainFault, Memory};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::identity::{Identity, IdentityArgs};
use crate::output::Output;
use crate::server::ServerArgs;

const LOST: &str = "The old key then signs in nowhere, and nothing brings it back. What is lost: mail that lies in its mailbox \
    (read it first: kez inbox), its devices (add them again), and the accounts that it claims (claim them again)";

/// Move to a new key, which takes over the handle; the old one is closed for good
#[derive(Debug, Args)]
#[command(
    after_help = format!("Examples:\n  kez identity rotate --file new.json --yes\n\n{LOST}.")
)]
pub struct RotateArgs {
    /// Where the new identity is written
    #[arg(long, value_name = "FILE")]
    file: PathBuf,

    /// Do it: there is no way back
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    pub output: Output,

    #[command(flatten)]
    identity: IdentityArgs,

    #[command(flatten)]
    server: ServerArgs,
}

pub(super) async fn run(args: RotateArgs) -> Result<(), Failure> {
    if !args.yes {
        return Err(Failure::usage("moving to another key cannot be undone")
            .advise(format!("{LOST}. Say --yes to do it")));
    }
    let memory = args.identity.memory()?;
    let identity = args.identity.open()?;
    let old = identity.itself("move to another key")?;
    let client = args.server.connect(&identity.speaker(), &memory).await?;
    let handle = match client.by_primary(&old.public()).await {
        Ok(record) => Some(record.handle),
        Err(problem) if problem.code == Code::NotFound => None,
        Err(problem) => return Err(problem.into()),
    };
    let successor = Identity::of_phrase(phrase::generate_12(kez_service::random::bytes()));
    successor.save(&args.file, &args.identity.passphrase.chosen()?, false)?;
    let proof = HEXLOWER.encode(&successor_proof(old.public(), &successor.key));
    let op = Op::Rotate { successor: successor.key.public(), proof };
    if let Err(fault) = client.append(&op).await {
        return Err(not_rotated(fault, &args));
    }
    print(&args, &identity, &successor, handle.as_deref())?;
    match handle {
        Some(handle) => move_handle(&args, &memory, &successor, &handle).await,
        None => args.output.note("Next: kez register HANDLE, with --identity and the new file."),
    }
}

/// Tells the new identity before anything else can go wrong: the old one is gone.
fn print(args: &RotateArgs, old: &Identity, new: &Identity, handle: Option<&str>) -> Result<(), Failure> {
    let words = new.phrase.as_ref().map(|phrase| Zeroizing::new(phrase.words().join(" ")));
    let words = words.as_deref().map(String::as_str).unwrap_or_default();
    let (old, new) = (old.key.public().identifier(), new.key.public().identifier());
    let file = args.file.display().to_string();
    let value =
        json!({ "primary": new, "predecessor": old, "handle": handle, "file": file, "phrase": words });
    args.output.item(&value, || {
        format!(
            "identity  {new}\nformerly  {old}\nfile      {file}\nphrase    {words}\n\nWrite the words down, in order, on paper. \
             Whoever has them is you."
        )
    })
}

/// Registers the handle for the successor, which the rotation lets it.
async fn move_handle(
    args: &RotateArgs,
    memory: &Memory,
    successor: &Identity,
    handle: &str,
) -> Result<(), Failure> {
    let moved: Result<Client, Failure> = async {
        let client = args.server.connect(&successor.speaker(), memory).await?;
        client.register(handle).await?;
        Ok(client)
    }
    .await;
    match moved {
        Ok(client) => {
            let (server, file) = (client.server(), args.file.display());
            args.output.note(&format!(
                "{handle}@{server} is the new key's. From now on name it with --identity {file}, or put that file in the old \
                 one's place."
            ))
        }
        Err(failure) => {
            let file = args.file.display();
            Err(failure.advise(format!(
                "the key is moved, the handle is not yet: kez register {handle} --identity {file}"
            )))
        }
    }
}

/// A key that nothing was moved to is of no use. Where it is not known whether it was, the key is kept.
fn not_rotated(fault: ChainFault, args: &RotateArgs) -> Failure {
    let is_open = matches!(
        &fault,
        ChainFault::Asked(Problem { code: Code::Unavailable | Code::Internal, .. }) | ChainFault::Memory(_)
    );
    if is_open {
        let file = args.file.display();
        return Failure::from(fault).advise(format!(
            "kez sigchain show tells whether the key was moved; the new identity is kept in {file}, and kez identity show \
             --phrase tells its words"
        ));
    }
    // The failure that is told matters more than a file that stays.
    drop(std::fs::remove_file(&args.file));
    Failure { exit: Exit::Refused, ..Failure::from(fault) }
}
