//! The keys of a mesh: one nkey seed a file, made at the first start, readable by their owner only.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use kez_service::random;
use nkeys::{KeyPair, KeyPairType, XKey};

/// Users of the broker, each with its own key; the variables of nats/accounts.conf are named after them.
pub const USERS: [&str; 8] =
    ["sys", "auth-callout", "registry", "inbox", "sigchain", "push", "gateway", "operator"];
const ISSUER: &str = "issuer";
const XKEY: &str = "auth-xkey";

/// A folder of seed files.
#[derive(Debug, Clone)]
pub struct Keys {
    folder: PathBuf,
    /// Variable and public key, as nats/accounts.conf reads them.
    environment: Vec<(String, String)>,
}

impl Keys {
    /// Reads the keys in `folder`, and makes those that are missing.
    pub fn open(folder: &Path) -> Result<Self> {
        private_folder(folder)?;
        let mut environment = Vec::new();
        for user in USERS {
            let public = open_or_make(folder, user, user_seed, user_public)?;
            environment.push((format!("KEZ_NKEY_{}", user.replace('-', "_").to_uppercase()), public));
        }
        let issuer = open_or_make(folder, ISSUER, account_seed, account_public)?;
        environment.push(("KEZ_NKEY_ISSUER".to_owned(), issuer));
        let xkey = open_or_make(folder, XKEY, curve_seed, curve_public)?;
        environment.push(("KEZ_XKEY_AUTH_CALLOUT".to_owned(), xkey));
        Ok(Self { folder: folder.to_owned(), environment })
    }

    /// The public keys, under the names that nats/accounts.conf reads.
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// The file with the seed of one of [`USERS`].
    pub fn seed_file(&self, user: &str) -> PathBuf {
        seed_file(&self.folder, user)
    }

    /// The file with the seed of the account key that signs people in.
    pub fn issuer_file(&self) -> PathBuf {
        seed_file(&self.folder, ISSUER)
    }

    /// The file with the key that pushes are signed with, which the push service makes.
    pub fn vapid_file(&self) -> PathBuf {
        self.folder.join("vapid.pem")
    }

    /// The file with the seed of the key that sign-in requests are sealed to.
    pub fn xkey_file(&self) -> PathBuf {
        seed_file(&self.folder, XKEY)
    }
}

/// Makes a folder, and the folders above it, for their owner only.
pub fn private_folder(folder: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// Writes a file that only its owner may read.
pub fn private_file(path: &Path, content: &str) -> Result<()> {
    write_private(path, content.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}

fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn open_or_make(
    folder: &Path,
    name: &str,
    make: fn() -> Result<String>,
    public: fn(&str) -> Result<String>,
) -> Result<String> {
    let path = seed_file(folder, name);
    if !path.exists() {
        publish(&path, &format!("{}\n", make()?))?;
    }
    let seed = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    public(seed.trim()).with_context(|| {
        format!(
            "{} does not hold the seed of {name}: restore the file, or remove the folder to start afresh",
            path.display()
        )
    })
}

/// Makes a file that is there whole or not at all. If another process made it first, that one stays.
fn publish(path: &Path, content: &str) -> Result<()> {
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    private_file(&draft, content)?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(error).with_context(|| format!("cannot write {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn seed_file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.nk"))
}

fn user_seed() -> Result<String> {
    pair_seed(KeyPairType::User)
}

fn account_seed() -> Result<String> {
    pair_seed(KeyPairType::Account)
}

fn pair_seed(kind: KeyPairType) -> Result<String> {
    let pair = KeyPair::new_from_raw(kind, random::bytes()).map_err(|error| anyhow!("{error}"))?;
    pair.seed().map_err(|error| anyhow!("{error}"))
}

fn user_public(seed: &str) -> Result<String> {
    pair_public(seed, 'U')
}

fn account_public(seed: &str) -> Result<String> {
    pair_public(seed, 'A')
}

fn pair_public(seed: &str, kind: char) -> Result<String> {
    let public = KeyPair::from_seed(seed).map_err(|error| anyhow!("{error}"))?.public_key();
    ensure!(public.starts_with(kind), "it is a key of another kind");
    Ok(public)
}

fn curve_seed() -> Result<String> {
    XKey::new_from_raw(random::bytes()).seed().map_err(|error| anyhow!("{error}"))
}

fn curve_public(seed: &str) -> Result<String> {
    Ok(XKey::from_seed(seed).map_err(|error| anyhow!("{error}"))?.public_key())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn keys_are_made_once_and_are_private() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(&folder.path().join("keys")).unwrap();
        assert_eq!(keys.environment().len(), USERS.len() + 2);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&keys.seed_file("inbox")), 0o600);
        assert_eq!(mode(&folder.path().join("keys")), 0o700);
        let again = Keys::open(&folder.path().join("keys")).unwrap();
        assert_eq!(again.environment(), keys.environment());
    }

    #[test]
    fn a_broken_key_says_which_file() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(folder.path()).unwrap();
        fs::write(keys.seed_file("inbox"), "nonsense").unwrap();
        let error = format!("{:#}", Keys::open(folder.path()).unwrap_err());
        assert!(error.contains("inbox.nk"), "{error}");
    }
}
