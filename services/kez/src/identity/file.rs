//! The identity file on disk: private, written whole or not at all, never overwritten by accident.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;

use crate::failure::{Exit, Failure};

/// No identity file is longer.
const LONGEST: u64 = 64 * 1024;

/// Reads a file, whoever may read it.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut text));
    match read {
        Ok(_) => Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let message = format!("there is no identity at {}", path.display());
            Err(Failure::new(Exit::Identity, "no_identity", message)
                .advise("kez identity new makes one, kez identity restore brings one back, --identity names another file"))
        }
        Err(error) => Err(failed("read", path, &error)),
    }
}

/// Writes a file with mode 0600, in a folder that is made with mode 0700: first beside its place, flushed, then put
/// there in one step.
pub(super) fn write(path: &Path, content: &[u8], replaced: bool) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| failed("make the folder of", path, &error))?;
    let beside = beside(path, folder);
    let written = write_new(&beside, content).and_then(|()| {
        if replaced {
            return fs::rename(&beside, path);
        }
        // A link, unlike a rename, does not replace what is there, not even what came there this very moment.
        fs::hard_link(&beside, path)
    });
    // Gone already after a rename.
    drop(fs::remove_file(&beside));
    match written {
        Ok(()) => File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| failed("flush", path, &error)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let message = format!("there is an identity at {} already", path.display());
            Err(Failure::new(Exit::Identity, "identity_exists", message)
                .advise("keep it, name another file with --identity, or replace it for good with --force"))
        }
        Err(error) => Err(failed("write", path, &error)),
    }
}

/// Whether others than the owner may read the file.
pub fn is_open_to_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

fn beside(path: &Path, folder: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    folder.join(format!(".{name}.{}", HEXLOWER.encode(&kez_service::random::bytes::<8>())))
}

fn write_new(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Failed, "failed", format!("cannot {what} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_is_private_and_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kez").join("identity.json");
        write(&path, b"first", false).unwrap();
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert!(!is_open_to_others(&path));

        let refused = write(&path, b"second", false).unwrap_err();
        assert_eq!((refused.exit, refused.code), (Exit::Identity, "identity_exists"));
        assert_eq!(read(&path).unwrap(), b"first");

        write(&path, b"second", true).unwrap();
        assert_eq!(read(&path).unwrap(), b"second");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_not_there_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let missing = read(&folder.path().join("identity.json")).unwrap_err();
        assert_eq!((missing.exit, missing.code), (Exit::Identity, "no_identity"));
        assert!(missing.advice.unwrap().contains("identity new"));
    }

    #[test]
    fn only_so_much_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large");
        fs::write(&path, vec![b'a'; 200_000]).unwrap();
        assert_eq!(read(&path).unwrap().len() as u64, LONGEST);
    }
}
