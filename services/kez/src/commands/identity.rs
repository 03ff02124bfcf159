//! `kez identity`: making, restoring and showing the key that I am.

use std::io::{IsTerminal, Read};

use clap::{Args, Subcommand};
use data_encoding::HEXLOWER;
use kez_crypto::{PublicKey, phrase};
use serde_json::json;
use zeroize::Zeroizing;

use super::rotate::{self, RotateArgs};
use crate::failure::{Exit, Failure};
use crate::identity::{Identity, IdentityArgs};
use crate::output::Output;
use crate::private_file::is_open_to_others;

/// Make, restore, show or replace the key that you are
#[derive(Debug, Subcommand)]
pub enum IdentityCommand {
    New(NewArgs),
    Restore(RestoreArgs),
    Show(ShowArgs),
    Rotate(RotateArgs),
}

/// Make a new identity and print its recovery phrase, once
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  kez identity new\n  kez identity new --identity bob.json --words 24")]
pub struct NewArgs {
    /// How many words the recovery phrase has
    #[arg(long, default_value = "12", value_parser = ["12", "24"])]
    words: String,

    /// Replace the identity that is in the file; it is gone for good unless you have its phrase
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    identity: IdentityArgs,
}

/// Bring an identity back from its recovery phrase or its seed, typed or on standard input
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez identity restore\n  kez identity restore --identity bob.json < phrase.txt"
)]
pub struct RestoreArgs {
    /// Replace the identity that is in the file
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    identity: IdentityArgs,
}

/// Show who you are; nothing secret, unless asked for
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  kez identity show\n  kez identity show --phrase")]
pub struct ShowArgs {
    /// Show the recovery phrase, too; asks for the passphrase
    #[arg(long)]
    phrase: bool,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    identity: IdentityArgs,
}

impl IdentityCommand {
    pub fn output(&self) -> Output {
        match self {
            Self::New(args) => args.output,
            Self::Restore(args) => args.output,
            Self::Show(args) => args.output,
            Self::Rotate(args) => args.output,
        }
    }
}

pub async fn run(command: IdentityCommand) -> Result<(), Failure> {
    match command {
        IdentityCommand::New(args) => new(&args),
        IdentityCommand::Restore(args) => restore(&args),
        IdentityCommand::Show(args) => show(&args),
        IdentityCommand::Rotate(args) => rotate::run(args).await,
    }
}

fn new(args: &NewArgs) -> Result<(), Failure> {
    let phrase = match args.words.as_str() {
        "24" => phrase::generate_24(kez_service::random::bytes()),
        _ => phrase::generate_12(kez_service::random::bytes()),
    };
    let identity = Identity::of_phrase(phrase);
    save(&identity, &args.identity, args.force)?;
    print(&identity, &args.identity, args.output, true)?;
    args.output.note(
        "\nWrite the words down, in order, on paper. Whoever has them is you; without them nobody, not even your server,\n\
         can bring your identity back. Next: kez register HANDLE",
    )
}

fn restore(args: &RestoreArgs) -> Result<(), Failure> {
    let identity = read_secret()?;
    save(&identity, &args.identity, args.force)?;
    print(&identity, &args.identity, args.output, false)
}

fn show(args: &ShowArgs) -> Result<(), Failure> {
    let path = args.identity.path()?;
    if is_open_to_others(&path) {
        eprintln!("warning: others can read {0}: chmod 600 {0}", path.display());
    }
    if args.phrase {
        let identity = args.identity.open()?;
        if identity.phrase.is_none() {
            return Err(Failure::new(
                Exit::NotFound,
                "no_phrase",
                match identity.device_of {
                    None => "this identity was restored from its seed and has no phrase",
                    Some(_) => "a device has no phrase: make another one with kez device add",
                },
            ));
        }
        return print(&identity, &args.identity, args.output, true);
    }
    let stored = Identity::stored(&path)?;
    print_public(&stored.key()?, stored.device_of()?, &args.identity, args.output, None)
}

