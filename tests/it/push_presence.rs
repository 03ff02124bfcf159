//! Who is connected is known from news that may get lost: the price is a push too many, never one too few.

use futures_util::StreamExt;
use kez::up::mesh as services;
use kez::up::mesh::Plan;
use kez_service::connections::Connections;
use serde_json::json;
use tests::guest::Credentials;
use tests::push::{counts, settled, until_counted};
use tests::{Cable, Guest, Mesh, PushNetwork};

/// The replica believes that alice is there, and nobody tells it that she has left.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_unnoticed_is_woken_all_the_same() {
    let network = PushNetwork::start().await;
    let mut mesh = network.mesh().await;
    mesh.push.take().unwrap().stop().await.unwrap();
    let cable = Cable::to(&mesh.plan.nats_url).await;
    let plan = Plan { nats_url: cable.url(), ..mesh.plan.clone() };
    let replica = services::push(&plan, &mesh.keys, &mesh.clock).await.unwrap();

    let (alice, bob) = (mesh.sleeper("alice").await, mesh.person("bob").await);
    network.subscribe(&mesh, &alice, "phone").await;
    let there = mesh.connect(&alice.secret).await.unwrap();
    bob.client.send("alice", "you are there").await.unwrap();
    until_counted(&mesh, "skipped_online", 1).await;
    assert_eq!(network.all().len(), 0);

    cable.pull();
    let left = there.nats().clone();
    drop(there);
    left.drain().await.unwrap();
    until_gone(&mesh, &alice.secret.public().to_hex()).await;
    cable.plug();

    bob.client.send("alice", "you are not").await.unwrap();
    network.heard("phone", 1).await;
    settled(&mesh.user("push").await).await;
    assert_eq!(network.to("phone").len(), 1);
    replica.stop().await.unwrap();
}

/// Mail was skipped, for she was there; but her connection broke, perhaps before the mail came through.
#[tokio::test(flavor = "multi_thread")]
async fn whose_connection_breaks_after_mail_is_woken_once() {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    let (alice, bob) = (mesh.sleeper("alice").await, mesh.person("bob").await);
    network.subscribe(&mesh, &alice, "phone").await;
    let _there = mesh.connect(&alice.secret).await.unwrap();
    bob.client.send("alice", "hello").await.unwrap();
    until_counted(&mesh, "skipped_online", 1).await;
    assert_eq!(network.all().len(), 0);

    let callout = mesh.user("auth-callout").await;
    for _ in 0..2 {
        let mut servers = Connections::new(&callout).named(&alice.secret.public().to_hex()).await.unwrap();
        for connection in servers.next().await.unwrap().connections {
            let body = json!({ "cid": connection.cid }).to_string();
            let subject = kez_contract::sign_in::disconnect(&connection.server_id);
            callout.publish_with_reply(subject, callout.new_inbox(), body.into()).await.unwrap();
        }
        network.heard("phone", 1).await;
    }
    settled(&mesh.user("push").await).await;
    assert_eq!(network.to("phone").len(), 1);
}

/// A session that is for waking alone shows nobody anything.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_only_looks_into_the_mailbox_is_not_there() {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    let (alice, bob) = (mesh.sleeper("alice").await, mesh.person("bob").await);
    network.subscribe(&mesh, &alice, "phone").await;
    let primary = alice.secret.public();
    let credentials = Credentials::to_wake(primary, &alice.secret);
    let _looks = Guest::enter(&mesh.plan.nats_url, primary, credentials).await.unwrap();

    bob.client.send("alice", "hello").await.unwrap();
    network.heard("phone", 1).await;
    settled(&mesh.user("push").await).await;
    assert_eq!(counts(&mesh).await["skipped_online"], 0);
}

/// She has seen it.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_closes_the_connection_is_not_woken_for_what_was_seen() {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    let (alice, bob) = (mesh.sleeper("alice").await, mesh.person("bob").await);
    network.subscribe(&mesh, &alice, "phone").await;
    let there = mesh.connect(&alice.secret).await.unwrap();
    bob.client.send("alice", "hello").await.unwrap();
    until_counted(&mesh, "skipped_online", 1).await;
    there.nats().drain().await.unwrap();
    until_gone(&mesh, &alice.secret.public().to_hex()).await;

    // Later mail wakes her; what she has seen does not.
    bob.client.send("alice", "are you there?").await.unwrap();
    network.heard("phone", 1).await;
    settled(&mesh.user("push").await).await;
    assert_eq!(network.to("phone").len(), 1);
    assert_eq!(counts(&mesh).await["accepted"], 1);
}

/// Waits until the broker lists no connection of that name.
async fn until_gone(mesh: &Mesh, name: &str) {
    let callout = mesh.user("auth-callout").await;
    let connections = Connections::new(&callout);
    while connections.all().await.unwrap().iter().any(|connection| connection.name == name) {}
}
