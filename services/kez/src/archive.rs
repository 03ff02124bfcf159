//! Archives that the web client exports: one account's messages and drafts, encrypted under a passphrase.
//!
//! ```text
//! kez-archive-1
//! {"cipher":"aes-256-gcm","kdf":{…},"nonce":"<base64url, 12 bytes>"}
//! <ciphertext, its 16-byte tag at the end>
//! ```
//! The two lines, line ends included, are authenticated. Inside is JSONL: an `archive` line, `message` and `draft` lines, and
//! an `end` line that counts the messages, so that a file which was cut shows.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::BASE64URL_NOPAD;
use kez_crypto::json;
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

const MAGIC: &[u8] = b"kez-archive-1\n";
const KIND: &[u8] = b"kez-archive-";
const LONGEST_HEADER: usize = 4096;

/// What files may ask for, so that none can take the machine's memory or its time.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;
const MOST_ARGON2_PASSES: u32 = 16;
const MOST_PBKDF2_PASSES: u32 = 10_000_000;
const MOST_LANES: u32 = 16;

/// Why an archive does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("it is not an archive, or a part of it is missing")]
    Malformed,
    #[error("it was made in a way that is not known here; a newer kez may read it")]
    UnsupportedVersion,
    #[error("wrong passphrase (or the file was changed)")]
    WrongPassphrase,
}

/// What an archive holds, line by line as the web client wrote it.
#[derive(Debug)]
pub struct Archive {
    /// Whose messages they are: `primary`, `handle`, `server`, `created_at`.
    pub owner: Value,
    /// `message` lines, each chat's oldest first, and `draft` lines. Lines of other types were passed over.
    pub lines: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    cipher: String,
    kdf: Kdf,
    nonce: String,
}

#[derive(Deserialize)]
#[serde(tag = "name", deny_unknown_fields)]
enum Kdf {
    #[serde(rename = "argon2id")]
    Argon2id { passes: u32, memory_kib: u32, lanes: u32, salt: String },
    /// Where a browser cannot run the other.
    #[serde(rename = "pbkdf2-sha256")]
    Pbkdf2 { passes: u32, salt: String },
}

/// Opens an archive.
pub fn open(file: &[u8], passphrase: &str) -> Result<Archive, Fault> {
    if !file.starts_with(MAGIC) {
        return Err(if file.starts_with(KIND) { Fault::UnsupportedVersion } else { Fault::Malformed });
    }
    let rest = &file[MAGIC.len()..];
    let length = rest.iter().take(LONGEST_HEADER).position(|byte| *byte == b'\n').ok_or(Fault::Malformed)?;
    let header = json::parse(&rest[..length]).map_err(|_| Fault::Malformed)?;
    let header: Header = serde_json::from_value(header).map_err(|_| Fault::UnsupportedVersion)?;
    if header.cipher != "aes-256-gcm" {
        return Err(Fault::UnsupportedVersion);
    }
    let nonce: [u8; 12] = decode(&header.nonce)?.try_into().map_err(|_| Fault::Malformed)?;
    let (readable, sealed) = file.split_at(MAGIC.len() + length + 1);
    let cipher = Aes256Gcm::new(&(*header.kdf.key(passphrase)?).into());
    let payload = Payload { msg: sealed, aad: readable };
    let plaintext = cipher.decrypt(&nonce.into(), payload).map_err(|_| Fault::WrongPassphrase)?;
    read(&Zeroizing::new(plaintext))
}

impl Kdf {
    fn key(&self, passphrase: &str) -> Result<Zeroizing<[u8; 32]>, Fault> {
        // As people type it on any keyboard.
        let passphrase = Zeroizing::new(passphrase.nfkc().collect::<String>());
        let mut key = Zeroizing::new([0; 32]);
        match self {
            Self::Argon2id { passes, memory_kib, lanes, salt } => {
                if *passes > MOST_ARGON2_PASSES || *memory_kib > MOST_MEMORY_KIB || *lanes > MOST_LANES {
                    return Err(Fault::UnsupportedVersion);
                }
                let params = Params::new(*memory_kib, *passes, *lanes, None).map_err(|_| Fault::Malformed)?;
                Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                    .hash_password_into(passphrase.as_bytes(), &decode(salt)?, key.as_mut_slice())
                    .map_err(|_| Fault::Malformed)?;
            }
            Self::Pbkdf2 { passes, salt } => {
                if !(1..=MOST_PBKDF2_PASSES).contains(passes) {
                    return Err(Fault::UnsupportedVersion);
                }
                pbkdf2::pbkdf2_hmac::<Sha256>(
                    passphrase.as_bytes(),
                    &decode(salt)?,
                    *passes,
                    key.as_mut_slice(),
                );
            }
        }
        Ok(key)
    }
}

