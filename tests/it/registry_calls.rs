//! What the registry answers to whom: refusals by code, services that resolve, followers of its feed.

use futures_util::{FutureExt, StreamExt};
use kez_contract::event::{REGISTRY_FEED, RegistryFact};
use kez_contract::registry::{
    AVAILABLE, ByHandle, MAX_REGISTRATION, PUT_PROFILE, PUT_PROOFS, PutProfile, PutProofs, REGISTER, RESOLVE,
    Record, Register, Registered, Resolve, SignedPut, WEB_LOOKUP, WEB_PUT_PROFILE, WEB_PUT_PROOFS,
    WEB_REGISTER,
};
use kez_contract::{Code, Document, Endpoint, Problem, WebClient};
use kez_crypto::{Handle, Profile, Registration, SecretKey, Signed, Tag, Timestamp, request_auth};
use kez_service::{ask, random};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tests::Mesh;
use tests::mesh::SERVER;

type Nats = async_nats::Client;

fn somebody() -> SecretKey {
    SecretKey::from_seed(random::bytes())
}

fn document(text: impl Into<Vec<u8>>) -> Document {
    RawValue::from_string(String::from_utf8(text.into()).unwrap()).unwrap()
}

/// A registration at this server, signed now.
fn registration(handle: &str, key: &SecretKey, now: i64) -> Document {
    let handle = Handle::parse(handle).unwrap();
    document(Registration::create(&handle, SERVER, Timestamp::from_unix(now), key))
}

/// One with whatever payload, signed all the same.
fn signed(handle: &str, server: &str, created_at: i64, key: &SecretKey) -> String {
    let created_at = Timestamp::from_unix(created_at).to_string();
    let members = [("handle", handle), ("server", server), ("created_at", &created_at)];
    let payload: Map<String, Value> =
        members.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect();
    String::from_utf8(Signed::create(Tag::HandleRegistration, payload, key).to_json()).unwrap()
}

async fn register(web: &Nats, envelope: Document) -> Result<Registered, Problem> {
    ask(web, WEB_REGISTER, &Register { envelope }).await
}

async fn look_up(web: &Nats, handle: &str) -> Result<Record, Problem> {
    ask(web, WEB_LOOKUP, &ByHandle { handle: handle.to_owned() }).await
}

fn code<T>(result: Result<T, Problem>) -> Option<Code> {
    result.err().map(|problem| problem.code)
}

#[tokio::test]
async fn nobody_registers_or_describes_somebody_else() {
    let mesh = Mesh::start().await;
    let (mallory, alice) = (mesh.person("mallory").await, somebody());
    let envelope = registration("alice", &alice, mesh.clock.now());
    assert_eq!(code(mallory.client.call(&REGISTER, &Register { envelope }).await), Some(Code::KeyMismatch));
    let now = Timestamp::from_unix(mesh.clock.now());
    let envelope = document(Profile::create(Some("Mallory"), None, None, now, &alice).unwrap());
    assert_eq!(
        code(mallory.client.call(&PUT_PROFILE, &PutProfile { envelope }).await),
        Some(Code::KeyMismatch)
    );
}

#[tokio::test]
async fn a_handle_is_available_or_has_its_reason() {
    let mesh = Mesh::start().await;
    let _alice = mesh.person("alice").await;
    let asker = mesh.stranger().await;
    for (handle, reason) in [
        ("bob", None),
        ("bob@kez.test", None),
        ("alice", Some(Code::HandleTaken)),
        ("alice@kez.test", Some(Code::HandleTaken)),
        ("admin", Some(Code::ReservedHandle)),
        ("Bob", Some(Code::InvalidHandle)),
        ("bo", Some(Code::InvalidHandle)),
    ] {
        let answer = asker.client.call(&AVAILABLE, &ByHandle { handle: handle.to_owned() }).await.unwrap();
        assert_eq!((answer.available, answer.reason), (reason.is_none(), reason), "{handle}");
    }
    let elsewhere = ByHandle { handle: "bob@other.example".to_owned() };
    assert_eq!(code(asker.client.call(&AVAILABLE, &elsewhere).await), Some(Code::NotFound));
}

