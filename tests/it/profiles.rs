//! What people say about themselves, put and read over NATS and over HTTP: the latest stands, as it was signed.

use kez_contract::event::{REGISTRY_FEED, RegistryFact};
use kez_contract::registry::{ByHandle, PROFILE, PUT_PROFILE, PUT_PROOFS, PutProfile, PutProofs, Record};
use kez_contract::{Code, Document, Problem};
use kez_crypto::{Handle, Profile, Signed, Tag, Timestamp, request_auth};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tests::web::Answer;
use tests::{Guest, Mesh, Person, Tap, Web};

const PATH: &str = "/v1/profile/alice";
const LIMIT: usize = 64 * 1024;

fn profile(person: &Person, name: &str, updated_at: i64) -> String {
    let updated_at = Timestamp::from_unix(updated_at);
    String::from_utf8(Profile::create(Some(name), None, None, updated_at, &person.secret).unwrap()).unwrap()
}

/// A profile of exactly so many bytes.
fn profile_of(person: &Person, bytes: usize, updated_at: i64) -> String {
    let sized = |padding: usize| {
        let members = json!({ "updated_at": Timestamp::from_unix(updated_at).to_string(), "padding": "x".repeat(padding) });
        let members: Map<String, Value> = serde_json::from_value(members).unwrap();
        String::from_utf8(Signed::create(Tag::Profile, members, &person.secret).to_json()).unwrap()
    };
    let envelope = sized(bytes - sized(0).len());
    assert_eq!(envelope.len(), bytes);
    envelope
}

async fn put_over_nats(person: &Person, envelope: &str) -> Result<String, Problem> {
    let envelope: Document = RawValue::from_string(envelope.to_owned()).unwrap();
    Ok(person.client.call(&PUT_PROFILE, &PutProfile { envelope }).await?.envelope.get().to_owned())
}

/// A PUT whose header this person signs, for what `request` says it is.
async fn put_over_http(
    web: &Web,
    person: &Person,
    request: fn(&Handle, &str) -> String,
    path: &str,
    body: &str,
) -> Answer {
    let hash: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    let auth = person.auth(&request(&Handle::parse("alice").unwrap(), &hash));
    web.put_signed(path, &auth, body.to_owned()).await
}

/// What stands, as everyone sees it.
async fn stands(reader: &Person, web: &Web) -> String {
    let over_nats = reader.client.call(&PROFILE, &ByHandle { handle: "alice".to_owned() }).await.unwrap();
    let over_http = web.get(PATH).await;
    assert_eq!((over_http.status, over_http.body.as_str()), (200, over_nats.envelope.get()));
    over_http.body
}

