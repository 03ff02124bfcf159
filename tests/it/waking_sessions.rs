//! A session for waking alone: what a service worker keeps, which may look into the mailbox and do nothing else.

use std::time::{Duration, Instant};

use kez_crypto::{PublicKey, SecretKey};
use kez_service::random;
use tests::guest::{Credentials, Guest};
use tests::{Mesh, Owner};

/// What somebody who has stolen such a session would like to do, as publications.
const ATTACKS: [&str; 11] = [
    "inbox.send",
    "inbox.ack",
    "registry.register",
    "registry.put-profile",
    "registry.put-proofs",
    "registry.lookup",
    "sigchain.append",
    "sigchain.verify",
    "push.subscribe",
    "push.unsubscribe",
    "push.subscriptions",
];

#[tokio::test(flavor = "multi_thread")]
async fn reads_the_mailbox_and_says_nothing() {
    let mesh = Mesh::start().await;
    let (alice, [phone]) = Owner::enter(&mesh, "alice", ["phone"]).await;
    let bob = mesh.person("bob").await;
    bob.client.send("alice", "are you there?").await.unwrap();
    let a = alice.key().to_hex();
    for signer in [&alice.person.secret, &phone] {
        for url in [&mesh.plan.nats_url, &mesh.plan.nats_websocket_url, &mesh.tunnel()] {
            let d = signer.public().to_hex();
            let mut worker = enter(url, alice.key(), signer).await;
            let fetch = format!("kez.rpc.inbox.fetch.{a}.{d}");
            let page = worker.nats.request(fetch, r#"{"since":0,"limit":10}"#.into()).await.unwrap();
            let page: serde_json::Value = serde_json::from_slice(&page.payload).unwrap();
            assert_eq!(page["messages"].as_array().unwrap().len(), 1);
            let who = format!("kez.rpc.registry.by-primary.{a}.{d}");
            let asked = format!(r#"{{"primary":"{}"}}"#, bob.key().identifier());
            let record = worker.nats.request(who, asked.into()).await.unwrap();
            let record: serde_json::Value = serde_json::from_slice(&record.payload).unwrap();
            assert_eq!(record["handle"], "bob");
            assert_eq!(worker.refusals().await, [""; 0]);

            for attack in ATTACKS {
                let subject = format!("kez.rpc.{attack}.{a}.{d}");
                worker.nats.publish(subject.clone(), "{}".into()).await.unwrap();
                let refused = format!("nats: Permissions Violation for Publish to \"{subject}\"");
                assert_eq!(worker.refusals().await, [refused]);
            }
            for deaf in [format!("kez.live.{a}"), "kez.feed.>".to_owned()] {
                let _deaf = worker.nats.subscribe(deaf.clone()).await.unwrap();
                let refused = format!("nats: Permissions Violation for Subscription to \"{deaf}\"");
                assert_eq!(worker.refusals().await, [refused]);
            }
        }
    }
    // Nothing was acknowledged in Alice's name.
    assert_eq!(alice.person.texts().await, [(bob.key(), "are you there?".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn is_for_people_who_have_mail_and_for_devices_that_are_theirs() {
    let mesh = Mesh::start().await;
    let (mut alice, [phone]) = Owner::enter(&mesh, "alice", ["phone"]).await;
    let (url, key) = (&mesh.plan.nats_url, alice.key());
    let [stranger, thief] = [(); 2].map(|()| SecretKey::from_seed(random::bytes()));
    let nobody = Credentials::to_wake(stranger.public(), &stranger);
    let stolen = Credentials::to_wake(key, &thief);
    tokio::join!(
        Guest::assert_refused(url, stranger.public(), nobody, "not registered"),
        Guest::assert_refused(url, key, stolen, "not a device of hers"),
    );

    let mut worker = enter(url, key, &phone).await;
    let mut other = enter(url, key, &alice.person.secret).await;
    let begun = Instant::now();
    alice.revoke(&phone).await;
    worker.until_disconnected().await;
    let gone = begun.elapsed();
    assert!(gone < Duration::from_secs(2), "{gone:?}");
    Guest::assert_refused(url, key, Credentials::to_wake(key, &phone), "revoked").await;
    assert_eq!(other.refusals().await, [""; 0]);

    // With the key itself, once its handle has moved.
    let next = SecretKey::from_seed(random::bytes());
    alice.rotate(&next).await;
    mesh.connect(&next).await.unwrap().register("alice").await.unwrap();
    other.until_disconnected().await;
    Guest::assert_refused(url, key, Credentials::to_wake(key, &alice.person.secret), "rotated").await;
}

async fn enter(url: &str, primary: PublicKey, signer: &SecretKey) -> Guest {
    let credentials = Credentials::to_wake(primary, signer);
    Guest::enter_on_device(url, [primary, signer.public()], credentials).await.expect("it is let in")
}
