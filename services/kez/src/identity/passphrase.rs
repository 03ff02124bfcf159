//! The passphrase of an identity file: from a variable, a file, or typed unseen.

use std::path::{Path, PathBuf};

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::failure::{Exit, Failure};

/// What a new passphrase must have at least.
const SHORTEST: usize = 8;

/// A passphrase; leaves memory when dropped and never prints.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Passphrase(String);

/// Where the passphrase comes from; it is asked for where neither is given.
#[derive(Clone, clap::Args)]
pub struct PassphraseArgs {
    #[arg(
        long,
        value_name = "FILE",
        help = "File whose first line is the passphrase [default: asked for, unless KEZ_PASSPHRASE holds it]"
    )]
    passphrase_file: Option<PathBuf>,

    // A variable only: everybody on the machine sees flags.
    #[arg(long, env = "KEZ_PASSPHRASE", hide = true, hide_env_values = true)]
    passphrase: Option<Passphrase>,
}

impl PassphraseArgs {
    /// The passphrase of a file that exists.
    pub fn existing(&self, path: &Path) -> Result<Passphrase, Failure> {
        match self.given()? {
            Some(passphrase) => Ok(passphrase),
            None => ask(&format!("Passphrase for {}: ", path.display())),
        }
    }

    /// A passphrase for a new file: typed twice, and of some length.
    pub fn chosen(&self) -> Result<Passphrase, Failure> {
        let chosen = match self.given()? {
            Some(passphrase) => passphrase,
            None => {
                let first = ask("Choose a passphrase for this identity: ")?;
                if first != ask("Once more: ")? {
                    return Err(Failure::usage("the two passphrases differ").advise("try again"));
                }
                first
            }
        };
        if chosen.0.chars().count() < SHORTEST {
            return Err(Failure::usage(format!("the passphrase has fewer than {SHORTEST} characters"))
                .advise("four or five random words are easy to keep and hard to guess"));
        }
        Ok(chosen)
    }

    /// Whether opening a file needs nobody at a keyboard.
    pub fn is_given(&self) -> bool {
        self.passphrase_file.is_some() || self.passphrase.is_some()
    }

    fn given(&self) -> Result<Option<Passphrase>, Failure> {
        let Some(path) = &self.passphrase_file else {
            return Ok(self.passphrase.clone());
        };
        let text = std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| {
            Failure::new(Exit::Failed, "failed", format!("cannot read {}: {error}", path.display()))
        })?;
        Ok(Some(Passphrase(text.lines().next().unwrap_or_default().to_owned())))
    }
}

impl Passphrase {
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Passphrase {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl PartialEq for Passphrase {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

impl std::fmt::Debug for PassphraseArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PassphraseArgs")
            .field("passphrase_file", &self.passphrase_file)
            .finish_non_exhaustive()
    }
}

fn ask(prompt: &str) -> Result<Passphrase, Failure> {
    rpassword::prompt_password(prompt).map(Passphrase).map_err(|_| {
        Failure::new(Exit::Identity, "no_passphrase", "there is no terminal to ask for the passphrase on")
            .advise("set KEZ_PASSPHRASE, or name a file with --passphrase-file")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(passphrase: &str) -> PassphraseArgs {
        PassphraseArgs { passphrase_file: None, passphrase: Some(Passphrase::from(passphrase.to_owned())) }
    }

    #[test]
    fn a_new_passphrase_has_some_length() {
        assert_eq!(given("short").chosen().unwrap_err().exit, Exit::Usage);
        assert_eq!(given("long enough").chosen().unwrap().as_bytes(), b"long enough");
    }

    #[test]
    fn a_file_gives_its_first_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        std::fs::write(&path, "correct horse\r\nbattery\n").unwrap();
        let args = PassphraseArgs {
            passphrase_file: Some(path),
            passphrase: Some(Passphrase::from("another".to_owned())),
        };
        assert_eq!(args.existing(Path::new("x")).unwrap().as_bytes(), b"correct horse");
    }

    #[test]
    fn no_passphrase_prints() {
        assert!(!format!("{:?}", given("correct horse")).contains("correct"));
        assert!(!format!("{:?}", Passphrase::from("correct".to_owned())).contains("correct"));
    }
}
