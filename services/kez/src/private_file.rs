//! Files of this person's alone: private, written whole or not at all, never overwritten by accident.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;

/// Reads a file, whoever may read it, and not more than so many bytes of it.
pub(crate) fn read(path: &Path, longest: u64) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(longest).read_to_end(&mut content)?;
    Ok(content)
}

/// Writes a file with mode 0600, in a folder that is made with mode 0700: first beside its place, flushed, then put
/// there in one step. Unless what is there is to be `replaced`, it stays, and the error says that it exists.
pub(crate) fn write(path: &Path, content: &[u8], replaced: bool) -> std::io::Result<()> {
    let folder = folder(path);
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
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
    written?;
    File::open(folder)?.sync_all()
}

/// The folder that a file is in.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether others than the owner may read the file.
pub(crate) fn is_open_to_others(path: &Path) -> bool {
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
        assert_eq!(refused.kind(), std::io::ErrorKind::AlreadyExists);
        assert_eq!(read(&path, 100).unwrap(), b"first");

        write(&path, b"second", true).unwrap();
        assert_eq!(read(&path, 100).unwrap(), b"second");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn only_so_much_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large");
        fs::write(&path, vec![b'a'; 200_000]).unwrap();
        assert_eq!(read(&path, 65_536).unwrap().len(), 65_536);
    }
}