#[tokio::test]
async fn the_latest_profile_stands_whichever_way_it_came() {
    let mesh = Mesh::start().await;
    let (alice, bob, web) = (mesh.person("alice").await, mesh.person("bob").await, mesh.web());
    let now = mesh.clock.now();
    let put = async |body: &str| put_over_http(&web, &alice, request_auth::profile, PATH, body).await;
    let mut feed = Tap::on(Guest::person(&mesh, &bob).await, &[&REGISTRY_FEED.subject(&alice.hex())]).await;

    let first = profile(&alice, "Alice over NATS", now - 10);
    assert_eq!(put_over_nats(&alice, &first).await.as_ref(), Ok(&first));
    assert_eq!(stands(&bob, &web).await, first);

    let second = profile(&alice, "Alice over HTTP", now - 5);
    assert_eq!(put(&second).await.read::<Value>(200), serde_json::from_str::<Value>(&second).unwrap());
    assert_eq!(stands(&bob, &web).await, second);

    // The older one, and another one of the same second; then the very same, which is no news.
    for older in [&first, &profile(&alice, "Alice, the same second", now - 5)] {
        assert_eq!(put_over_nats(&alice, older).await.unwrap_err().code, Code::Outdated);
        put(older).await.refused(409, "outdated");
    }
    assert_eq!(put(&second).await.status, 200);
    assert_eq!(put_over_nats(&alice, &second).await.as_ref(), Ok(&second));
    assert_eq!(stands(&bob, &web).await, second);

    let announced: Vec<String> = feed
        .heard()
        .await
        .iter()
        .map(|fact| match serde_json::from_slice(&fact.payload) {
            Ok(RegistryFact::Profile { updated_at }) => updated_at,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(announced, [now - 10, now - 5].map(|at| Timestamp::from_unix(at).to_string()));
}

#[tokio::test]
async fn a_profile_may_have_64_kib_and_no_byte_more() {
    let mesh = Mesh::start().await;
    let (alice, bob, web) = (mesh.person("alice").await, mesh.person("bob").await, mesh.web());
    let now = mesh.clock.now();
    let put = async |body: &str| put_over_http(&web, &alice, request_auth::profile, PATH, body).await;

    let over_http = profile_of(&alice, LIMIT, now - 10);
    assert_eq!(put(&over_http).await.status, 200);
    let over_nats = profile_of(&alice, LIMIT, now - 5);
    put_over_nats(&alice, &over_nats).await.unwrap();

    let larger = profile_of(&alice, LIMIT + 1, now);
    put(&larger).await.refused(413, "too_large");
    assert_eq!(put_over_nats(&alice, &larger).await.unwrap_err().code, Code::TooLarge);
    assert!(stands(&bob, &web).await == over_nats, "what was refused left no trace");
}

#[tokio::test]
async fn nobody_speaks_for_somebody_else() {
    let mesh = Mesh::start().await;
    let (alice, mallory, web) = (mesh.person("alice").await, mesh.person("mallory").await, mesh.web());
    let now = mesh.clock.now();
    let (hers, forged) = (profile(&alice, "Alice", now), profile(&mallory, "Alice is a fool", now));

    // Mallory signs the request, the envelope, or both.
    let put =
        async |who: &Person, body: &str| put_over_http(&web, who, request_auth::profile, PATH, body).await;
    put(&mallory, &hers).await.refused(401, "bad_signature");
    put(&mallory, &forged).await.refused(401, "bad_signature");
    put(&alice, &forged).await.refused(401, "key_mismatch");
    put(&alice, &hers.replace("Alice", "A fool")).await.refused(401, "bad_signature");
    assert_eq!(put_over_nats(&mallory, &hers).await.unwrap_err().code, Code::KeyMismatch);
    // A signature for another route, and none.
    put_over_http(&web, &alice, request_auth::proofs, PATH, &hers).await.refused(401, "bad_signature");
    let unsigned = web.request(reqwest::Method::PUT, PATH).body(hers.clone());
    tests::web::answer(unsigned).await.refused(401, "unauthorized");
    web.get(PATH).await.refused(404, "not_found");

    put(&alice, &hers).await.read::<Value>(200);
    assert_eq!(stands(&mallory, &web).await, hers);
}

#[tokio::test]
async fn proofs_are_64_at_most_and_no_old_list_comes_back() {
    let mesh = Mesh::start().await;
    let (alice, web) = (mesh.person("alice").await, mesh.web());
    let path = "/v1/profile/alice/proofs";
    let put = async |body: &str| put_over_http(&web, &alice, request_auth::proofs, path, body).await;
    let many: Vec<String> = (0..65).map(|n| format!("github:account-{n}")).collect();
    let listed = async || web.get("/v1/u/alice").await.read::<Record>(200).proofs;

    assert_eq!(
        put(&json!({ "subjects": many[..64] }).to_string()).await.read::<Record>(200).proofs,
        many[..64]
    );
    assert_eq!(listed().await, many[..64]);
    put(&json!({ "subjects": many }).to_string()).await.refused(413, "too_large");
    let call = PutProofs { subjects: many.clone() };
    assert_eq!(alice.client.call(&PUT_PROOFS, &call).await.unwrap_err().code, Code::TooLarge);
    for body in
        ["", "[]", "{}", r#"{"subjects":["github:a","github:a"]}"#, r#"{"subjects":["no identifier"]}"#]
    {
        put(body).await.refused(400, "malformed");
    }
    assert_eq!(listed().await, many[..64]);

    let call = PutProofs { subjects: vec!["dns:kez.lat".to_owned()] };
    assert_eq!(alice.client.call(&PUT_PROOFS, &call).await.unwrap().proofs, ["dns:kez.lat"]);
    assert_eq!(listed().await, ["dns:kez.lat"]);
    assert_eq!(put(r#"{"subjects":[]}"#).await.read::<Record>(200).proofs, Vec::<String>::new());
}
