//! Marked words that must not turn up where they have no business, in whatever form they may hide.

use std::path::Path;
use std::{fs, io};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use kez_crypto::PublicKey;
use kez_service::random;

/// Words to look for, each with what it is.
#[derive(Default)]
pub struct Marks(Vec<(String, String)>);

/// A word that stands nowhere by chance, and that is a handle too.
pub fn marked(what: &str) -> String {
    format!("{what}-{:016x}", u64::from_le_bytes(random::bytes()))
}

impl Marks {
    /// A word as it is, in hex and in base64.
    pub fn word(mut self, what: &str, word: &str) -> Self {
        self.bytes(what, word.as_bytes());
        self
    }

    /// A key in every notation there is.
    pub fn key(mut self, whose: &str, key: &PublicKey) -> Self {
        self.bytes(&format!("{whose}'s key"), key.as_bytes());
        self.0.push((format!("{whose}'s nkey"), latin(key.nkey().as_bytes())));
        self
    }

    /// What of it stands in these bytes.
    pub fn found_in(&self, bytes: &[u8]) -> Vec<&str> {
        let text = latin(bytes);
        self.0.iter().filter(|(_, word)| text.contains(word)).map(|(what, _)| what.as_str()).collect()
    }

    fn bytes(&mut self, what: &str, bytes: &[u8]) {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let forms = [latin(bytes), hex.to_uppercase(), hex];
        self.0.extend(forms.map(|form| (what.to_owned(), form)));
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            // Three, since where the word begins in a longer text decides how its bits are cut.
            for before in 0..3 {
                let encoded = engine.encode([&vec![0; before], bytes].concat());
                let whole = (before * 8).div_ceil(6)..(before + bytes.len()) * 8 / 6;
                self.0.push((format!("{what} in base64"), encoded[whole].to_owned()));
            }
        }
    }
}

/// Everything that lies in a folder and the folders in it, one file after the other. What goes away meanwhile is passed over:
/// a broker that runs writes beside a file, and puts that in its place.
pub fn all_files(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in still_there(fs::read_dir(folder)).into_iter().flatten() {
        let Some(path) = still_there(entry).map(|entry| entry.path()) else { continue };
        let found = if path.is_dir() { Some(all_files(&path)) } else { still_there(fs::read(&path)) };
        bytes.extend(found.unwrap_or_default());
    }
    bytes
}

fn still_there<T>(found: io::Result<T>) -> Option<T> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        found => Some(found.unwrap()),
    }
}

/// Copies a folder with all that is in it into another one.
pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

/// A character a byte, so that text search finds bytes.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_in_every_form() {
        let key = PublicKey::from_bytes([0xd7; 32]);
        let marks = Marks::default().word("text", "between us").key("alice", &key);
        for before in ["", "x", "xy", "xyz"] {
            let text = format!("{before}between us, and nobody else");
            for form in [text.clone(), STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                assert!(!marks.found_in(form.as_bytes()).is_empty(), "{form}");
            }
        }
        for form in [key.to_hex(), key.identifier().to_uppercase(), key.nkey()] {
            assert!(!marks.found_in(form.as_bytes()).is_empty(), "{form}");
        }
        assert!(!marks.found_in(&[&[1, 2], &key.as_bytes()[..], &[3]].concat()).is_empty());
        assert_eq!(marks.found_in(b"between you and me"), Vec::<&str>::new());
    }
}
