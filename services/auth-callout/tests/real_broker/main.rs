//! Sign-ins at a real nats-server, on the account file that production runs.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot do its work has failed")]

mod broker;
mod journal;
mod visitor;

use std::process::Command;

use async_nats::service::Stats;
use broker::{Broker, SERVER};
use futures_util::StreamExt;
use futures_util::future::join_all;
use journal::Journal;
use kez_crypto::SecretKey;
use kez_service::random;
use serde_json::{Value, json};
use visitor::{Visitor, by_key, envelope, plain, session};

fn somebody() -> SecretKey {
    SecretKey::from_seed(random::bytes())
}

#[tokio::test]
async fn somebody_new_may_register_and_then_has_rights_of_their_own_alone() {
    let Some(broker) = Broker::start() else { return };
    let (registry, callout) = (broker.registry().await, broker.auth_callout().await);
    let (alice, bob) = (somebody(), somebody());
    let (a, b) = (alice.public().to_hex(), bob.public().to_hex());

    let mut visitor = Visitor::arrive(&broker).await;
    let credentials = plain(&alice, &visitor.nonce);
    assert_eq!(visitor.knock(credentials).await, "PONG");
    for (said, allowed) in [
        (format!("PUB kez.rpc.registry.lookup.{a}.{a} 0\r\n"), true),
        (format!("PUB kez.rpc.inbox.send.{a}.{a} 0\r\n"), false),
        (format!("PUB kez.rpc.registry.register.{b}.{b} 0\r\n"), false),
        (format!("SUB kez.live.{a} 7"), false),
        ("SUB kez.feed.> 7".to_owned(), false),
        (format!("SUB _INBOX_{b}_{b}.> 7"), false),
    ] {
        assert_eq!(visitor.may(&said).await, allowed, "not registered: {said}");
    }
    assert!(visitor.register("alice", &alice).await);

    for way in [plain, |key: &SecretKey, nonce: &str| session(key, SERVER, 60, nonce)] {
        let mut visitor = Visitor::arrive(&broker).await;
        let credentials = way(&alice, &visitor.nonce);
        assert_eq!(visitor.knock(credentials).await, "PONG");
        for (said, allowed) in [
            (format!("PUB kez.rpc.inbox.send.{a}.{a} 0\r\n"), true),
            (format!("PUB kez.rpc.inbox.send.{b}.{b} 0\r\n"), false),
            (format!("PUB kez.rpc.inbox.send.{a}.{b} 0\r\n"), false),
            (format!("PUB kez.inbox.00.{a} 0\r\n"), false),
            ("PUB kez.web.inbox.send 0\r\n".to_owned(), false),
            ("PUB $SYS.REQ.USER.AUTH 0\r\n".to_owned(), false),
            (format!("SUB kez.live.{a} 7"), true),
            ("SUB kez.feed.> 7".to_owned(), true),
            (format!("SUB _INBOX_{a}_{a}.> 7"), true),
            (format!("SUB kez.live.{b} 7"), false),
            ("SUB kez.live.* 7".to_owned(), false),
            ("SUB > 7".to_owned(), false),
        ] {
            assert_eq!(visitor.may(&said).await, allowed, "registered: {said}");
        }
    }
    callout.stop().await.unwrap();
    registry.stop().await.unwrap();
}

#[tokio::test]
async fn a_connection_ends_with_its_session() {
    let Some(broker) = Broker::start() else { return };
    let (_registry, _callout) = (broker.registry().await, broker.auth_callout().await);
    let mut visitor = Visitor::arrive(&broker).await;
    let credentials = session(&somebody(), SERVER, 6, &visitor.nonce);
    assert_eq!(visitor.knock(credentials).await, "PONG");
    assert_eq!(visitor.line().await, "-ERR 'User Authentication Expired'");
}

