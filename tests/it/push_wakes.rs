//! Whoever sleeps is woken once by mail, however much comes; whoever is there is not.

use futures_util::future::join_all;
use kez::mail::document;
use kez_contract::inbox::{SEND, Send, Sent};
use kez_contract::push::{TEST, Test};
use tests::push::{counts, followed, settled, vapid_key};
use tests::{Mesh, PushNetwork};

/// Sends so many messages, one after the other.
async fn send(from: &tests::Person, to: &str, number: usize) {
    for text in 0..number {
        from.client.send(to, &format!("message {text}")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_wakes_whoever_sleeps_once() {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    wakes_once(&network, &mesh).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_wakes_whoever_sleeps_once_on_postgres() {
    let network = PushNetwork::start().await;
    let Some(mesh) = Mesh::on_postgres_with(&tests::push::as_push(&network.flags())).await else { return };
    followed(&mesh.user("push").await).await;
    wakes_once(&network, &mesh).await;
}

async fn wakes_once(network: &PushNetwork, mesh: &Mesh) {
    let (alice, bob) = (mesh.person("alice").await, mesh.sleeper("bob").await);
    network.subscribe(mesh, &bob, "phone").await;
    network.subscribe(mesh, &bob, "tablet").await;
    mesh.stretch_bursts();

    send(&alice, "bob", 50).await;
    settled(&mesh.user("push").await).await;

    let key = vapid_key(mesh).await;
    for device in ["phone", "tablet"] {
        let pushes = network.to(device);
        assert_eq!(pushes.len(), 1, "{device}");
        pushes[0].check(&key, mesh, network);
    }
    // The same word for everybody: nothing in it tells one device from another.
    let [phone, tablet] = ["phone", "tablet"].map(|device| network.to(device).remove(0).headers);
    assert_eq!(phone, tablet);
    let counts = counts(mesh, 1).await;
    assert_eq!((counts["accepted"], counts["skipped_online"]), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_connected_is_not_woken() {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    let (alice, bob) = (mesh.sleeper("alice").await, mesh.person("bob").await);
    network.subscribe(&mesh, &alice, "phone").await;
    let there = mesh.connect(&alice.secret).await.unwrap();

    send(&bob, "alice", 50).await;
    settled(&mesh.user("push").await).await;

    assert_eq!(network.all().len(), 0);
    assert!(counts(&mesh, 1).await["skipped_online"] >= 1);
    drop(there);
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_mail_wakes_nobody_and_takes_no_push_from_mail_that_does() {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.sleeper("bob").await);
    network.subscribe(&mesh, &bob, "phone").await;
    let silent = |text: &str| {
        let (_, sealed) = alice.client.seal(&bob.secret.public(), text).unwrap();
        Send {
            silent: true,
            ..Send::new(bob.secret.public().identifier(), document(sealed.canonical()).unwrap())
        }
    };

    // In a batch of the broker's, one by one, and over HTTP.
    let many: Vec<_> = (0..40).map(|n| silent(&format!("receipt {n}"))).collect();
    join_all(many.iter().map(|message| alice.client.call(&SEND, message))).await;
    let over_http = serde_json::to_string(&silent("over HTTP")).unwrap();
    mesh.web().post("/v1/messages", over_http).await.read::<Sent>(202);
    settled(&mesh.user("push").await).await;
    assert_eq!(network.all().len(), 0);
    assert!(counts(&mesh, 1).await.values().all(|count| *count == 0));

    alice.client.send("bob", "a text").await.unwrap();
    alice.client.call(&SEND, &silent("and a receipt after it")).await.unwrap();
    settled(&mesh.user("push").await).await;
    assert_eq!(network.to("phone").len(), 1);
    assert_eq!(mesh.connect(&bob.secret).await.unwrap().fetch(0, 100).await.unwrap().messages.len(), 43);
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_for_people_without_subscriptions_is_soon_forgotten() {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    let (alice, _) = (mesh.person("alice").await, mesh.sleeper("bob").await);
    send(&alice, "bob", 10).await;
    settled(&mesh.user("push").await).await;
    assert_eq!(network.all().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_can_be_tried_by_whom_it_would_wake_and_by_nobody_else() {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    let (alice, mallory) = (mesh.sleeper("alice").await, mesh.person("mallory").await);
    network.subscribe(&mesh, &alice, "phone").await;
    let me = mesh.connect(&alice.secret).await.unwrap();
    let test = Test { endpoint: network.endpoint("phone") };

    let tested = me.call(&TEST, &test).await.unwrap();
    assert!(tested.accepted && tested.status == Some(201));
    network.script("phone", [tests::push::Reply::Status(410)]);
    let tested = me.call(&TEST, &test).await.unwrap();
    assert!(!tested.accepted && tested.status == Some(410));
    assert_eq!(network.to("phone").len(), 2);
    assert!(mallory.client.call(&TEST, &test).await.is_err());
    assert_eq!(network.all().len(), 2);
}
