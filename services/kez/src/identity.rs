//! Who I am: a secret key and, where it grew from one, its recovery phrase, kept in an encrypted file.

mod file;
mod passphrase;
mod vault;

use std::path::{Path, PathBuf};

use kez_crypto::{Phrase, SecretKey};
use zeroize::Zeroizing;

use crate::failure::{Exit, Failure};

pub use file::is_open_to_others;
pub use passphrase::{Passphrase, PassphraseArgs};

/// The file, and how it is opened.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Identity")]
pub struct IdentityArgs {
    /// File that keeps the identity [default: kez/identity.json in ~/.config]
    #[arg(long, env = "KEZ_IDENTITY", value_name = "FILE")]
    identity: Option<PathBuf>,

    /// Where the configuration folder is
    #[arg(long, env = "XDG_CONFIG_HOME", hide = true)]
    config_home: Option<PathBuf>,

    #[command(flatten)]
    pub passphrase: PassphraseArgs,
}

impl IdentityArgs {
    /// The identity file.
    pub fn path(&self) -> Result<PathBuf, Failure> {
        self.identity
            .clone()
            .or_else(|| {
                let config = self.config_home.clone().filter(|path| path.is_absolute());
                let config = config.or_else(|| Some(std::env::home_dir()?.join(".config")));
                Some(config?.join("kez").join("identity.json"))
            })
            .ok_or_else(|| {
                Failure::usage("there is no home folder to keep an identity in")
                    .advise("name a file with --identity")
            })
    }

    /// Opens the identity, asking for its passphrase.
    pub fn open(&self) -> Result<Identity, Failure> {
        let path = self.path()?;
        let stored = Identity::stored(&path)?;
        let passphrase = self.passphrase.existing(&path)?;
        stored.open(&path, &passphrase)
    }
}

/// Who I am.
#[derive(Debug)]
pub struct Identity {
    pub key: SecretKey,
    /// None when it was restored from its seed.
    pub phrase: Option<Phrase>,
}

impl Identity {
    /// The identity that a phrase holds.
    pub fn of_phrase(phrase: Phrase) -> Self {
        Self { key: phrase.secret_key(), phrase: Some(phrase) }
    }

    /// The identity of a bare seed.
    pub fn of_seed(seed: &Zeroizing<[u8; 32]>) -> Self {
        Self { key: SecretKey::from_seed(**seed), phrase: None }
    }

    /// Reads the file without opening it.
    pub fn stored(path: &Path) -> Result<Stored, Failure> {
        let text = file::read(path)?;
        let vault = vault::Vault::parse(&text).map_err(|fault| broken(path, &fault.to_string()))?;
        Ok(Stored(vault))
    }

    /// Encrypts the identity into a file that only its owner may read. An identity that is there already stays, unless
    /// it is to be `replaced`.
    pub fn save(&self, path: &Path, passphrase: &Passphrase, replaced: bool) -> Result<(), Failure> {
        let vault = vault::Vault::seal(self, passphrase).map_err(|fault| {
            Failure::new(Exit::Failed, "failed", format!("the identity cannot be encrypted: {fault}"))
        })?;
        file::write(path, vault.to_text()?.as_bytes(), replaced)
    }
}

/// An identity file that was read but not opened.
#[derive(Debug)]
pub struct Stored(vault::Vault);

impl Stored {
    /// Whose file it says it is; proven only by opening it.
    pub fn primary(&self) -> &str {
        self.0.primary()
    }

    /// Opens it.
    pub fn open(&self, path: &Path, passphrase: &Passphrase) -> Result<Identity, Failure> {
        self.0.open(passphrase).map_err(|fault| match fault {
            vault::Fault::CannotOpen => {
                let message = format!("wrong passphrase for {} (or the file was changed)", path.display());
                Failure::new(Exit::Identity, "wrong_passphrase", message)
                    .advise("try again, or kez identity restore with the recovery phrase")
            }
            other => broken(path, &other.to_string()),
        })
    }
}

fn broken(path: &Path, why: &str) -> Failure {
    Failure::new(
        Exit::Identity,
        "broken_identity",
        format!("{} is not an identity file: {why}", path.display()),
    )
    .advise("kez identity restore makes it anew from the recovery phrase")
}