#[tokio::test]
async fn each_refusal_has_its_reason_in_the_journal_and_no_name() {
    let Some(broker) = Broker::start() else { return };
    let mut journal = Journal::keep();
    let (_registry, _callout) = (broker.registry().await, broker.auth_callout().await);
    let (alice, mallory) = (somebody(), somebody());
    let stolen = envelope(&alice, somebody().public(), SERVER, 60);
    let (alice_key, mallory_key) = (alice.public(), mallory.public());
    type Credentials<'a> = Box<dyn Fn(&str) -> Value + 'a>;
    let attempts: Vec<(&str, Credentials<'_>)> = vec![
        ("no credentials", Box::new(|_| json!({}))),
        ("no credentials", Box::new(|_| json!({ "auth_token": stolen }))),
        ("a password or a JWT", Box::new(|_| json!({ "user": "alice", "pass": "secret" }))),
        ("no nonce was signed", Box::new(|_| json!({ "nkey": alice_key.nkey() }))),
        ("no nonce was signed", Box::new(|_| json!({ "nkey": alice_key.nkey(), "sig": "" }))),
        ("not a user nkey", Box::new(|nonce| json!({ "nkey": "UALICE", "sig": nonce }))),
        ("not signed by the key", Box::new(|nonce| json!({ "nkey": alice_key.nkey(), "sig": nonce }))),
        ("not signed by the key", Box::new(|nonce| by_key(alice_key, &mallory, nonce))),
        ("not signed by the key", Box::new(|nonce| by_key(mallory_key, &alice, nonce))),
        ("not signed by the key", Box::new(|_| plain(&alice, "an-older-nonce_"))),
        ("refused: wrong_server", Box::new(|nonce| session(&alice, "kez.example", 60, nonce))),
        ("refused: expired", Box::new(|nonce| session(&alice, SERVER, -1, nonce))),
        ("refused: stale_timestamp", Box::new(|nonce| session(&alice, SERVER, 24 * 3600 + 1, nonce))),
        (
            "refused: wrong_session",
            Box::new(|nonce| {
                let mut replayed = plain(&mallory, nonce);
                replayed["auth_token"] = json!(stolen);
                replayed
            }),
        ),
    ];
    for (reason, credentials) in attempts {
        let mut visitor = Visitor::arrive(&broker).await;
        let credentials = credentials(&visitor.nonce);
        visitor.show(credentials).await;
        let line = journal.next().await;
        assert!(line.contains("a sign-in is refused") && line.contains(reason), "{reason}: {line}");
        for secret in [alice_key.nkey(), alice_key.to_hex(), mallory_key.nkey(), visitor.nonce] {
            assert!(!line.contains(&secret), "{line}");
        }
    }
    // Refused, she only hears that she is; and the door is still open to others.
    let mut visitor = Visitor::arrive(&broker).await;
    let credentials = by_key(alice_key, &mallory, &visitor.nonce);
    assert_eq!(visitor.knock(credentials).await, "-ERR 'Authorization Violation'");
    let mut visitor = Visitor::arrive(&broker).await;
    let credentials = plain(&alice, &visitor.nonce);
    assert_eq!(visitor.knock(credentials).await, "PONG");
}

#[tokio::test]
async fn without_a_registry_only_those_it_knew_sign_in() {
    let Some(broker) = Broker::start() else { return };
    let (registry, _callout) = (broker.registry().await, broker.auth_callout().await);
    let (alice, bob) = (somebody(), somebody());
    let mut visitor = Visitor::arrive(&broker).await;
    let credentials = plain(&alice, &visitor.nonce);
    visitor.knock(credentials).await;
    assert!(visitor.register("alice", &alice).await);
    let come_in = async |person: &SecretKey| {
        let mut visitor = Visitor::arrive(&broker).await;
        let credentials = plain(person, &visitor.nonce);
        visitor.knock(credentials).await
    };
    assert_eq!(come_in(&alice).await, "PONG");
    registry.stop().await.unwrap();
    assert_eq!(come_in(&alice).await, "PONG");
    assert_eq!(come_in(&bob).await, "-ERR 'Authorization Violation'");
    let registry = broker.registry().await;
    assert_eq!(come_in(&bob).await, "PONG");
    registry.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_share_the_work_and_one_that_stops_leaves_it_to_the_other() {
    let Some(broker) = Broker::start() else { return };
    let _registry = broker.registry().await;
    let (first, second) = (broker.auth_callout().await, broker.auth_callout().await);
    let come_in = async || {
        let mut visitor = Visitor::arrive(&broker).await;
        let credentials = plain(&somebody(), &visitor.nonce);
        visitor.knock(credentials).await
    };
    assert!(join_all((0..50).map(|_| come_in())).await.iter().all(|answer| answer == "PONG"));
    let operator = broker.connect("operator").await;
    let mut replicas = Vec::new();
    let inbox = operator.new_inbox();
    let mut replies = operator.subscribe(inbox.clone()).await.unwrap();
    operator.publish_with_reply("kez.auth.$SRV.STATS.auth-callout", inbox, "".into()).await.unwrap();
    while replicas.len() < 2 {
        let reply = replies.next().await.unwrap();
        replicas.push(serde_json::from_slice::<Stats>(&reply.payload).unwrap());
    }
    let answered: Vec<_> = replicas.iter().map(|replica| replica.endpoints[0].requests).collect();
    assert_eq!(replicas[0].endpoints[0].queue_group, "kez-auth");
    assert!(answered.iter().sum::<usize>() == 50 && !answered.contains(&0), "{answered:?}");

    // Also while it stops.
    let (answers, stopped) = tokio::join!(join_all((0..200).map(|_| come_in())), first.stop());
    stopped.unwrap();
    assert!(answers.iter().all(|answer| answer == "PONG"), "{answers:?}");
    second.stop().await.unwrap();
}

#[test]
fn keys_of_another_kind_are_refused_at_start_by_name() {
    let Some(broker) = Broker::start() else { return };
    for (issuer, xkey, named) in [
        ("operator", "xkey", "KEZ_AUTH_ISSUER_SEED_FILE"),
        ("issuer", "issuer", "KEZ_AUTH_XKEY_SEED_FILE"),
        ("issuer", "not-there", "KEZ_AUTH_XKEY_SEED_FILE"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_kez-auth-callout"))
            .args(["--nats-url", &broker.address, "--nats-seed-file"])
            .arg(broker.file("auth-callout"))
            .arg("--issuer-seed-file")
            .arg(broker.file(issuer))
            .arg("--xkey-seed-file")
            .arg(broker.file(xkey))
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && error.contains(named), "{error}");
    }
}
