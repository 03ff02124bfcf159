//! Push subscriptions: each belongs to who signed for it, and cannot be read, taken or ended by anybody else.
//!
//! Nothing is pushed here: the endpoints are names that lead nowhere, and no mail comes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use kez_contract::push::{
    AskVapidKey, MAX_SUBSCRIPTIONS, SUBSCRIBE, Subscriptions, TEST, Test, VAPID_KEY, VapidKey,
};
use kez_contract::{Code, Problem};
use kez_crypto::{SecretKey, Timestamp, request_auth};
use kez_service::random;
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};
use tests::subscriber::{POINT, endpoints, subscription, with_keys};
use tests::{Mesh, Owner, Person, Web};

fn code<T>(result: Result<T, Problem>) -> Option<Code> {
    result.err().map(|problem| problem.code)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_kept_until_its_owner_ends_it() {
    let mesh = Mesh::start().await;
    kept_until_ended(&mesh).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_kept_until_its_owner_ends_it_on_postgres() {
    let Some(mesh) = Mesh::on_postgres().await else { return };
    kept_until_ended(&mesh).await;
}

async fn kept_until_ended(mesh: &Mesh) {
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let (web, name) = (mesh.web(), alice.name());
    let [phone, laptop] = ["https://push.example/phone", "https://push.example:8443/laptop?up=1"];
    assert_eq!(alice.subscribed().await, [""; 0]);
    assert_eq!(endpoints(&alice.subscribe(phone).await.unwrap()), [phone]);

    // The same over HTTP, and one list for both ways.
    let body = serde_json::to_string(&subscription(laptop)).unwrap();
    let auth = alice.auth(&request_auth::push_subscribe(&name, laptop));
    let standing: Subscriptions = web.post_signed("/v1/push/subscribe/alice", &auth, body).await.read(200);
    assert_eq!(endpoints(&standing), [phone, laptop]);
    assert_eq!(alice.subscribed().await, [phone, laptop]);
    let auth = alice.auth(&request_auth::push_subscriptions(&name));
    let listed: Subscriptions = web.get_signed("/v1/push/subscriptions/alice", &auth).await.read(200);
    assert_eq!(listed, standing);
    for subscription in &listed.subscriptions {
        let age = mesh.clock.now() - Timestamp::parse(&subscription.created_at).unwrap().unix();
        assert!((0..60).contains(&age), "{age}");
    }

    // Again is no second one, and not the youngest either.
    assert_eq!(alice.subscribe(phone).await.unwrap(), listed);
    let other_keys = with_keys(phone, POINT, "CAgICAgICAgICAgICAgICA");
    assert_eq!(alice.client.call(&SUBSCRIBE, &other_keys).await.unwrap(), listed);

    // Another replica, and one that is started later, know the same.
    let other = mesh.another_push().await;
    let lists = join_all((0..20).map(|_| alice.subscribed())).await;
    assert_eq!(lists.into_iter().collect::<BTreeSet<_>>().len(), 1);
    other.stop().await.unwrap();

    assert_eq!(endpoints(&alice.unsubscribe(phone).await), [laptop]);
    assert_eq!(endpoints(&alice.unsubscribe(phone).await), [laptop]);
    let auth = alice.auth(&request_auth::push_unsubscribe(&name, laptop));
    let body = json!({ "endpoint": laptop }).to_string();
    let standing: Subscriptions = web.post_signed("/v1/push/unsubscribe/alice", &auth, body).await.read(200);
    assert_eq!(endpoints(&standing), [""; 0]);
    assert_eq!(bob.subscribed().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_takes_or_ends_anothers() {
    let mesh = Mesh::start().await;
    let (alice, mallory) = (mesh.person("alice").await, mesh.person("mallory").await);
    let hers = "https://push.example/alice";
    alice.subscribe(hers).await.unwrap();

    // Whoever knows the endpoint gets one of their own, which changes nothing of hers.
    assert_eq!(endpoints(&mallory.subscribe(hers).await.unwrap()), [hers]);
    assert_eq!(endpoints(&mallory.unsubscribe(hers).await), [""; 0]);
    assert_eq!(alice.subscribed().await, [hers]);
    // Nor is somebody else's device made to buzz.
    let test = Test { endpoint: hers.to_owned() };
    assert_eq!(code(mallory.client.call(&TEST, &test).await), Some(Code::NotFound));

    forge(&mesh, &alice, &mallory, hers).await;
    peek(&mesh, &alice, &mallory).await;
    assert_eq!(alice.subscribed().await, [hers]);
    assert_eq!(mallory.subscribed().await, [""; 0]);
}

/// Requests in Alice's name over HTTP that she has not signed, or not for that.
async fn forge(mesh: &Mesh, alice: &Person, mallory: &Person, hers: &str) {
    let (web, name, next) = (mesh.web(), alice.name(), "https://push.example/next");
    let body = serde_json::to_string(&subscription(next)).unwrap();
    let ended = json!({ "endpoint": hers }).to_string();
    let sub = request_auth::push_subscribe(&name, next);
    let unsub = request_auth::push_unsubscribe(&name, hers);
    let listing = request_auth::push_subscriptions(&name);
    let at = |text: &str, seconds: i64| {
        request_auth::sign(text, Timestamp::from_unix(mesh.clock.now() + seconds), &alice.secret)
    };
    let subscriptions = [
        ("by another", mallory.auth(&sub), body.clone(), "bad_signature"),
        ("for another endpoint", alice.auth(&sub), body.replace("next", "evil"), "bad_signature"),
        (
            "to end it",
            alice.auth(&request_auth::push_unsubscribe(&name, next)),
            body.clone(),
            "bad_signature",
        ),
        ("to list them", alice.auth(&listing), body.clone(), "bad_signature"),
        ("too long ago", at(&sub, -62), body.clone(), "stale_timestamp"),
        ("not at all", "1:ab".to_owned(), body, "malformed"),
    ];
    let ends = [
        ("by another", mallory.auth(&unsub), ended.clone(), "bad_signature"),
        ("for another endpoint", alice.auth(&unsub), ended.replace("alice", "x"), "bad_signature"),
        (
            "to make it",
            alice.auth(&request_auth::push_subscribe(&name, hers)),
            ended.clone(),
            "bad_signature",
        ),
        ("for later", at(&unsub, 120), ended, "stale_timestamp"),
    ];
    let requests = subscriptions.map(|request| ("subscribe", request)).into_iter();
    for (verb, (signed, auth, body, code)) in requests.chain(ends.map(|request| ("unsubscribe", request))) {
        println!("{verb}, signed {signed}");
        let status = if code == "bad_signature" { 401 } else { 400 };
        web.post_signed(&format!("/v1/push/{verb}/alice"), &auth, body).await.refused(status, code);
    }
}

/// Attempts to read lists of others over HTTP.
async fn peek(mesh: &Mesh, alice: &Person, mallory: &Person) {
    let (web, name) = (mesh.web(), alice.name());
    let listing = request_auth::push_subscriptions(&name);
    for auth in [mallory.auth(&listing), alice.auth(&request_auth::stream(&name))] {
        web.get_signed("/v1/push/subscriptions/alice", &auth).await.refused(401, "bad_signature");
    }
    let hers = mallory.auth(&listing);
    web.get_signed("/v1/push/subscriptions/mallory", &hers).await.refused(401, "bad_signature");
    for nobody in ["nobody", "A"] {
        let path = format!("/v1/push/subscriptions/{nobody}");
        web.get_signed(&path, &hers).await.refused(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_are_their_owners() {
    let mesh = Mesh::start().await;
    let (alice, [laptop]) = Owner::enter(&mesh, "alice", ["laptop"]).await;
    let device = mesh.connect_device(alice.key(), &laptop).await.unwrap();
    let wanted = subscription("https://push.example/laptop");
    device.call(&SUBSCRIBE, &wanted).await.unwrap();
    assert_eq!(alice.person.subscribed().await, ["https://push.example/laptop"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_sixteen_and_no_more() {
    let mesh = Mesh::with(&[("push", "--person-push-calls-per-minute=1000")]).await;
    sixteen(&mesh).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_sixteen_and_no_more_on_postgres() {
    let flags = [("push", "--person-push-calls-per-minute=1000")];
    let Some(mesh) = Mesh::on_postgres_with(&flags).await else { return };
    sixteen(&mesh).await;
}

async fn sixteen(mesh: &Mesh) {
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let other = mesh.another_push().await;
    let endpoint = |number: usize| format!("https://push.example/{number}");
    // All at once, at two replicas.
    let wanted: Vec<String> = (0..40).map(endpoint).collect();
    let results = join_all(wanted.iter().map(|endpoint| alice.subscribe(endpoint))).await;
    let (taken, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!(taken.len(), MAX_SUBSCRIPTIONS);
    for refused in refused {
        assert_eq!(code(refused), Some(Code::TooManySubscriptions));
    }
    let standing = alice.subscribed().await;
    assert_eq!(standing.len(), MAX_SUBSCRIPTIONS);

    // Those that stand can still be renewed; a place that is given up can be taken; nobody else is held up.
    let first = &standing[0];
    alice.subscribe(first).await.unwrap();
    assert_eq!(alice.unsubscribe(first).await.subscriptions.len(), MAX_SUBSCRIPTIONS - 1);
    alice.subscribe(&endpoint(99)).await.unwrap();
    assert_eq!(code(alice.subscribe(first).await), Some(Code::TooManySubscriptions));
    bob.subscribe(first).await.unwrap();
    let auth = alice.auth(&request_auth::push_subscribe(&alice.name(), first));
    let body = serde_json::to_string(&subscription(first)).unwrap();
    mesh.web()
        .post_signed("/v1/push/subscribe/alice", &auth, body)
        .await
        .refused(409, "too_many_subscriptions");
    other.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_has_moved_is_woken_no_more() {
    let mesh = Mesh::start().await;
    let (mut alice, []) = Owner::enter(&mesh, "alice", []).await;
    let bob = mesh.person("bob").await;
    alice.person.subscribe("https://push.example/alice").await.unwrap();
    bob.subscribe("https://push.example/bob").await.unwrap();
    let next = SecretKey::from_seed(random::bytes());
    alice.rotate(&next).await;
    let client = mesh.connect(&next).await.unwrap();
    client.register("alice").await.unwrap();
    client.reconnect().await.unwrap();

    let mut database = SqliteConnection::connect(&mesh.plan.push_database_url).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let left: Vec<String> = sqlx::query_scalar(r#"SELECT "primary" FROM subscriptions"#)
            .fetch_all(&mut database)
            .await
            .unwrap();
        if left == [bob.hex()] {
            break;
        }
        assert!(Instant::now() < deadline, "{} are left", left.len());
    }
    // The successor begins with none, and subscribes anew.
    let successor = Person { secret: next, client, handle: "alice".to_owned() };
    assert_eq!(successor.subscribed().await, [""; 0]);
    successor.subscribe("https://push.example/alice").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_told_one_key_and_the_same_after_a_restart() {
    let mut mesh = Mesh::start().await;
    let (alice, web) = (mesh.person("alice").await, mesh.web());
    let key = alice.client.call(&VAPID_KEY, &AskVapidKey {}).await.unwrap().key;
    let other = mesh.another_push().await;
    for _ in 0..10 {
        assert_eq!(web.get("/v1/push/vapid-public-key").await.read::<VapidKey>(200).key, key);
    }
    until_told(&web, &key).await;

    // Without the push service the rest goes on, and clients are told of no key.
    other.stop().await.unwrap();
    mesh.push.take().unwrap().stop().await.unwrap();
    assert_eq!(web.get("/v1/config").await.read::<Value>(200)["vapid_public_key"], Value::Null);
    web.get("/v1/push/vapid-public-key").await.refused(503, "unavailable");
    assert_eq!(code(alice.subscribe("https://push.example/a").await), Some(Code::Unavailable));
    alice.client.send("alice", "to myself").await.unwrap();

    mesh.push = Some(mesh.another_push().await);
    until_told(&web, &key).await;
}

/// Waits until clients are told of that key: the gateway tells of none when the push service takes its time.
async fn until_told(web: &Web, key: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let told = web.get("/v1/config").await.read::<Value>(200)["vapid_public_key"].clone();
        if told == key {
            return;
        }
        assert_eq!(told, Value::Null);
        assert!(Instant::now() < deadline, "clients are told of no key");
    }
}