fn save(identity: &Identity, args: &IdentityArgs, force: bool) -> Result<(), Failure> {
    let path = args.path()?;
    // Said before a passphrase is thought of.
    if !force && path.exists() {
        return Err(Failure::new(
            Exit::Identity,
            "identity_exists",
            format!("there is an identity at {} already", path.display()),
        )
        .advise("keep it, name another file with --identity, or replace it for good with --force"));
    }
    identity.save(&path, &args.passphrase.chosen()?, force)
}

fn print(identity: &Identity, args: &IdentityArgs, output: Output, with_phrase: bool) -> Result<(), Failure> {
    let words = identity
        .phrase
        .as_ref()
        .filter(|_| with_phrase)
        .map(|phrase| Zeroizing::new(phrase.words().join(" ")));
    let words = words.as_deref().map(String::as_str);
    print_public(&identity.key.public(), identity.device_of, args, output, words)
}

fn print_public(
    key: &PublicKey,
    device_of: Option<PublicKey>,
    args: &IdentityArgs,
    output: Output,
    phrase: Option<&str>,
) -> Result<(), Failure> {
    let path = args.path()?.display().to_string();
    let primary = device_of.as_ref().unwrap_or(key).identifier();
    let device = device_of.map(|_| key.identifier());
    let mut value = json!({ "primary": primary, "nkey": key.nkey(), "file": path });
    if let Some(members) = value.as_object_mut() {
        members.extend(device.iter().map(|device| ("device".to_owned(), device.as_str().into())));
        members.extend(phrase.map(|phrase| ("phrase".to_owned(), phrase.into())));
    }
    output.item(&value, || {
        let device = device.map(|device| format!("\ndevice    {device}")).unwrap_or_default();
        let phrase = phrase.map(|words| format!("\nphrase    {words}")).unwrap_or_default();
        format!("identity  {primary}{device}\nnkey      {}\nfile      {path}{phrase}", key.nkey())
    })
}

/// The phrase or seed, typed unseen or from standard input.
fn read_secret() -> Result<Identity, Failure> {
    let text = if std::io::stdin().is_terminal() {
        Zeroizing::new(rpassword::prompt_password(
            "Recovery phrase (12 or 24 words) or seed (64 hex digits): ",
        )?)
    } else {
        let mut text = Zeroizing::new(String::with_capacity(1024));
        std::io::stdin().take(1024).read_to_string(&mut text)?;
        text
    };
    parse_secret(text.trim())
}

fn parse_secret(text: &str) -> Result<Identity, Failure> {
    let hex = Zeroizing::new(text.to_ascii_lowercase());
    if hex.len() == 64
        && let Ok(seed) = HEXLOWER.decode(hex.as_bytes()).map(Zeroizing::new)
        && let Ok(seed) = <[u8; 32]>::try_from(seed.as_slice()).map(Zeroizing::new)
    {
        return Ok(Identity::of_seed(&seed));
    }
    phrase::parse(text)
        .map(Identity::of_phrase)
        .map_err(|fault| Failure::new(Exit::Identity, "broken_phrase", fault.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_and_its_seed_are_the_same_person() {
        let phrase = phrase::generate_12([7; 16]);
        let words = phrase.words().join(" ");
        let seed = HEXLOWER.encode(phrase.to_seed().as_slice());
        let by_words = parse_secret(&words.to_uppercase()).unwrap();
        let by_seed = parse_secret(&seed.to_uppercase()).unwrap();
        assert_eq!(by_words.key.public(), by_seed.key.public());
        assert!(by_words.phrase.is_some() && by_seed.phrase.is_none());
    }

    #[test]
    fn a_broken_phrase_is_told_by_its_place_and_not_repeated() {
        let failure = parse_secret("abandon abandon abandon secretword abandon abandon abandon abandon abandon abandon abandon about").unwrap_err();
        assert_eq!(failure.exit, Exit::Identity);
        assert!(failure.message.contains("word 4") && !failure.message.contains("secretword"));
    }
}
