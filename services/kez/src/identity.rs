//! Who I am: a secret key and, where it grew from one, its recovery phrase, kept in an encrypted file.

mod passphrase;
mod vault;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use kez_crypto::{Phrase, PublicKey, SecretKey};
use zeroize::Zeroizing;

use crate::chains::Memory;
use crate::failure::{Exit, Failure};
use crate::private_file;
use crate::speaker::Speaker;

pub use passphrase::{Passphrase, PassphraseArgs};

/// No identity file is longer.
const LONGEST: u64 = 64 * 1024;

/// What was seen of others' sigchains stands beside the identity.
const HEADS: &str = "heads.json";

/// The file.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Identity")]
pub struct IdentityFile {
    /// File that keeps the identity [default: kez/identity.json in ~/.config]
    #[arg(long, env = "KEZ_IDENTITY", value_name = "FILE")]
    identity: Option<PathBuf>,

    /// Where the configuration folder is
    #[arg(long, env = "XDG_CONFIG_HOME", hide = true)]
    config_home: Option<PathBuf>,
}

/// The file, and how it is opened.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Identity")]
pub struct IdentityArgs {
    #[command(flatten)]
    pub file: IdentityFile,

    #[command(flatten)]
    pub passphrase: PassphraseArgs,
}

impl IdentityFile {
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

    /// What was seen of sigchains before.
    pub fn memory(&self) -> Result<Memory, Failure> {
        Ok(Memory::in_file(&private_file::folder(&self.path()?).join(HEADS))?)
    }

    /// Opens the identity, asking for its passphrase unless it is given.
    pub fn open(&self, passphrase: &PassphraseArgs) -> Result<Identity, Failure> {
        let path = self.path()?;
        let stored = Identity::stored(&path)?;
        let passphrase = passphrase.existing(&path)?;
        stored.open(&path, &passphrase)
    }

    /// Who I am, as the file says without its passphrase.
    pub fn primary(&self) -> Result<PublicKey, Failure> {
        Identity::stored(&self.path()?)?.primary()
    }
}

impl IdentityArgs {
    /// The identity file.
    pub fn path(&self) -> Result<PathBuf, Failure> {
        self.file.path()
    }

    /// What was seen of sigchains before.
    pub fn memory(&self) -> Result<Memory, Failure> {
        self.file.memory()
    }

    /// Opens the identity, asking for its passphrase.
    pub fn open(&self) -> Result<Identity, Failure> {
        self.file.open(&self.passphrase)
    }
}

/// Who I am.
#[derive(Debug)]
pub struct Identity {
    pub key: SecretKey,
    /// None when it was restored from its seed.
    pub phrase: Option<Phrase>,
    /// The identity that this key is a device of, when it is none itself.
    pub device_of: Option<PublicKey>,
}

impl Identity {
    /// The identity that a phrase holds.
    pub fn of_phrase(phrase: Phrase) -> Self {
        Self { key: phrase.secret_key(), phrase: Some(phrase), device_of: None }
    }

    /// The identity of a bare seed.
    pub fn of_seed(seed: &Zeroizing<[u8; 32]>) -> Self {
        Self { key: SecretKey::from_seed(**seed), phrase: None, device_of: None }
    }

    /// A device of `primary`, with a new key.
    pub fn new_device(primary: PublicKey) -> Self {
        let seed = Zeroizing::new(kez_service::random::bytes());
        Self { device_of: Some(primary), ..Self::of_seed(&seed) }
    }

    /// Who speaks with this key.
    pub fn speaker(&self) -> Speaker {
        match self.device_of {
            Some(primary) => Speaker::device(&self.key, primary),
            None => Speaker::from(&self.key),
        }
    }

    /// The identity itself, for what none of its devices can do.
    pub fn itself(&self, what: &str) -> Result<&SecretKey, Failure> {
        match self.device_of {
            None => Ok(&self.key),
            Some(primary) => Err(Failure::new(
                Exit::Identity,
                "is_a_device",
                format!("this file holds a device of {}, and a device cannot {what}", primary.identifier()),
            )
            .advise("name the file of the identity itself with --identity")),
        }
    }

    /// Reads the file without opening it.
    pub fn stored(path: &Path) -> Result<Stored, Failure> {
        let text = private_file::read(path, LONGEST).map_err(|error| unreadable(path, &error))?;
        let vault = vault::Vault::parse(&text).map_err(|fault| broken(path, &fault.to_string()))?;
        Ok(Stored(vault))
    }

    /// Encrypts the identity into a file that only its owner may read. An identity that is there already stays, unless
    /// it is to be `replaced`.
    pub fn save(&self, path: &Path, passphrase: &Passphrase, replaced: bool) -> Result<(), Failure> {
        let vault = vault::Vault::seal(self, passphrase).map_err(|fault| {
            Failure::new(Exit::Failed, "failed", format!("the identity cannot be encrypted: {fault}"))
        })?;
        private_file::write(path, vault.to_text()?.as_bytes(), replaced)
            .map_err(|error| unwritable(path, &error))
    }
}

/// An identity file that was read but not opened.
#[derive(Debug)]
pub struct Stored(vault::Vault);

impl Stored {
    /// Whose key the file says it holds; proven only by opening it.
    pub fn key(&self) -> Result<PublicKey, Failure> {
        self.0.key().map_err(|_| unnamed())
    }

    /// The identity that the file says its key is a device of.
    pub fn device_of(&self) -> Result<Option<PublicKey>, Failure> {
        self.0.device_of().map_err(|_| unnamed())
    }

    /// Who the file says speaks with its key.
    pub fn primary(&self) -> Result<PublicKey, Failure> {
        Ok(self.device_of()?.unwrap_or(self.key()?))
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

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    if error.kind() == ErrorKind::NotFound {
        let message = format!("there is no identity at {}", path.display());
        return Failure::new(Exit::Identity, "no_identity", message).advise(
            "kez identity new makes one, kez identity restore brings one back, --identity names another file",
        );
    }
    Failure::new(Exit::Failed, "failed", format!("cannot read {}: {error}", path.display()))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    if error.kind() == ErrorKind::AlreadyExists {
        let message = format!("there is an identity at {} already", path.display());
        return Failure::new(Exit::Identity, "identity_exists", message)
            .advise("keep it, name another file with --identity, or replace it for good with --force");
    }
    Failure::new(Exit::Failed, "failed", format!("cannot write {}: {error}", path.display()))
}

fn unnamed() -> Failure {
    Failure::new(Exit::Identity, "broken_identity", "the file names no key")
}

fn broken(path: &Path, why: &str) -> Failure {
    Failure::new(
        Exit::Identity,
        "broken_identity",
        format!("{} is not an identity file: {why}", path.display()),
    )
    .advise("kez identity restore makes it anew from the recovery phrase")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Identity::stored(&folder.path().join("identity.json")).unwrap_err();
        assert_eq!((missing.exit, missing.code), (Exit::Identity, "no_identity"));
        assert!(missing.advice.unwrap().contains("identity new"));
    }

    #[test]
    fn an_identity_is_not_overwritten_by_accident() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity.json");
        let identity = Identity::of_seed(&Zeroizing::new([3; 32]));
        let passphrase = Passphrase::from("correct horse".to_owned());
        identity.save(&path, &passphrase, false).unwrap();
        let refused = identity.save(&path, &passphrase, false).unwrap_err();
        assert_eq!((refused.exit, refused.code), (Exit::Identity, "identity_exists"));
    }
}