#[tokio::test]
async fn a_fact_is_announced_before_its_reply() {
    let mesh = Mesh::start().await;
    let alice = mesh.person("alice").await;
    let primary = alice.secret.public();
    // One connection carries both, in the order in which they were sent.
    let mut feed = alice.client.nats().subscribe(REGISTRY_FEED.subject(&primary.to_hex())).await.unwrap();
    let now = Timestamp::from_unix(mesh.clock.now());
    let envelope = document(Profile::create(Some("Alice"), None, None, now, &alice.secret).unwrap());
    for announced in [true, false] {
        alice.client.call(&PUT_PROFILE, &PutProfile { envelope: envelope.clone() }).await.unwrap();
        let fact = feed.next().now_or_never().flatten();
        assert_eq!(fact.is_some(), announced, "what stood already is no news");
        let Some(fact) = fact else { continue };
        let Ok(RegistryFact::Profile { updated_at }) = serde_json::from_slice(&fact.payload) else {
            panic!("{fact:?}")
        };
        assert_eq!(updated_at, now.to_string());
    }

    let mut feed = alice.client.nats().subscribe(REGISTRY_FEED.pattern()).await.unwrap();
    alice.client.nats().flush().await.unwrap();
    let bob = mesh.person("bob").await;
    let fact = feed.next().await.unwrap();
    assert_eq!(REGISTRY_FEED.owner(&fact.subject), Some(bob.secret.public().to_hex().as_str()));
    let Ok(RegistryFact::Registered { record, envelope }) = serde_json::from_slice(&fact.payload) else {
        panic!("{fact:?}")
    };
    let signed =
        Registration::check(envelope.get().as_bytes(), SERVER, Timestamp::from_unix(mesh.clock.now()));
    assert_eq!((record.handle.as_str(), signed.unwrap().primary), ("bob", bob.secret.public()));
}

