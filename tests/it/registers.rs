//! Somebody registers and is found: over NATS and over HTTP, by handle, address and key, and by programs that know WebFinger.

use std::collections::BTreeSet;

use kez_contract::registry::{BY_PRIMARY, ByHandle, ByPrimary, LOOKUP, Record, ResourceDescriptor};
use kez_crypto::{SecretKey, Timestamp};
use kez_service::random;
use serde_json::{Value, json};
use tests::mesh::SERVER;
use tests::web::Answer;
use tests::{Mesh, Person, Web};

fn record(person: &Person, registered_at: &str) -> Record {
    Record {
        handle: person.handle.clone(),
        fqhn: format!("{}@{SERVER}", person.handle),
        primary: person.key().identifier(),
        sigchain_url: format!("http://kez.test/v1/sigchains/ed25519/{}", person.hex()),
        registered_at: registered_at.to_owned(),
        proofs: Vec::new(),
    }
}

/// Every way there is to find somebody; all of them answer the same.
async fn found_everywhere(asker: &Person, web: &Web, wanted: &Record) {
    for handle in [&wanted.handle, &wanted.fqhn] {
        let by_handle = ByHandle { handle: handle.clone() };
        assert_eq!(asker.client.call(&LOOKUP, &by_handle).await.as_ref(), Ok(wanted), "{handle}");
        assert_eq!(web.get(&format!("/v1/u/{handle}")).await.read::<Record>(200), *wanted, "{handle}");
    }
    let by_primary = ByPrimary { primary: wanted.primary.clone() };
    assert_eq!(asker.client.call(&BY_PRIMARY, &by_primary).await.as_ref(), Ok(wanted));
    assert_eq!(web.get(&format!("/v1/by-primary/{}", wanted.primary)).await.read::<Record>(200), *wanted);
}

#[tokio::test]
async fn who_registers_over_nats_is_found_everywhere() {
    let mesh = Mesh::start().await;
    let (alice, bob, before) = (mesh.person("alice").await, mesh.person("bob").await, mesh.clock.now());
    let found = bob.client.lookup("alice").await.unwrap();
    let registered_at = Timestamp::parse(&found.registered_at).unwrap().unix();
    assert!((before - 60..=before).contains(&registered_at), "{found:?}");
    found_everywhere(&bob, &mesh.web(), &record(&alice, &found.registered_at)).await;
}

#[tokio::test]
async fn who_registers_over_http_is_found_everywhere_and_may_sign_in() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.stranger().await, mesh.person("bob").await);
    let registered = mesh.http_client(&alice.secret).register("alice").await.unwrap();
    assert!(registered.created);
    let alice = Person { handle: "alice".to_owned(), ..alice };
    assert_eq!(registered.record, record(&alice, &registered.record.registered_at));
    found_everywhere(&bob, &mesh.web(), &registered.record).await;

    // Rights come with the next sign-in.
    alice.client.reconnect().await.unwrap();
    bob.send(&alice, "welcome").await;
    assert_eq!(alice.texts().await, [(bob.key(), "welcome".to_owned())]);
}

fn webfinger(query: &str) -> String {
    format!("/.well-known/webfinger?{query}")
}

/// A descriptor, in the form that RFC 7033 wants it in.
#[track_caller]
fn descriptor(answer: &Answer) -> ResourceDescriptor {
    assert_eq!(answer.header("content-type"), "application/jrd+json");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    answer.read(200)
}

#[tokio::test]
async fn webfinger_describes_an_account() {
    let mesh = Mesh::start().await;
    let (alice, web) = (mesh.person("alice").await, mesh.web());
    let sigchain = format!("http://kez.test/v1/sigchains/ed25519/{}", alice.hex());
    let wanted = json!({
        "subject": "acct:alice@kez.test",
        "aliases": [alice.key().identifier()],
        "links": [
            { "rel": "self", "type": "application/json", "href": "http://kez.test/v1/u/alice" },
            { "rel": "https://kez.lat/rel/profile", "type": "application/json", "href": "http://kez.test/v1/profile/alice" },
            { "rel": "https://kez.lat/rel/sigchain", "type": "application/jsonl", "href": sigchain },
        ],
    });
    for resource in [
        "acct:alice@kez.test",
        "acct%3Aalice%40kez.test",
        "%61cct:alice%40kez%2Etest",
        "acct:alice@KEZ.test",
        "ACCT:alice@kez.test",
    ] {
        let answer = web.get(&webfinger(&format!("resource={resource}"))).await;
        descriptor(&answer);
        assert_eq!(answer.read::<Value>(200), wanted, "{resource}");
    }
    // Parameters that nobody knows are not an error (RFC 7033, section 4.1), and order does not matter.
    let answer = web.get(&webfinger("lang=en&resource=acct:alice@kez.test")).await;
    assert_eq!(answer.read::<Value>(200), wanted);
}