fn read(plaintext: &[u8]) -> Result<Archive, Fault> {
    let text = std::str::from_utf8(plaintext).map_err(|_| Fault::Malformed)?;
    let mut lines = text
        .trim_end()
        .split('\n')
        .map(|line| json::parse(line.as_bytes()).map_err(|_| Fault::Malformed))
        .collect::<Result<Vec<_>, _>>()?;
    let (end, owner) =
        (lines.pop().ok_or(Fault::Malformed)?, lines.first().cloned().ok_or(Fault::Malformed)?);
    if owner["type"] != "archive" || end["type"] != "end" {
        return Err(Fault::Malformed);
    }
    if owner["version"] != 1 {
        return Err(Fault::UnsupportedVersion);
    }
    lines.retain(|line| line["type"] == "message" || line["type"] == "draft");
    let messages = lines.iter().filter(|line| line["type"] == "message").count();
    if end["messages"].as_u64() != Some(messages as u64) {
        return Err(Fault::Malformed);
    }
    Ok(Archive { owner, lines })
}

fn decode(text: &str) -> Result<Vec<u8>, Fault> {
    BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| Fault::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: &str =
        r#"{"name":"argon2id","passes":1,"memory_kib":64,"lanes":1,"salt":"AAAAAAAAAAAAAAAAAAAAAA"}"#;
    const PBKDF2: &str = r#"{"name":"pbkdf2-sha256","passes":2,"salt":"AAAAAAAAAAAAAAAAAAAAAA"}"#;
    const LINES: &str = concat!(
        r#"{"type":"archive","version":1,"primary":"ed25519:aa","handle":"alice","server":"kez.test","created_at":"2026-11-20T00:00:00Z"}"#,
        "\n",
        r#"{"type":"message","id":"00","peer":"ed25519:bb","mine":true,"sent_at":"2026-11-20T00:00:00Z","text":"hi","status":"read"}"#,
        "\n",
        r#"{"type":"later","x":1}"#,
        "\n",
        r#"{"type":"draft","peer":"ed25519:bb","text":"and"}"#,
        "\n",
        r#"{"type":"end","messages":1}"#,
        "\n",
    );

    /// As the web client seals one.
    fn sealed(kdf: &str, passphrase: &str, lines: &str) -> Vec<u8> {
        let head = format!(
            "kez-archive-1\n{{\"cipher\":\"aes-256-gcm\",\"kdf\":{kdf},\"nonce\":\"AAAAAAAAAAAAAAAA\"}}\n"
        );
        let key = serde_json::from_str::<Kdf>(kdf).unwrap().key(passphrase).unwrap();
        let payload = Payload { msg: lines.as_bytes(), aad: head.as_bytes() };
        let sealed = Aes256Gcm::new(&(*key).into()).encrypt(&[0; 12].into(), payload).unwrap();
        [head.as_bytes(), &sealed].concat()
    }

    #[test]
    fn an_archive_opens_under_its_passphrase_alone() {
        for kdf in [CHEAP, PBKDF2] {
            let file = sealed(kdf, "caf\u{e9} au lait", LINES);
            // The same letters, typed on another keyboard.
            let archive = open(&file, "cafe\u{301} au lait").unwrap();
            assert_eq!(archive.owner["handle"], "alice");
            let types: Vec<_> = archive.lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
            assert_eq!(types, ["message", "draft"]);
            assert_eq!(open(&file, "cafe au lait").unwrap_err(), Fault::WrongPassphrase);
        }
    }

    #[test]
    fn a_changed_or_cut_file_is_noticed() {
        let file = sealed(CHEAP, "pass", LINES);
        for place in (0..file.len()).step_by(7) {
            let mut changed = file.clone();
            changed[place] ^= 1;
            assert!(open(&changed, "pass").is_err(), "{place}");
            assert!(open(&file[..place], "pass").is_err(), "{place}");
        }
        let lines: Vec<&str> = LINES.lines().collect();
        for cut in [&lines[..4], &lines[1..], &lines[2..], &[]] {
            assert_eq!(open(&sealed(CHEAP, "pass", &cut.join("\n")), "pass").unwrap_err(), Fault::Malformed);
        }
    }

    #[test]
    fn nothing_asks_for_too_much() {
        for kdf in [
            CHEAP.replace("\"memory_kib\":64", "\"memory_kib\":4000000000"),
            CHEAP.replace("\"passes\":1", "\"passes\":4000000000"),
            PBKDF2.replace("\"passes\":2", "\"passes\":4000000000"),
            PBKDF2.replace("pbkdf2-sha256", "md5"),
        ] {
            let file = format!(
                "kez-archive-1\n{{\"cipher\":\"aes-256-gcm\",\"kdf\":{kdf},\"nonce\":\"AAAAAAAAAAAAAAAA\"}}\nxxxxxxxxxxxxxxxxxxxx"
            );
            assert_eq!(open(file.as_bytes(), "pass").unwrap_err(), Fault::UnsupportedVersion, "{kdf}");
        }
        assert_eq!(open(b"kez-archive-2\n{}\n", "pass").unwrap_err(), Fault::UnsupportedVersion);
        assert_eq!(open(b"hello", "pass").unwrap_err(), Fault::Malformed);
    }
}