#[tokio::test]
async fn what_is_wrong_with_a_registration_is_said_by_code() {
    let mesh = Mesh::broker().await;
    // Whether a handle has moved is for sigchains to say.
    let _services = (mesh.another_registry().await, mesh.another_sigchain().await);
    let web = mesh.user("gateway").await;
    let (key, now) = (somebody(), mesh.clock.now());
    let good = signed("alice", SERVER, now, &key);
    let padded = format!("{}{}", good, " ".repeat(MAX_REGISTRATION));
    let profile = Profile::create(None, None, None, Timestamp::from_unix(now), &key).unwrap();
    for (envelope, expected) in [
        (r#"{"kez":"handle_registration"}"#.to_owned(), Code::Malformed),
        (good.replace(r#""handle":"alice""#, r#""handle":"alice","handle":"bob""#), Code::Malformed),
        (good.replace(r#""version":1"#, r#""version":1.0"#), Code::Malformed),
        (format!("[{padded}]"), Code::TooLarge),
        (String::from_utf8(profile).unwrap(), Code::WrongEnvelope),
        (good.replace(r#""version":1"#, r#""version":2"#), Code::UnsupportedVersion),
        (good.replace(r#""primary":"ed25519:"#, r#""primary":"nostr:"#), Code::UnsupportedKey),
        (good.replacen(&key.public().to_hex(), &somebody().public().to_hex(), 1), Code::KeyMismatch),
        (good.replace("alice", "alicf"), Code::BadSignature),
        (signed("alice", SERVER, now - 301, &key), Code::StaleTimestamp),
        (signed("alice", SERVER, now + 360, &key), Code::StaleTimestamp),
        (signed("alice", "other.example", now, &key), Code::WrongServer),
        (signed("Alice", SERVER, now, &key), Code::InvalidHandle),
        (signed("admin", SERVER, now, &key), Code::ReservedHandle),
    ] {
        assert_eq!(code(register(&web, document(envelope.clone())).await), Some(expected), "{envelope}");
    }
    assert_eq!(code(look_up(&web, "alice").await), Some(Code::NotFound), "nothing half done");

    register(&web, document(good)).await.unwrap();
    assert_eq!(code(register(&web, registration("alice", &somebody(), now)).await), Some(Code::HandleTaken));
    assert_eq!(code(register(&web, registration("bob", &key, now)).await), Some(Code::PrimaryTaken));
}

#[tokio::test]
async fn other_services_resolve_handles_and_keys() {
    let mesh = Mesh::broker().await;
    let _registry = mesh.another_registry().await;
    let (web, inbox) = (mesh.user("gateway").await, mesh.user("inbox").await);
    let key = somebody();
    register(&web, registration("alice", &key, mesh.clock.now())).await.unwrap();
    let (hex, identifier) = (key.public().to_hex(), key.public().identifier());
    // Twice: read, and remembered.
    for who in ["alice", "alice@kez.test", &hex, &identifier, "alice", &hex] {
        let resolved = ask(&inbox, RESOLVE, &Resolve { who: who.to_owned() }).await.unwrap();
        assert_eq!((resolved.handle.as_str(), &resolved.primary), ("alice", &hex), "{who}");
    }
    for (who, expected) in [
        ("bob", Code::NotFound),
        ("alice@other.example", Code::NotFound),
        ("", Code::NotFound),
        ("ed25519:00", Code::Malformed),
        ("nostr:npub1qqq", Code::UnsupportedKey),
    ] {
        let resolved = ask(&inbox, RESOLVE, &Resolve { who: who.to_owned() }).await;
        assert_eq!(code(resolved), Some(expected), "{who}");
    }
}

#[tokio::test]
async fn nobody_puts_all_day() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let call = PutProofs { subjects: vec![] };
    let mut refused = None;
    for _ in 0..=24 {
        refused = alice.client.call(&PUT_PROOFS, &call).await.err();
        if refused.is_some() {
            break;
        }
    }
    let refused = refused.expect("a limit");
    assert_eq!((refused.code, refused.limit_per_minute), (Code::RateLimited, Some(12)));
    bob.client.call(&PUT_PROOFS, &call).await.expect("the limit is each person's own");
}

#[tokio::test]
async fn a_put_over_http_is_signed_for_what_it_puts() {
    let mesh = Mesh::start().await;
    let alice = mesh.person("alice").await;
    let (web, now) = (mesh.user("gateway").await, mesh.clock.now());
    let updated_at = Timestamp::from_unix(now);
    let profile =
        String::from_utf8(Profile::create(None, None, None, updated_at, &alice.secret).unwrap()).unwrap();
    let proofs = r#"{"subjects":["github:a"]}"#;
    refuses_other_signatures(&web, WEB_PUT_PROFILE, request_auth::profile, &profile, &alice.secret, now)
        .await;
    refuses_other_signatures(&web, WEB_PUT_PROOFS, request_auth::proofs, proofs, &alice.secret, now).await;
    let record = ask(&web, WEB_LOOKUP, &ByHandle { handle: "alice".to_owned() }).await.unwrap();
    assert_eq!(record.proofs, Vec::<String>::new(), "nothing half done");

    // Signed a while ago, though not too long.
    let now = mesh.clock.now();
    let put = signed_put(request_auth::profile, &profile, &alice.secret, now - 50);
    assert_eq!(ask(&web, WEB_PUT_PROFILE, &put).await.unwrap().envelope.get(), profile);
    let put = signed_put(request_auth::proofs, proofs, &alice.secret, now - 50);
    assert_eq!(ask(&web, WEB_PUT_PROOFS, &put).await.unwrap().proofs, ["github:a"]);
}

/// A PUT of `body` at alice's, signed by `key` at `now`.
fn signed_put(request: fn(&Handle, &str) -> String, body: &str, key: &SecretKey, now: i64) -> SignedPut {
    let hash: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    let text = request(&Handle::parse("alice").unwrap(), &hash);
    let auth = request_auth::sign(&text, Timestamp::from_unix(now), key);
    SignedPut { handle: "alice".to_owned(), auth, body: body.to_owned() }
}

async fn refuses_other_signatures<Reply: serde::de::DeserializeOwned>(
    web: &async_nats::Client,
    endpoint: Endpoint<WebClient, SignedPut, Reply>,
    request: fn(&Handle, &str) -> String,
    body: &str,
    key: &SecretKey,
    now: i64,
) {
    let good = || signed_put(request, body, key, now);
    let by_another = signed_put(request, body, &SecretKey::from_seed(random::bytes()), now);
    for (put, expected) in [
        (SignedPut { auth: String::new(), ..good() }, Code::Unauthorized),
        (SignedPut { auth: "garbage".to_owned(), ..good() }, Code::Malformed),
        (SignedPut { auth: format!("{now}:00"), ..good() }, Code::Malformed),
        (by_another, Code::BadSignature),
        (SignedPut { body: body.replace("\":", "\": "), ..good() }, Code::BadSignature),
        (signed_put(|_, hash| format!("PUT\n/v1/profile/bob\n{hash}"), body, key, now), Code::BadSignature),
        (signed_put(request, body, key, now - 62), Code::StaleTimestamp),
        (signed_put(request, body, key, now + 70), Code::StaleTimestamp),
        (SignedPut { handle: "nobody-here".to_owned(), ..good() }, Code::NotFound),
        (SignedPut { handle: "alice@kez.test".to_owned(), ..good() }, Code::NotFound),
    ] {
        let shown = format!("{} {}", put.handle, put.auth);
        assert_eq!(code(ask(web, endpoint, &put).await), Some(expected), "{shown}");
    }
}
