//! What the gateway answers, word for word: the good cases, and every bad one with its status and its code.

use kez_contract::registry::Record;
use kez_contract::{Code, http};
use kez_crypto::{Handle, MessageId, Registration, Sealed, SecretKey, Signed, Tag, Timestamp, request_auth};
use kez_service::random;
use reqwest::Method;
use serde_json::{Map, Value, json};
use tests::mesh::SERVER;
use tests::web::answer;
use tests::{Guest, Mesh, Person, Tap, Web};

fn somebody() -> SecretKey {
    SecretKey::from_seed(random::bytes())
}

/// A registration with whatever stands in it, signed all the same.
fn registration(handle: &str, server: &str, created_at: i64, key: &SecretKey) -> String {
    let created_at = Timestamp::from_unix(created_at).to_string();
    let payload: Map<String, Value> =
        serde_json::from_value(json!({ "handle": handle, "server": server, "created_at": created_at }))
            .unwrap();
    String::from_utf8(Signed::create(Tag::HandleRegistration, payload, key).to_json()).unwrap()
}

fn sealed(from: &Person, to: &Person, text: &str) -> (MessageId, Sealed) {
    from.client.seal(&to.key(), text).unwrap()
}

/// A request to send, as it goes over the wire.
fn send(to: &str, sealed: &Sealed) -> String {
    format!(r#"{{"to":{},"envelope":{}}}"#, Value::from(to), String::from_utf8(sealed.canonical()).unwrap())
}

#[tokio::test]
async fn a_server_says_how_it_does() {
    let mesh = Mesh::start().await;
    let web = mesh.web();
    let health: Value = web.get("/v1/healthz").await.read(200);
    assert_eq!(health, json!({ "status": "ok", "server": SERVER, "version": env!("CARGO_PKG_VERSION") }));

    let ready: Value = web.get("/v1/readyz").await.read(200);
    for service in ["auth-callout", "inbox", "registry"] {
        assert_eq!(ready["services"][service].as_array().map(Vec::len), Some(1), "{service}: {ready}");
    }

    let config: Value = web.get("/v1/config").await.read(200);
    assert_eq!((&config["server"], &config["nats"]), (&json!(SERVER), &json!(["/v1/nats"])));
    assert!(config["vapid_public_key"].as_str().is_some_and(|key| key.len() == 87), "{config}");
    let limits =
        json!({ "envelope_bytes": 262_144, "page": 500, "retention_days": 30, "http_sends_per_minute": 60 });
    assert_eq!(config["limits"], limits);

    let document: Value = web.get("/v1/openapi.json").await.read(200);
    assert_eq!(document["openapi"], "3.1.0");
    for path in
        [http::REGISTER, http::MESSAGES, http::INBOX, http::INBOX_STREAM, http::WEBFINGER, http::PROFILE]
    {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    assert!(web.get("/").await.header("content-type").starts_with("text/html"));
}

#[tokio::test]
async fn a_registration_is_answered_with_its_record_each_time() {
    let mesh = Mesh::start().await;
    let (web, key, now) = (mesh.web(), somebody(), mesh.clock.now());
    let first: Record = web.post("/v1/register", registration("alice", SERVER, now, &key)).await.read(201);
    assert_eq!((first.handle.as_str(), &first.primary), ("alice", &key.public().identifier()));
    assert_eq!(web.get("/v1/u/alice").await.read::<Record>(200), first);
    // Word for word, and signed anew while the server's clock has gone on.
    let again = web.post("/v1/register", registration("alice", SERVER, now, &key)).await;
    assert_eq!(again.read::<Record>(200), first);
    mesh.clock.advance(100);
    let anew = web.post("/v1/register", registration("alice", SERVER, now + 100, &key)).await;
    assert_eq!(anew.read::<Record>(200), first);

    web.post("/v1/register", registration("alice", SERVER, now, &somebody()))
        .await
        .refused(409, "handle_taken");
    web.post("/v1/register", registration("alicia", SERVER, now, &key)).await.refused(409, "primary_taken");
    web.get("/v1/u/alicia").await.refused(404, "not_found");
}

#[tokio::test]
async fn a_registration_that_is_wrong_is_told_why_and_leaves_nothing() {
    let mesh = Mesh::start().await;
    let (web, watcher) = (mesh.web(), mesh.person("watcher").await);
    let mut feed = Tap::on(Guest::person(&mesh, &watcher).await, &["kez.feed.>"]).await;
    let (key, other, now) = (somebody(), somebody(), mesh.clock.now());
    let good = registration("alice", SERVER, now, &key);
    let with = |wrong: &str, right: &str| {
        assert!(good.contains(right), "{right}");
        good.replacen(right, wrong, 1)
    };
    let signature = good.split(r#""sig":""#).nth(1).unwrap()[..128].to_owned();
    let message = Signed::create(Tag::Message, Map::new(), &key).to_json();
    for (status, code, body) in [
        (400, "malformed", String::new()),
        (400, "malformed", "{".to_owned()),
        (400, "malformed", "{}".to_owned()),
        (400, "malformed", format!("{good}{good}")),
        (400, "malformed", format!("\u{feff}{good}")),
        (400, "malformed", with(r#""handle":"alice","handle":"alice""#, r#""handle":"alice""#)),
        (400, "malformed", with(r#""version":1.0"#, r#""version":1"#)),
        (400, "malformed", with(r#"{"more":1,"kez""#, r#"{"kez""#)),
        (400, "wrong_envelope", String::from_utf8(message).unwrap()),
        (400, "wrong_envelope", with(r#""kez":"claim""#, r#""kez":"handle_registration""#)),
        (400, "unsupported_version", with(r#""version":2"#, r#""version":1"#)),
        (400, "unsupported_key", with(r#""primary":"nostr:"#, r#""primary":"ed25519:"#)),
        (401, "key_mismatch", with(&other.public().to_hex(), &key.public().to_hex())),
        (401, "bad_signature", with(r#""handle":"alicf""#, r#""handle":"alice""#)),
        (401, "bad_signature", with(&signature.to_uppercase(), &signature)),
        (401, "bad_signature", with(&"0".repeat(128), &signature)),
        (400, "stale_timestamp", registration("alice", SERVER, now - 330, &key)),
        (400, "stale_timestamp", registration("alice", SERVER, now + 330, &key)),
        (400, "wrong_server", registration("alice", "other.example", now, &key)),
        (400, "wrong_server", registration("alice", "KEZ.test", now, &key)),
        (400, "invalid_handle", registration("al", SERVER, now, &key)),
        (400, "invalid_handle", registration("Alice", SERVER, now, &key)),
        (400, "invalid_handle", registration("-alice", SERVER, now, &key)),
        (400, "invalid_handle", registration(&"a".repeat(33), SERVER, now, &key)),
        (400, "reserved_handle", registration("admin", SERVER, now, &key)),
        (413, "too_large", format!("{good}{}", " ".repeat(8 * 1024))),
    ] {
        let refused = web.post("/v1/register", body).await;
        let detail = refused.refused(status, code)["detail"].to_string();
        assert!(!detail.contains("alice") && !detail.contains(&key.public().to_hex()), "{detail}");
    }
    web.get("/v1/u/alice").await.refused(404, "not_found");
    for key in [&key, &other] {
        web.get(&format!("/v1/by-primary/{}", key.public().identifier())).await.refused(404, "not_found");
    }
    assert_eq!(feed.heard().await.len(), 0, "nothing was announced");
    web.post("/v1/register", good).await.read::<Record>(201);
}

#[tokio::test]
async fn a_message_that_is_wrong_is_told_why_and_leaves_nothing() {
    let mesh = Mesh::with(&[("gateway", "--sends-per-minute=1000")]).await;
    let (web, alice, bob) = (mesh.web(), mesh.person("alice").await, mesh.person("bob").await);
    let (_, envelope) = sealed(&alice, &bob, "hello");
    let good = send("bob", &envelope);
    let text = String::from_utf8(envelope.canonical()).unwrap();
    let large = format!(r#"{{"ct":"{}","enc":"{}","v":2}}"#, "A".repeat(256 * 1024), "A".repeat(43));
    for (status, code, body) in [
        (400, "malformed", String::new()),
        (400, "malformed", "nonsense".to_owned()),
        (400, "malformed", r#"{"to":"bob"}"#.to_owned()),
        (400, "malformed", format!(r#"{{"envelope":{text}}}"#)),
        (400, "malformed", format!(r#"{{"to":["bob"],"envelope":{text}}}"#)),
        (400, "malformed", format!(r#"{{"to":"bob","to":"bob","envelope":{text}}}"#)),
        (400, "malformed", format!(r#"{{"to":"bob","envelope":{text},"from":"alice"}}"#)),
        (400, "malformed", format!("{good}{good}")),
        (400, "malformed", good.replace(r#""v":2"#, r#""v":2,"v":2"#)),
        (400, "malformed", good.replace(r#""v":2"#, r#""v":2.0"#)),
        (400, "malformed", good.replace(r#""v":2"#, r#""more":1,"v":2"#)),
        (400, "malformed", good.replace(r#""v":2"#, r#""v":"2""#)),
        (400, "malformed", good.replace(r#"","v":2"#, r#"=","v":2"#)),
        (400, "malformed", send("", &envelope)),
        (400, "malformed", send("ed25519:00", &envelope)),
        (400, "malformed", send(&"a".repeat(1000), &envelope)),
        (400, "unsupported_version", good.replace(r#""v":2"#, r#""v":3"#)),
        (400, "unsupported_key", send("nostr:npub1qqq", &envelope)),
        (404, "unknown_recipient", send("nobody", &envelope)),
        (404, "unknown_recipient", send("Bob", &envelope)),
        (404, "unknown_recipient", send("bob@other.example", &envelope)),
        (404, "unknown_recipient", send(&somebody().public().identifier(), &envelope)),
        (413, "too_large", format!(r#"{{"to":"bob","envelope":{large}}}"#)),
        (413, "too_large", format!("{good}{}", " ".repeat(300 * 1024))),
    ] {
        web.post("/v1/messages", body).await.refused(status, code);
    }
    assert_eq!(bob.texts().await, [], "nothing was stored");

    // Whoever the recipient is called by, it is one envelope, stored once.
    let sent: Value = web.post("/v1/messages", good).await.read(202);
    assert_eq!(sent["id"], envelope.transport_id());
    for to in ["bob@kez.test", &bob.key().identifier()] {
        assert_eq!(web.post("/v1/messages", send(to, &envelope)).await.read::<Value>(202), sent, "{to}");
    }
    assert_eq!(bob.texts().await, [(alice.key(), "hello".to_owned())]);
}

#[tokio::test]
async fn a_mailbox_is_read_by_its_owner_alone() {
    let mesh = Mesh::start().await;
    let (web, alice, bob) = (mesh.web(), mesh.person("alice").await, mesh.person("bob").await);
    let seq = alice.send(&bob, "for bob").await;
    let (bobs, alices) = (bob.name(), alice.name());
    let signed = |person: &Person, text: &str, at: i64| {
        request_auth::sign(text, Timestamp::from_unix(mesh.clock.now() + at), &person.secret)
    };
    let page = request_auth::inbox(&bobs, 0);
    let good = signed(&bob, &page, 0);
    for (status, code, path, auth) in [
        (400, "malformed", "/v1/inbox/bob", "garbage".to_owned()),
        (400, "malformed", "/v1/inbox/bob", good.to_uppercase()),
        (400, "malformed", "/v1/inbox/bob", format!("0{good}")),
        (400, "malformed", "/v1/inbox/bob?limit=0", good.clone()),
        (400, "malformed", "/v1/inbox/bob?limit=501", good.clone()),
        (400, "malformed", "/v1/inbox/bob?since=x", good.clone()),
        (400, "malformed", "/v1/inbox/bob?sinse=0", good.clone()),
        (400, "stale_timestamp", "/v1/inbox/bob", signed(&bob, &page, -90)),
        (400, "stale_timestamp", "/v1/inbox/bob", signed(&bob, &page, 90)),
        // Signed by another, for another mailbox, for another page, and for the stream.
        (401, "bad_signature", "/v1/inbox/bob", signed(&alice, &page, 0)),
        (401, "bad_signature", "/v1/inbox/bob", signed(&bob, &request_auth::inbox(&alices, 0), 0)),
        (401, "bad_signature", "/v1/inbox/bob?since=1", good.clone()),
        (401, "bad_signature", "/v1/inbox/bob", signed(&bob, &request_auth::stream(&bobs), 0)),
        (401, "bad_signature", "/v1/inbox/alice", good.clone()),
        (404, "not_found", "/v1/inbox/carol", good.clone()),
        (404, "not_found", "/v1/inbox/nobody", good.clone()),
        (404, "not_found", "/v1/inbox/Bob", good.clone()),
        (404, "not_found", "/v1/inbox/bob@kez.test", good.clone()),
    ] {
        web.get_signed(path, &auth).await.refused(status, code);
    }
    web.get("/v1/inbox/bob").await.refused(401, "unauthorized");
    web.get("/v1/inbox/bob/stream").await.refused(401, "unauthorized");
    // A signature for a page opens no stream.
    web.get(&format!("/v1/inbox/bob/stream?auth={good}")).await.refused(401, "bad_signature");

    let mail: Value = web.get_signed("/v1/inbox/bob", &good).await.read(200);
    assert_eq!((&mail["next"], &mail["more"]), (&json!(seq), &json!(false)));
    assert_eq!(mail["messages"][0]["seq"], seq);
    let members: Vec<&String> = mail["messages"][0].as_object().unwrap().keys().collect();
    assert_eq!(members, ["envelope", "received_at", "seq"]);
}

#[tokio::test]
async fn routes_and_methods_that_are_not_there_are_problems_too() {
    let mesh = Mesh::start().await;
    let web = mesh.web();
    for path in
        ["/v1", "/v1/nonsense", "/v1/u", "/v1/inbox", "/.well-known/nonsense", "/errors/nonsense", "/metrics"]
    {
        web.get(path).await.refused(404, "not_found");
    }
    for (method, path) in [
        (Method::GET, "/v1/register"),
        (Method::PUT, "/v1/messages"),
        (Method::DELETE, "/v1/u/alice"),
        (Method::POST, "/.well-known/webfinger"),
        (Method::POST, "/v1/healthz"),
    ] {
        let refused = answer(web.request(method.clone(), path)).await;
        refused.refused(405, "method_not_allowed");
        assert!(!refused.header("allow").is_empty(), "{method} {path}");
    }
    for code in Code::ALL {
        assert_eq!(web.get(&format!("/errors/{}", code.as_str())).await.status, 200);
    }
}

/// What a client does while a service is away: it is told for how long to wait, and what it did counts for nothing.
async fn unavailable(web: &Web, path: &str, body: String) {
    let refused = web.post(path, body).await;
    refused.refused(503, "unavailable");
    assert_eq!(refused.header("retry-after"), "1");
}

#[tokio::test]
async fn a_service_that_is_away_is_unavailable_and_then_back() {
    let mut mesh = Mesh::start().await;
    let (web, alice, bob) = (mesh.web(), mesh.person("alice").await, mesh.person("bob").await);
    let message = send("bob", &sealed(&alice, &bob, "hello").1);
    mesh.inbox.take().unwrap().stop().await.unwrap();
    unavailable(&web, "/v1/messages", message.clone()).await;
    let auth = bob.auth(&request_auth::inbox(&bob.name(), 0));
    web.get_signed("/v1/inbox/bob", &auth).await.refused(503, "unavailable");
    let missing = web.get("/v1/readyz").await.refused(503, "unavailable");
    assert!(missing["detail"].as_str().unwrap().contains("inbox"), "{missing}");
    // The others do their work, and the gateway is well.
    web.get("/v1/u/bob").await.read::<Record>(200);
    web.get("/v1/healthz").await.read::<Value>(200);

    mesh.inbox = Some(mesh.another_inbox().await);
    assert_eq!(bob.texts().await, [], "what was refused was not stored");
    web.post("/v1/messages", message).await.read::<Value>(202);
    assert_eq!(bob.texts().await, [(alice.key(), "hello".to_owned())]);

    mesh.registry.take().unwrap().stop().await.unwrap();
    let envelope = Registration::create(&Handle::parse("carol").unwrap(), SERVER, now(&mesh), &somebody());
    let envelope = String::from_utf8(envelope).unwrap();
    unavailable(&web, "/v1/register", envelope.clone()).await;
    web.get("/v1/u/bob").await.refused(503, "unavailable");
    mesh.registry = Some(mesh.another_registry().await);
    web.get("/v1/u/carol").await.refused(404, "not_found");
    web.post("/v1/register", envelope).await.read::<Record>(201);
}

fn now(mesh: &Mesh) -> Timestamp {
    Timestamp::from_unix(mesh.clock.now())
}
