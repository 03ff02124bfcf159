//! The registry's decisions, without its store.

use std::collections::HashSet;

use data_encoding::HEXLOWER;
use kez_contract::Code;
use kez_contract::registry::{MAX_PROOFS, PutProofs};
use kez_crypto::{Handle, Identifier, PublicKey, json};
use kez_service::Fault;
use sha2::{Digest, Sha256};

use crate::store::Person;

/// The handle in `alice` or `alice@server`. No handle that could not be registered has anybody behind it.
pub fn handle_here(text: &str, server: &str) -> Result<Handle, Fault> {
    Handle::parse(local_part(text, server)?).map_err(|_| nobody())
}

/// The same for somebody who would like to have it: the code that a registration would be refused with.
pub fn handle_to_register(text: &str, server: &str) -> Result<Result<Handle, Code>, Fault> {
    match Handle::parse(local_part(text, server)?) {
        Ok(handle) => Ok(Ok(handle)),
        Err(kez_crypto::Fault::ReservedHandle) => Ok(Err(Code::ReservedHandle)),
        Err(_) => Ok(Err(Code::InvalidHandle)),
    }
}

/// The key in `ed25519:<hex>` or in 64 hex digits; none where the text is to be read as a handle.
pub fn key_named(text: &str) -> Result<Option<PublicKey>, Fault> {
    if text.contains(':') {
        return PublicKey::parse(text).map(Some).map_err(refuse);
    }
    Ok(PublicKey::from_hex(text).ok())
}

/// What stands after a registration that stored nothing: the same person, or who is in the way.
pub fn standing(
    of_handle: Option<Person>,
    of_primary: Option<Person>,
    primary: &PublicKey,
) -> Result<Person, Fault> {
    match (of_handle, of_primary) {
        (Some(person), _) if person.primary == *primary => Ok(person),
        (Some(_), _) => Err(Fault::new(Code::HandleTaken, Code::HandleTaken.title())),
        (None, Some(_)) => Err(Fault::new(Code::PrimaryTaken, Code::PrimaryTaken.title())),
        (None, None) => Err(Fault::unavailable("the registration was neither stored nor refused; try again")),
    }
}

/// A document speaks for whoever hands it in, or it is somebody else's.
pub fn speaks_for(caller: &str, primary: &PublicKey) -> Result<(), Fault> {
    if primary.to_hex() == caller {
        return Ok(());
    }
    Err(Fault::new(Code::KeyMismatch, "the document speaks for another key than yours"))
}

/// A profile that is not newer than the stored one is fine when it is that very one.
pub fn same_profile(stored: &str, offered: &str) -> Result<(), Fault> {
    let canonical = |text: &str| json::parse(text.as_bytes()).map(|value| json::canonical(&value));
    if canonical(stored).map_err(refuse)? == canonical(offered).map_err(refuse)? {
        return Ok(());
    }
    Err(Fault::new(Code::Outdated, "the stored profile is as new as this one, or newer"))
}

/// Subjects as they are stored: identifiers, none of them twice.
pub fn subjects(texts: &[String]) -> Result<Vec<String>, Fault> {
    if texts.len() > MAX_PROOFS {
        return Err(Fault::new(
            Code::TooLarge,
            format!("a list of proofs holds at most {MAX_PROOFS} subjects"),
        ));
    }
    let mut seen = HashSet::new();
    let mut subjects = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let wrong = |what| Fault::malformed(format!("subject {} {what}", index + 1));
        let subject = Identifier::parse(text)
            .map_err(|_| wrong("is not an identifier of at most 512 bytes such as github:name"))?;
        if !seen.insert(subject.as_str().to_owned()) {
            return Err(wrong("stands there twice"));
        }
        subjects.push(subject.as_str().to_owned());
    }
    Ok(subjects)
}

