//! The vectors that a third implementation made, and those of others, against this crate.

use std::fs;
use std::path::{Path, PathBuf};

use kez_crypto::conform;
use kez_crypto::json;

/// Runs one vector file and fails with every case that differs.
fn conforms(folder: &Path, file_name: &str) {
    let text = fs::read_to_string(folder.join(file_name)).unwrap_or_default();
    let report = conform::run(file_name, &text).unwrap_or_default();
    println!("{file_name}: {} passed, {} failed", report.passed, report.failed.len());
    assert!(report.failed.is_empty(), "{file_name}:\n{}", report.failed.join("\n"));
    assert!(report.passed > 0, "{file_name} has no cases");
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors")
}

/// The folder of vectors that others made, which is beside the checkout or nowhere.
fn third_party() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors/third-party");
    if !folder.is_dir() {
        println!("skipped: the folder of third-party vectors is not beside this checkout");
        return None;
    }
    Some(folder)
}

#[test]
fn identities() {
    conforms(&vectors(), "identities.json");
}

#[test]
fn mnemonics() {
    conforms(&vectors(), "mnemonics.json");
}

#[test]
fn strict_json() {
    conforms(&vectors(), "strict-json.json");
}

#[test]
fn claims() {
    conforms(&vectors(), "claims.json");
}

#[test]
fn registrations() {
    conforms(&vectors(), "registrations.json");
}

#[test]
fn request_auth() {
    conforms(&vectors(), "request-auth.json");
}

#[test]
fn sessions() {
    conforms(&vectors(), "sessions.json");
}

#[test]
fn sealed_messages() {
    conforms(&vectors(), "sealed-messages.json");
}

#[test]
fn bodies() {
    conforms(&vectors(), "bodies.json");
}

#[test]
fn sigchain() {
    conforms(&vectors(), "sigchain.json");
}

#[test]
fn identicons() {
    conforms(&vectors(), "identicons.json");
}

#[test]
fn keyed_shuffle() {
    conforms(&vectors(), "visual.json");
}

#[test]
fn pictures() {
    conforms(&vectors(), "pictures.json");
}

#[test]
fn strict_ed25519_of_others() {
    if let Some(folder) = third_party() {
        conforms(&folder, "ed25519-strict.json");
    }
}

#[test]
fn canonical_json_of_others() {
    let Some(folder) = third_party() else { return };
    let mut count = 0;
    for entry in fs::read_dir(folder.join("jcs/input")).unwrap() {
        let name = entry.unwrap().file_name();
        let input = fs::read(folder.join("jcs/input").join(&name)).unwrap();
        let output = fs::read(folder.join("jcs/output").join(&name)).unwrap();
        let value = serde_json::from_slice(&input).unwrap();
        assert_eq!(String::from_utf8(json::canonical(&value)), String::from_utf8(output), "{name:?}");
        count += 1;
    }
    println!("jcs: {count} files passed");
    assert!(count > 0);
}

#[test]
fn broken_files_are_failures() {
    for name in conform::FILES {
        for text in ["", "{", "[1]", "{}", "[{}]", "{\"cases\":[{\"name\":\"x\"}]}"] {
            let report = conform::run(name, text).unwrap();
            assert_eq!((report.passed, report.failed.len()), (0, 1), "{name} {text}");
        }
    }
    assert_eq!(conform::run("unknown.json", "[]"), None);
}
