//! Who is let in and who is not: by proof alone, with the rights of their own key, also after the sign-in service was away.

use std::collections::BTreeSet;

use async_nats::{ConnectErrorKind, Event, Subscriber};
use futures_util::StreamExt;
use futures_util::future::join_all;
use kez::client::{Client, Connection, SignIn};
use kez_contract::Code;
use kez_crypto::{SecretKey, Signed, Tag};
use kez_service::random;
use serde_json::Value;
use tests::guest::{Credentials, Guest, Signature, session_envelope};
use tests::mesh::{Mesh, SERVER};
use tests::operator::until_replicas;
use tests::process::Process;

const HOUR: i64 = 3600;

fn somebody() -> SecretKey {
    SecretKey::from_seed(random::bytes())
}

#[tokio::test]
async fn both_ways_in_give_the_rights_of_that_person() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let (a, b) = (alice.hex(), bob.hex());
    for url in [&mesh.plan.nats_url, &mesh.plan.nats_websocket_url, &mesh.tunnel()] {
        for credentials in [Credentials::plain(&alice.secret), Credentials::fresh_session(&alice.secret)] {
            let mut guest = Guest::enter(url, alice.key(), credentials).await.unwrap();
            let fetch = format!("kez.rpc.inbox.fetch.{a}.{a}");
            let page = guest.nats.request(fetch, r#"{"since":0,"limit":1}"#.into()).await.unwrap();
            assert_eq!(page.payload, r#"{"messages":[],"next":0,"more":false}"#);
            let live = guest.nats.subscribe(format!("kez.live.{a}")).await.unwrap();
            let feed = guest.nats.subscribe("kez.feed.>").await.unwrap();
            assert!(guest.refusals().await.is_empty());
            drop((live, feed));

            let others = format!("kez.rpc.inbox.fetch.{b}.{b}");
            guest.nats.publish(others.clone(), "{}".into()).await.unwrap();
            let live = format!("kez.live.{b}");
            let _deaf = guest.nats.subscribe(live.clone()).await.unwrap();
            let wanted = [
                format!("nats: Permissions Violation for Publish to \"{others}\""),
                format!("nats: Permissions Violation for Subscription to \"{live}\""),
            ];
            assert_eq!(guest.refusals().await, wanted);
        }
    }
}

#[tokio::test]
async fn whoever_proves_nothing_is_refused_and_not_told_why() {
    let mesh = Mesh::start().await;
    let alice = mesh.person("alice").await;
    let good = [Credentials::plain(&alice.secret), Credentials::fresh_session(&alice.secret)];
    let bad = forgeries(&mesh, &alice.secret);
    // All at once: a refusal takes as long as the broker waits for an answer.
    let url = &mesh.plan.nats_url;
    let refused = join_all(bad.into_iter().map(async |(name, credentials)| {
        let Err(refusal) = Guest::enter(url, alice.key(), credentials).await else {
            panic!("let in: {name}")
        };
        assert_eq!(refusal.kind(), ConnectErrorKind::AuthorizationViolation, "{name}");
        refusal.to_string()
    }));
    let words: BTreeSet<String> = refused.await.into_iter().collect();
    assert_eq!(words.len(), 1, "every refusal says the same: {words:?}");
    for credentials in good {
        Guest::enter(url, alice.key(), credentials).await.expect("what all of it was forged from is good");
    }
}

/// Every way of asking to be Alice, or a service, without being it. Each differs in one thing from what is let in.
fn forgeries(mesh: &Mesh, alice: &SecretKey) -> Vec<(&'static str, Credentials)> {
    let (mallory, connection) = (somebody(), somebody());
    let envelope = |from, until| session_envelope(alice, connection.public(), SERVER, from, until);
    let stolen = envelope(0, HOUR);
    let plain = || Credentials::plain(alice);
    let session = |envelope: String| Credentials::session(&connection, envelope);
    let inbox = Some(service_nkey(mesh, "KEZ_NKEY_INBOX"));
    let by_mallory = || Signature::By(mallory.clone());
    let bytes = |bytes: &[u8]| Signature::Bytes(bytes.to_vec());
    let others_server = session_envelope(alice, connection.public(), "kez.example", 0, HOUR);
    let others_session = session_envelope(alice, somebody().public(), SERVER, 0, HOUR);
    let by_another = signed_anew(&stolen, &mallory, |_| ());
    let by_a_device = signed_anew(&stolen, &mallory, |payload| {
        payload.insert("device".to_owned(), mallory.public().identifier().into());
    });
    let altered = stolen.replacen("\"version\":1", "\"note\":1,\"version\":1", 1);
    vec![
        ("no credentials", Credentials::none()),
        ("a token alone", Credentials { token: Some(stolen.clone()), ..Credentials::none() }),
        ("a key that signed nothing", Credentials { signature: Signature::Missing, ..plain() }),
        ("a bad signature", Credentials { signature: bytes(&[7; 64]), ..plain() }),
        ("a garbage signature", Credentials { signature: bytes(b"garbage"), ..plain() }),
        ("an empty signature", Credentials { signature: bytes(b""), ..plain() }),
        (
            "a signature of another nonce",
            Credentials { signature: bytes(&alice.sign(b"a-nonce-of-old_")), ..plain() },
        ),
        ("another's nkey, my signature", Credentials { signature: by_mallory(), ..plain() }),
        (
            "a user and a password",
            Credentials {
                user: Some("alice".to_owned()),
                password: Some("secret".to_owned()),
                ..Credentials::none()
            },
        ),
        ("a password beside a good key", Credentials { password: Some("secret".to_owned()), ..plain() }),
        ("a service's nkey, my signature", Credentials { nkey: inbox.clone(), ..plain() }),
        (
            "a service's nkey and a good session",
            Credentials { nkey: inbox.clone(), ..session(stolen.clone()) },
        ),
        ("a service's nkey as user", Credentials { user: inbox, ..Credentials::none() }),
        ("a session that has expired", session(envelope(-2 * HOUR, -HOUR))),
        ("a session from the future", session(envelope(HOUR, 2 * HOUR))),
        ("a session of more than a day", session(envelope(0, 24 * HOUR + 1))),
        ("a session for another server", session(others_server)),
        ("a session for another nkey", session(others_session)),
        ("a session signed by another key", session(by_another)),
        ("a session altered after it was signed", session(altered)),
        ("a session of an unknown device", session(by_a_device)),
        ("a stolen session at the thief's key", Credentials::session(&mallory, stolen.clone())),
        ("a stolen session, signed by the thief", Credentials { signature: by_mallory(), ..session(stolen) }),
        ("something else than a session", session("a token".to_owned())),
    ]
}

/// The same session with a change, signed by another key as that key would sign its own.
fn signed_anew(
    envelope: &str,
    signer: &SecretKey,
    change: impl Fn(&mut serde_json::Map<String, Value>),
) -> String {
    let mut envelope: Value = serde_json::from_str(envelope).unwrap();
    let payload = envelope["payload"].as_object_mut().unwrap();
    change(payload);
    String::from_utf8(Signed::create(Tag::Session, payload.clone(), signer).to_json()).unwrap()
}

fn service_nkey(mesh: &Mesh, variable: &str) -> String {
    mesh.keys.environment().iter().find(|(name, _)| name == variable).unwrap().1.clone()
}

#[tokio::test]
async fn without_a_sign_in_service_the_connected_carry_on_and_the_rest_wait() {
    let mut mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let carol = somebody();
    mesh.auth_callout.take().unwrap().stop().await.unwrap();

    // Carol is refused, as at an outage everyone is, and stays at the door.
    let mut guest = Guest::wait(&mesh.plan.nats_url, carol.public(), Credentials::plain(&carol)).await;
    assert!(matches!(guest.event().await, Event::ClientError(_)));
    alice.send(&bob, "are you still there?").await;
    assert_eq!(bob.texts().await, [(alice.key(), "are you still there?".to_owned())]);

    // Bob loses his connection, and cannot come back before the service does.
    let bobs = bob.client.clone();
    let back = tokio::spawn(async move { bobs.reconnect().await });
    alice.send(&bob, "and now?").await;
    mesh.auth_callout = Some(mesh.another_auth_callout().await);
    guest.until(|event| *event == Event::Connected).await;
    assert!(guest.refusals().await.is_empty());
    back.await.unwrap().expect("bob is back");
    assert_eq!(bob.texts().await.len(), 2);
}

/// A replica that cannot answer ends itself; one that is frozen cannot even do that. The broker goes on handing it its share
/// of the sign-ins, and each of these fails, until it drops the frozen connection (after a minute or more) or somebody ends the process.
/// So all that can be promised is that whoever tries again gets in.
#[tokio::test]
async fn beside_a_frozen_replica_sign_ins_succeed_in_the_end() {
    let mesh = Mesh::start().await;
    let [issuer, xkey] =
        [mesh.keys.issuer_file(), mesh.keys.xkey_file()].map(|file| file.display().to_string());
    let flags = ["--server", SERVER, "--issuer-seed-file", &issuer, "--xkey-seed-file", &xkey];
    let frozen = Process::start(&mesh, "auth-callout", &flags);
    until_replicas(&mesh.user("operator").await, "auth-callout", 2).await;
    frozen.freeze();

    let refused = join_all((0..4).map(async |_| {
        let person = somebody();
        let mut guest =
            Guest::wait(&mesh.plan.nats_url, person.public(), Credentials::fresh_session(&person)).await;
        let failures = guest.until(|event| *event == Event::Connected).await;
        assert!(guest.refusals().await.is_empty());
        failures
    }));
    println!("sign-ins beside a frozen replica failed {:?} times before they succeeded", refused.await);
}

#[tokio::test]
async fn a_connection_ends_with_its_session_and_the_client_renews_it() {
    let mesh = Mesh::start().await;
    let alice = mesh.person("alice").await;
    let mut sys = Guest::user(&mesh, "sys").await;
    let mut ends = sys.nats.subscribe("$SYS.ACCOUNT.EDGE.DISCONNECT").await.unwrap();
    let mut begins = sys.nats.subscribe("$SYS.ACCOUNT.EDGE.CONNECT").await.unwrap();
    assert_eq!(sys.refusals().await, [""; 0]);

    let connection = mesh.connection(&mesh.plan.nats_url, &alice.secret);
    let client =
        Client::connect(Connection { sign_in: SignIn::Session { seconds: 6 }, ..connection }).await.unwrap();
    let first = event(&mut begins).await;
    let end = event(&mut ends).await;
    let second = event(&mut begins).await;
    assert_eq!(end["reason"], "Authentication Expired");
    assert_eq!(end["client"]["id"], first["client"]["id"]);
    for event in [&first, &end, &second] {
        assert_eq!(event["client"]["user"], alice.hex());
    }
    client.fetch(0, 1).await.expect("renewed, it has its rights");
}

/// The next of the broker's own events about a connection.
async fn event(events: &mut Subscriber) -> Value {
    serde_json::from_slice(&events.next().await.unwrap().payload).unwrap()
}

#[tokio::test]
async fn whoever_registers_gains_rights_at_the_next_sign_in() {
    let mesh = Mesh::start().await;
    let bob = mesh.person("bob").await;
    let stranger = mesh.stranger().await;
    let (url, me) = (&mesh.plan.nats_url, stranger.hex());
    let send = format!("kez.rpc.inbox.send.{me}.{me}");
    let mut before =
        Guest::enter(url, stranger.key(), Credentials::fresh_session(&stranger.secret)).await.unwrap();

    assert_eq!(stranger.client.lookup("bob").await.unwrap().primary, bob.key().identifier());
    let sent = stranger.client.deliver(&bob.key(), &stranger.client.seal(&bob.key(), "hi").unwrap().1).await;
    assert_eq!(sent.unwrap_err().code, Code::Unauthorized);
    assert_eq!(stranger.client.fetch(0, 1).await.unwrap_err().code, Code::Unauthorized);

    stranger.client.register("carol").await.unwrap();
    stranger.client.send("bob", "hi, it is carol").await.unwrap();
    assert_eq!(bob.texts().await, [(stranger.key(), "hi, it is carol".to_owned())]);

    // A connection that was there before keeps the rights it came with.
    before.nats.publish(send.clone(), "{}".into()).await.unwrap();
    assert_eq!(before.refusals().await, [format!("nats: Permissions Violation for Publish to \"{send}\"")]);
}