/// The body of a PUT of proofs: `{"subjects": […]}`, strict JSON.
pub fn proofs_body(body: &str) -> Result<PutProofs, Fault> {
    let value = json::parse(body.as_bytes()).map_err(refuse)?;
    serde_json::from_value(value)
        .map_err(|_| Fault::malformed(r#"the body must be {"subjects":["system:name"]}"#))
}

/// Refuses texts that are longer than `limit` bytes.
pub fn at_most(limit: usize, text: &str) -> Result<(), Fault> {
    if text.len() <= limit {
        return Ok(());
    }
    Err(Fault::new(Code::TooLarge, format!("the document is larger than {limit} bytes")))
}

/// The hash that a request signature names its body by.
pub fn sha256_hex(body: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(body.as_bytes()))
}

/// Nobody is registered under that name or key.
pub fn nobody() -> Fault {
    Fault::new(Code::NotFound, "nobody is registered here under that name or key")
}

/// The key is no longer anybody's.
pub fn rotated() -> Fault {
    Fault::new(Code::KeyRotated, Code::KeyRotated.title())
}

/// A refusal under the same code, in the same words.
pub fn refuse(fault: kez_crypto::Fault) -> Fault {
    Fault::named(fault.code(), fault.to_string())
}

/// What stands before `@server`, or the whole text without an `@`.
fn local_part<'t>(text: &'t str, server: &str) -> Result<&'t str, Fault> {
    match text.split_once('@') {
        None => Ok(text),
        Some((handle, named)) if named == server => Ok(handle),
        Some(_) => Err(Fault::new(
            Code::NotFound,
            format!("this server knows the handles of {server} alone; ask the one that is named after the @"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use kez_crypto::{SecretKey, Timestamp};

    use super::*;

    fn code<T>(result: Result<T, Fault>) -> Option<Code> {
        result.err().map(|fault| fault.into_problem().code)
    }

    fn person(handle: &str, seed: u8) -> Person {
        let primary = SecretKey::from_seed([seed; 32]).public();
        Person {
            handle: handle.to_owned(),
            primary,
            registered_at: Timestamp::from_unix(0),
            proofs: Vec::new(),
        }
    }

    #[test]
    fn a_handle_is_read_with_its_server_or_without() {
        for text in ["alice", "alice@kez.lat"] {
            assert_eq!(handle_here(text, "kez.lat").unwrap().as_str(), "alice");
        }
        for text in
            ["alice@other.example", "alice@", "@kez.lat", "alice@kez.lat@kez.lat", "al", "Alice", "admin", ""]
        {
            assert_eq!(code(handle_here(text, "kez.lat")), Some(Code::NotFound), "{text}");
        }
        let Err(Fault::Refused(problem)) = handle_here("alice@other.example", "kez.lat") else { panic!() };
        assert!(
            problem.detail.contains("kez.lat") && !problem.detail.contains("alice"),
            "{}",
            problem.detail
        );
    }

    #[test]
    fn an_unavailable_handle_has_its_reason() {
        let reason = |text| handle_to_register(text, "kez.lat").unwrap().err();
        assert_eq!(reason("alice@kez.lat"), None);
        assert_eq!(reason("admin"), Some(Code::ReservedHandle));
        assert_eq!(reason("a"), Some(Code::InvalidHandle));
        assert_eq!(code(handle_to_register("alice@other.example", "kez.lat")), Some(Code::NotFound));
    }

    #[test]
    fn a_key_is_told_from_a_handle() {
        let key = SecretKey::from_seed([1; 32]).public();
        for text in [key.identifier(), key.to_hex()] {
            assert_eq!(key_named(&text).unwrap(), Some(key));
        }
        for text in ["alice", "alice@kez.lat", &key.to_hex()[1..], &key.to_hex().to_uppercase()] {
            assert_eq!(key_named(text).unwrap(), None, "{text}");
        }
        assert_eq!(code(key_named("ed25519:ab")), Some(Code::Malformed));
        assert_eq!(code(key_named("github:alice")), Some(Code::Malformed));
        assert_eq!(code(key_named("nostr:npub1qqq")), Some(Code::UnsupportedKey));
    }

    #[test]
    fn what_stands_decides_who_was_first() {
        let (alice, bob) = (person("alice", 1), person("bob", 2));
        let stands = |of_handle: Option<&Person>, of_primary: Option<&Person>| {
            standing(of_handle.cloned(), of_primary.cloned(), &alice.primary)
        };
        assert_eq!(stands(Some(&alice), Some(&alice)).unwrap(), alice);
        assert_eq!(code(stands(Some(&bob), None)), Some(Code::HandleTaken));
        assert_eq!(code(stands(Some(&bob), Some(&alice))), Some(Code::HandleTaken));
        assert_eq!(code(stands(None, Some(&alice))), Some(Code::PrimaryTaken));
        assert_eq!(code(stands(None, None)), Some(Code::Unavailable));
    }

    #[test]
    fn a_profile_is_the_same_however_it_is_written() {
        same_profile(r#"{"a":1,"b":"x"}"#, r#"{ "b": "x", "a": 1 }"#).unwrap();
        assert_eq!(code(same_profile(r#"{"a":1}"#, r#"{"a":2}"#)), Some(Code::Outdated));
    }

    #[test]
    fn subjects_are_identifiers_and_few() {
        let list =
            |texts: &[&str]| subjects(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(list(&["mastodon:a@b.example", "github:x"]).unwrap(), ["ap:a@b.example", "github:x"]);
        assert_eq!(list(&[]).unwrap(), Vec::<String>::new());
        let long = format!("github:{}", "x".repeat(512));
        for wrong in
            [&["x"][..], &["github:x y"], &[&long], &["github:x", "github:x"], &["ap:a@b", "mastodon:a@b"]]
        {
            assert_eq!(code(list(wrong)), Some(Code::Malformed), "{wrong:?}");
        }
        let many: Vec<String> = (0..=MAX_PROOFS).map(|number| format!("github:u{number}")).collect();
        assert_eq!(code(subjects(&many)), Some(Code::TooLarge));
        assert_eq!(subjects(&many[1..]).unwrap().len(), MAX_PROOFS);
    }

    #[test]
    fn the_body_of_proofs_is_strict() {
        assert_eq!(proofs_body(r#"{"subjects":["github:x"]}"#).unwrap().subjects, ["github:x"]);
        for body in [
            "",
            "[]",
            r#"{"subjects":[1]}"#,
            r#"{"subjects":[],"more":1}"#,
            r#"{"subjects":[],"subjects":[]}"#,
        ] {
            assert_eq!(code(proofs_body(body)), Some(Code::Malformed), "{body}");
        }
    }

    #[test]
    fn a_body_is_named_by_its_hash() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256_hex(""), empty);
    }
}
