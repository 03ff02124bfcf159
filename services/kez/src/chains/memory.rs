//! Readers who remember heads notice: the last event seen of each chain, kept beside the identity file.
//!
//! A server can withhold the newest events of a chain, or show another history to others, and every event that it shows
//! still verifies. Who remembers how far a chain had come, and by which event, finds it out.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kez_contract::sigchain::Head;
use kez_crypto::{Primary, json};
use serde::{Deserialize, Serialize};

use super::{ChainFault, Verified};
use crate::private_file;

const VERSION: u32 = 1;

/// No file of heads is longer: 80,000 chains.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The last event seen of each chain. Clones remember the same.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    heads: BTreeMap<Primary, Head>,
    file: Option<PathBuf>,
}

/// The file's content.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    v: u32,
    heads: BTreeMap<Primary, Seen>,
}

/// A head as the file has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    seq: u64,
    head: String,
}

impl Memory {
    /// What a file remembers; it is made when there is something to remember.
    pub fn in_file(path: &Path) -> Result<Self, ChainFault> {
        let held = Held { heads: read(path)?, file: Some(path.to_owned()) };
        Ok(Self { held: Arc::new(Mutex::new(held)) })
    }

    /// The last event seen of somebody's chain.
    pub fn last(&self, primary: &Primary) -> Option<Head> {
        self.held().heads.get(primary).cloned()
    }

