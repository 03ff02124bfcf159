//! `kez device`: keys that speak for an identity, so that the identity itself need not be everywhere.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use data_encoding::HEXLOWER;
use kez_contract::{Code, Problem};
use kez_crypto::chain::device_proof;
use kez_crypto::{Chain, Op, PublicKey};
use serde_json::json;

use super::whose::Whose;
use crate::chains::ChainFault;
use crate::failure::{Exit, Failure};
use crate::identity::{Identity, IdentityArgs};
use crate::output::Output;
use crate::server::ServerArgs;
use crate::visible;

/// Add, list and revoke devices: keys that speak for you
#[derive(Debug, Subcommand)]
pub enum DeviceCommand {
    Request(RequestArgs),
    Add(AddArgs),
    List(ListArgs),
    Revoke(RevokeArgs),
}

/// Make a device's key where the device is, and print what to add it with
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  kez device request ed25519:3b6a27bc… --identity laptop.json\n\n\
    The key never leaves the device: where your identity is, type the command that is printed.")]
pub struct RequestArgs {
    /// Whose device it shall be, ed25519:<64 hex digits>
    #[arg(value_parser = key)]
    primary: PublicKey,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    identity: IdentityArgs,
}

/// Let a device speak for you
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez device add laptop --file laptop.json\n  kez device add phone --device ed25519:3b6a27bc… --proof 5f3a…\n  \
    kez send bob \"hi\" --identity laptop.json\n\n\
    A device signs in, sends and follows as you. It cannot open your mail: mail is sealed to your identity's own key until \
    there is a ratchet. Nor can it claim accounts, or add and revoke devices."
)]
pub struct AddArgs {
    /// What the device is called, such as laptop
    #[arg(value_parser = name)]
    name: String,

    /// Make the device's key, and an identity file for it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["device", "proof"], required_unless_present = "device")]
    file: Option<PathBuf>,

    /// The device's own key, ed25519:<64 hex digits>, as kez device request prints it
    #[arg(long, value_name = "KEY", requires = "proof", value_parser = key)]
    device: Option<PublicKey>,

    /// The device's signature that it is yours, as kez device request prints it
    #[arg(long, value_name = "HEX", requires = "device")]
    proof: Option<String>,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    identity: IdentityArgs,

    #[command(flatten)]
    server: ServerArgs,
}

/// List the devices that speak for somebody
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  kez device list\n  kez device list alice --json")]
pub struct ListArgs {
    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    whose: Whose,
}

/// Let a device speak for you no longer; its connections end at once
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  kez device revoke laptop\n  kez device revoke ed25519:3b6a27bc…")]
pub struct RevokeArgs {
    /// What the device is called, or its key
    device: String,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    identity: IdentityArgs,

    #[command(flatten)]
    server: ServerArgs,
}

impl DeviceCommand {
    pub fn output(&self) -> Output {
        match self {
            Self::Request(args) => args.output,
            Self::Add(args) => args.output,
            Self::List(args) => args.output,
            Self::Revoke(args) => args.output,
        }
    }
}

pub async fn run(command: DeviceCommand) -> Result<(), Failure> {
    match command {
        DeviceCommand::Request(args) => request(&args),
        DeviceCommand::Add(args) => add(args).await,
        DeviceCommand::List(args) => list(args).await,
        DeviceCommand::Revoke(args) => revoke(args).await,
    }
}

fn request(args: &RequestArgs) -> Result<(), Failure> {
    let device = Identity::new_device(args.primary);
    device.save(&args.identity.path()?, &args.identity.passphrase.chosen()?, false)?;
    let (key, proof) = (device.key.public().identifier(), proof(args.primary, &device));
    let value = json!({ "primary": args.primary.identifier(), "device": key, "proof": proof });
    args.output.item(&value, || {
        format!("Where your identity is, type:\n\nkez device add NAME --device {key} --proof {proof}")
    })
}

async fn add(args: AddArgs) -> Result<(), Failure> {
    let memory = args.identity.memory()?;
    let identity = args.identity.open()?;
    let primary = identity.itself("add devices")?.public();
    let client = args.server.connect(&identity.speaker(), &memory).await?;
    let (device, proof) = match (&args.file, args.device, args.proof) {
        (Some(file), ..) => {
            let device = Identity::new_device(primary);
            device.save(file, &args.identity.passphrase.chosen()?, false)?;
            (device.key.public(), proof(primary, &device))
        }
        (None, Some(device), Some(proof)) => (device, proof),
        _ => return Err(Failure::usage("--device comes with --proof")),
    };
    let op = Op::AddDevice { device, name: args.name.clone(), proof };
    let appended = match client.append(&op).await {
        Ok(appended) => appended,
        Err(fault) => return Err(not_added(fault, args.file.as_deref())),
    };
    let value = json!({
        "device": device.identifier(),
        "name": args.name,
        "file": args.file,
        "seq": appended.event.seq,
        "head": appended.event.head,
    });
    args.output
        .item(&value, || format!("{} speaks for you: {}", visible::line(&args.name), device.identifier()))
}