#[tokio::test]
async fn webfinger_answers_with_the_relations_that_are_asked_for() {
    let mesh = Mesh::start().await;
    let (alice, web) = (mesh.person("alice").await, mesh.web());
    let profile = "https://kez.lat/rel/profile";
    for (rels, wanted) in [
        ("rel=self".to_owned(), vec!["self"]),
        (format!("rel={profile}"), vec![profile]),
        (format!("rel=self&rel={profile}"), vec!["self", profile]),
        (format!("rel={profile}&rel=self&rel=self"), vec!["self", profile]),
        ("rel=https%3A%2F%2Fkez.lat%2Frel%2Fprofile".to_owned(), vec![profile]),
        (format!("rel=unknown&rel={profile}"), vec![profile]),
        // A filter leaves links out, and nothing else.
        ("rel=unknown".to_owned(), vec![]),
        ("rel=Self".to_owned(), vec![]),
        ("rel=self%20https://kez.lat/rel/profile".to_owned(), vec![]),
    ] {
        let answer = web.get(&webfinger(&format!("resource=acct:alice@kez.test&{rels}"))).await;
        let found = descriptor(&answer);
        assert_eq!(found.links.iter().map(|link| link.rel.as_str()).collect::<Vec<_>>(), wanted, "{rels}");
        assert_eq!(
            (found.subject.as_str(), found.aliases),
            ("acct:alice@kez.test", vec![alice.key().identifier()])
        );
    }
}

#[tokio::test]
async fn webfinger_links_lead_somewhere() {
    let mesh = Mesh::start().await;
    let (alice, web) = (mesh.person("alice").await, mesh.web());
    let found = descriptor(&web.get(&webfinger("resource=acct:alice@kez.test")).await);
    let path = |rel: &str| {
        let link = found.links.iter().find(|link| link.rel == rel).unwrap();
        link.href.strip_prefix("http://kez.test").unwrap().to_owned()
    };
    assert_eq!(web.get(&path("self")).await.read::<Record>(200).primary, alice.key().identifier());
    web.get(&path("https://kez.lat/rel/profile")).await.refused(404, "not_found");
}

#[tokio::test]
async fn webfinger_says_what_is_wrong_with_a_resource() {
    let mesh = Mesh::start().await;
    let (_alice, web) = (mesh.person("alice").await, mesh.web());
    for query in [
        "",
        "rel=self",
        "resource=",
        "resource",
        "Resource=acct:alice@kez.test",
        "resource=alice",
        "resource=alice@kez.test",
        "resource=acct:",
        "resource=acct:alice",
        "resource=acct:@kez.test",
        "resource=acct:alice@",
        "resource=acct:alice@kez.test%0A",
        "resource=acct:alice@kez.test%00",
        "resource=acct:alice%20@kez.test",
        "resource=acct:al%C3%AEce@kez.test",
        "resource=acct:alice@kez.test&resource=acct:alice@kez.test",
        "resource=%FF",
        "resource=acct:alice%4",
    ] {
        let answer = web.get(&webfinger(query)).await;
        answer.refused(400, "malformed");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{query}");
    }
    for query in [
        "resource=acct:bob@kez.test",
        "resource=acct:Alice@kez.test",
        "resource=acct:admin@kez.test",
        "resource=acct:alice@other.example",
        "resource=acct:alice@kez.test.other.example",
        "resource=mailto:alice@kez.test",
        "resource=https://kez.test/alice",
    ] {
        let answer = web.get(&webfinger(query)).await;
        answer.refused(404, "not_found");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{query}");
    }
}

#[tokio::test]
async fn who_is_not_here_is_not_found() {
    let mesh = Mesh::start().await;
    let (_alice, web) = (mesh.person("alice").await, mesh.web());
    let unknown = SecretKey::from_seed(random::bytes()).public();
    for path in [
        "/v1/u/bob".to_owned(),
        "/v1/u/alice@other.example".to_owned(),
        "/v1/u/Alice".to_owned(),
        "/v1/u/admin".to_owned(),
        "/v1/u/al%2Fice".to_owned(),
        format!("/v1/by-primary/{}", unknown.identifier()),
        "/v1/profile/alice".to_owned(),
        "/v1/profile/bob".to_owned(),
    ] {
        web.get(&path).await.refused(404, "not_found");
    }
    for (path, code) in [
        (format!("/v1/by-primary/{}", unknown.to_hex()), "malformed"),
        ("/v1/by-primary/ed25519:00".to_owned(), "malformed"),
        (format!("/v1/by-primary/{}", unknown.identifier().to_uppercase()), "malformed"),
        ("/v1/by-primary/nostr:npub1qqq".to_owned(), "unsupported_key"),
        ("/v1/u/%FF".to_owned(), "malformed"),
    ] {
        web.get(&path).await.refused(400, code);
    }
    // The same path, encoded: it is the name that counts.
    let names: BTreeSet<String> = [
        web.get("/v1/u/%61lice").await.read::<Record>(200).handle,
        web.get("/v1/u/alice%40kez.test").await.read::<Record>(200).handle,
    ]
    .into();
    assert_eq!(names, BTreeSet::from(["alice".to_owned()]));
}