    /// Refuses a chain that does not go on from what was seen of it, and remembers one that does.
    pub fn check(&self, chain: &Verified) -> Result<(), ChainFault> {
        let primary = chain.primary();
        let mut held = self.held();
        if let Some(remembered) = held.heads.get(&primary) {
            compare(&primary, remembered, chain.heads())?;
        }
        match chain.head() {
            Some(head) if held.heads.get(&primary) != Some(&head) => held.remember(chain, head),
            _ => Ok(()),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a chain whose events have these hashes, by their numbers, goes on from the event that was seen last.
pub fn compare(primary: &Primary, seen: &Head, heads: &[String]) -> Result<(), ChainFault> {
    let there = usize::try_from(seen.seq).ok().and_then(|seq| heads.get(seq));
    match there {
        None => {
            let length = heads.len() as u64;
            Err(ChainFault::RolledBack { primary: *primary, length, remembered: seen.seq })
        }
        Some(head) if *head != seen.head => Err(ChainFault::Forked { primary: *primary, seq: seen.seq }),
        Some(_) => Ok(()),
    }
}

impl Held {
    fn remember(&mut self, chain: &Verified, head: Head) -> Result<(), ChainFault> {
        if let Some(path) = &self.file {
            write(path, chain, &head)?;
        }
        self.heads.insert(chain.primary(), head);
        Ok(())
    }
}

/// Adds a head to what the file has by now: another command may have written since it was read.
fn write(path: &Path, chain: &Verified, head: &Head) -> Result<(), ChainFault> {
    let unwritable = |error| ChainFault::Memory(format!("cannot write {}: {error}", path.display()));
    let folder = private_file::folder(path);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    let folder = made.and_then(|()| File::open(folder)).map_err(unwritable)?;
    // Let go when the folder is closed.
    folder.lock().map_err(unwritable)?;
    let mut heads = read(path)?;
    let primary = chain.primary();
    match heads.get(&primary) {
        Some(there) if there.seq > head.seq => return Ok(()),
        Some(there) => compare(&primary, there, chain.heads())?,
        None => {}
    }
    heads.insert(primary, head.clone());
    let heads =
        heads.into_iter().map(|(primary, Head { seq, head })| (primary, Seen { seq, head })).collect();
    let text = serde_json::to_vec_pretty(&Content { v: VERSION, heads });
    let text = text.map_err(|error| unwritable(error.into()))?;
    private_file::write(path, &text, true).map_err(unwritable)
}

fn read(path: &Path) -> Result<BTreeMap<Primary, Head>, ChainFault> {
    let text = match private_file::read(path, LONGEST + 1) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(ChainFault::Memory(format!("cannot read {}: {error}", path.display()))),
    };
    parse(&text).ok_or_else(|| {
        let path = path.display();
        ChainFault::Memory(format!(
            "{path} should hold the last event seen of each chain, and cannot be read"
        ))
    })
}

fn parse(text: &[u8]) -> Option<BTreeMap<Primary, Head>> {
    if text.len() as u64 > LONGEST {
        return None;
    }
    let content: Content = serde_json::from_value(json::parse(text).ok()?).ok()?;
    let is_hash = |head: &str| {
        let hex = head.strip_prefix("sha256:").unwrap_or_default();
        hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let sound = content.v == VERSION && content.heads.values().all(|seen| is_hash(&seen.head));
    let heads = content.heads.into_iter().map(|(primary, Seen { seq, head })| (primary, Head { seq, head }));
    sound.then(|| heads.collect())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, add, alice, claiming};
    use super::*;

    fn head(seq: u64, head: &str) -> Head {
        Head { seq, head: head.to_owned() }
    }

    #[test]
    fn a_chain_goes_on_from_what_was_seen_or_is_refused() {
        let primary = Primary::from(alice().public());
        let heads = ["a", "b", "c"].map(str::to_owned);
        for seen in [head(0, "a"), head(1, "b"), head(2, "c")] {
            assert_eq!(compare(&primary, &seen, &heads), Ok(()));
        }
        let rolled_back = |length, remembered| Err(ChainFault::RolledBack { primary, length, remembered });
        assert_eq!(compare(&primary, &head(3, "d"), &heads), rolled_back(3, 3));
        assert_eq!(compare(&primary, &head(u64::MAX, "d"), &heads), rolled_back(3, u64::MAX));
        assert_eq!(compare(&primary, &head(0, "a"), &[]), rolled_back(0, 0));
        for seen in [head(0, "b"), head(1, "a"), head(2, "d")] {
            let forked = Err(ChainFault::Forked { primary, seq: seen.seq });
            assert_eq!(compare(&primary, &seen, &heads), forked);
        }
    }

    #[test]
    fn only_a_chain_that_goes_on_is_remembered() {
        let memory = Memory::default();
        let primary = Primary::from(alice().public());
        memory.check(&Verified::new(primary)).unwrap();
        assert_eq!(memory.last(&primary), None);

        let (two, three) = (claiming(&["a", "b"]), claiming(&["a", "b", "c"]));
        memory.check(&three).unwrap();
        assert_eq!(memory.check(&two).unwrap_err().code(), "rolled_back");
        let mut other = two.clone();
        let event = other.sign_next(&add("github:eve"), NOW, &alice()).unwrap();
        other.append(event).unwrap();
        assert_eq!(memory.check(&other).unwrap_err().code(), "forked");
        assert_eq!(memory.last(&primary), three.head());
    }

    #[test]
    fn a_file_remembers_for_the_next_command_and_for_those_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kez").join("heads.json");
        let (first, beside) = (Memory::in_file(&path).unwrap(), Memory::in_file(&path).unwrap());
        first.check(&claiming(&["a", "b"])).unwrap();
        // Whoever read the file before writes what it has seen, and takes nothing back.
        beside.check(&claiming(&["a"])).unwrap();
        let primary = Primary::from(alice().public());
        let later = Memory::in_file(&path).unwrap();
        assert_eq!(later.last(&primary), claiming(&["a", "b"]).head());
        assert_eq!(later.check(&claiming(&["a"])).unwrap_err().code(), "rolled_back");
        assert!(!private_file::is_open_to_others(&path));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_forgotten_about() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heads.json");
        let good =
            format!(r#"{{"v":1,"heads":{{"ed25519:{0}":{{"seq":1,"head":"sha256:{0}"}}}}}}"#, "a".repeat(64));
        std::fs::write(&path, &good).unwrap();
        assert!(Memory::in_file(&path).is_ok());
        for bad in [
            String::new(),
            "{}".to_owned(),
            good.replace(r#""v":1"#, r#""v":2"#),
            good.replace("ed25519:", "ed25519:0"),
            good.replace("sha256:", "sha512:"),
            good.replace(r#""seq":1"#, r#""seq":-1"#),
            good.replace(r#""seq":1"#, r#""seq":1,"seq":1"#),
            good.replace(r#""seq":1"#, r#""seq":1,"more":1"#),
            format!("{good}{good}"),
        ] {
            std::fs::write(&path, &bad).unwrap();
            assert_eq!(Memory::in_file(&path).unwrap_err().code(), "broken_memory", "{bad}");
        }
    }
}