/// The key of a device that was refused is of no use. Where it is not known whether it was, the key is kept.
fn not_added(fault: ChainFault, file: Option<&Path>) -> Failure {
    let is_open = matches!(
        &fault,
        ChainFault::Asked(Problem { code: Code::Unavailable | Code::Internal, .. }) | ChainFault::Memory(_)
    );
    let failure = Failure::from(fault);
    match file {
        Some(file) if is_open => {
            let file = file.display();
            failure.advise(format!("kez device list shows whether it was added; its key is kept in {file}"))
        }
        Some(file) => {
            // The failure that is told matters more than a file that stays.
            drop(std::fs::remove_file(file));
            failure
        }
        None => failure,
    }
}

async fn list(args: ListArgs) -> Result<(), Failure> {
    let chain = args.whose.chain().await?;
    for (device, name) in chain.chain().devices() {
        let value = json!({ "device": device.identifier(), "name": name });
        args.output.item(&value, || format!("{}  {}", device.identifier(), visible::line(name)))?;
    }
    if chain.chain().devices().next().is_none() { args.output.note("No devices.") } else { Ok(()) }
}

async fn revoke(args: RevokeArgs) -> Result<(), Failure> {
    let memory = args.identity.memory()?;
    let identity = args.identity.open()?;
    identity.itself("revoke devices")?;
    let client = args.server.connect(&identity.speaker(), &memory).await?;
    let chain = client.chain(client.primary()).await?;
    let device = named(chain.chain(), &args.device)?;
    let appended = client.append(&Op::Revoke { subject: device.into() }).await?;
    let value = json!({
        "device": device.identifier(),
        "seq": appended.event.seq,
        "head": appended.event.head,
    });
    args.output.item(&value, || format!("{} speaks for you no longer.", device.identifier()))
}

/// The active device of that name or key.
fn named(chain: &Chain, wanted: &str) -> Result<PublicKey, Failure> {
    let is_meant = |(key, name): &(&PublicKey, &str)| *name == wanted || key.identifier() == wanted;
    let found: Vec<PublicKey> = chain.devices().filter(is_meant).map(|(key, _)| *key).collect();
    match &found[..] {
        [device] => Ok(*device),
        [] => Err(Failure::new(Exit::NotFound, "not_active", "you have no device of that name or key")
            .advise("kez device list shows them")),
        several => Err(Failure::usage(format!("{} of your devices are called that", several.len()))
            .advise("name it by its key, as kez device list shows it")),
    }
}

fn proof(primary: PublicKey, device: &Identity) -> String {
    HEXLOWER.encode(&device_proof(primary, &device.key))
}

fn key(text: &str) -> Result<PublicKey, String> {
    PublicKey::parse(text).map_err(|_| "not ed25519:<64 hex digits>".to_owned())
}

fn name(text: &str) -> Result<String, String> {
    let fits = (1..=64).contains(&text.chars().count()) && visible::line(text) == text && !text.contains(':');
    if fits {
        Ok(text.to_owned())
    } else {
        Err("a name is 1 to 64 visible characters without a colon".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use kez_crypto::SecretKey;

    use super::*;
    use crate::chains::tests::{NOW, alice, claiming};

    #[test]
    fn a_device_is_found_by_name_and_by_key_unless_several_are_meant() {
        let mut chain = claiming(&["a"]);
        for (seed, name) in [(2, "laptop"), (3, "phone"), (4, "phone")] {
            let device = SecretKey::from_seed([seed; 32]);
            let proof = HEXLOWER.encode(&device_proof(alice().public(), &device));
            let op = Op::AddDevice { device: device.public(), name: name.to_owned(), proof };
            let event = chain.sign_next(&op, NOW, &alice()).unwrap();
            chain.append(event).unwrap();
        }
        let key = |seed| SecretKey::from_seed([seed; 32]).public();
        let find = |wanted: &str| named(chain.chain(), wanted);
        assert_eq!(find("laptop").unwrap(), key(2));
        assert_eq!(find(&key(4).identifier()).unwrap(), key(4));
        assert_eq!(find("phone").unwrap_err().exit, Exit::Usage);
        assert_eq!(find("fridge").unwrap_err().exit, Exit::NotFound);
        assert_eq!(find("github:a").unwrap_err().exit, Exit::NotFound);
    }

    #[test]
    fn the_key_of_a_refused_device_is_removed_and_that_of_a_lost_answer_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("laptop.json");
        std::fs::write(&file, "").unwrap();
        let lost = not_added(Problem::unavailable("").into(), Some(&file));
        assert!(file.exists() && lost.advice.is_some_and(|advice| advice.contains("laptop.json")));
        not_added(Problem::new(Code::BadProof, "").into(), Some(&file));
        assert!(!file.exists());
    }
}
