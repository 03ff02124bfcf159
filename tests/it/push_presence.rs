//! Who is connected is known from news that may get lost: the price is a push too many, never one too few.

use std::time::Duration;

use async_nats::Client;
use futures_util::StreamExt;
use kez::up::mesh as services;
use kez::up::mesh::Plan;
use kez_crypto::SecretKey;
use kez_service::Running;
use kez_service::connections::{Connection, Connections};
use serde_json::json;
use tests::guest::Credentials;
use tests::push::{counts, followed, settled, until_counted};
use tests::{Cable, Guest, Mesh, PushNetwork};
use tokio::time::{Instant, timeout};

const PATIENCE: Duration = Duration::from_secs(30);

/// The replica believes that alice is there, and nobody tells it that she has left.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_unnoticed_is_woken_all_the_same() {
    let network = PushNetwork::start().await;
    let mut mesh = network.mesh().await;
    mesh.push.take().unwrap().stop().await.unwrap();
    let cable = Cable::to(&mesh.plan.nats_url).await;
    let replica = push_behind(&cable, &mesh).await;

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

/// A broker that stands still for a moment answers too late: no reason to wake those who are there.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_lost_wakes_nobody_who_is_there() {
    let network = PushNetwork::start().await;
    let mut mesh = network.mesh().await;
    let (alice, bob) = (mesh.sleeper("alice").await, mesh.person("bob").await);
    network.subscribe(&mesh, &alice, "phone").await;
    mesh.push.take().unwrap().stop().await.unwrap();
    let _there = mesh.connect(&alice.secret).await.unwrap();
    bob.client.send("alice", "before the replica starts").await.unwrap();

    let cable = Cable::to(&mesh.plan.nats_url).await;
    cable.lose_lists();
    let replica = push_behind(&cable, &mesh).await;
    cable.lose_no_more_after(1).await;
    let push = mesh.user("push").await;
    followed(&push).await;
    cable.lose_lists();
    bob.client.send("alice", "and while it runs").await.unwrap();
    cable.lose_no_more_after(2).await;
    settled(&push).await;
    assert_eq!(network.all().len(), 0);
    assert!(counts(&mesh, 1).await["skipped_online"] >= 1);
    replica.stop().await.unwrap();
}

/// Mail does not wait for ever; and lists are asked for although no mail waits for them.
#[tokio::test(flavor = "multi_thread")]
async fn when_no_list_comes_any_more_everybody_is_woken_until_one_does() {
    let network = PushNetwork::start().await;
    let mut mesh = network.mesh().await;
    mesh.push.take().unwrap().stop().await.unwrap();
    let cable = Cable::to(&mesh.plan.nats_url).await;
    let replica = push_behind(&cable, &mesh).await;
    let (alice, bob) = (mesh.sleeper("alice").await, mesh.person("bob").await);
    network.subscribe(&mesh, &alice, "phone").await;
    let _there = mesh.connect(&alice.secret).await.unwrap();

    cable.lose_lists();
    bob.client.send("alice", "are you there?").await.unwrap();
    network.heard("phone", 1).await;
    let again = cable.until_lost(cable.lost() + 1);
    timeout(PATIENCE, again).await.expect("it is asked again");
    replica.stop().await.unwrap();
}

/// Mail was skipped, for she was there; but her connection broke, perhaps before the mail came through.
#[tokio::test(flavor = "multi_thread")]
async fn whose_connection_breaks_after_mail_is_woken_once() {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    let bob = mesh.person("bob").await;
    let [alice, carol] = [mesh.sleeper("alice").await, mesh.sleeper("carol").await];
    network.subscribe(&mesh, &alice, "phone").await;
    network.subscribe(&mesh, &carol, "another").await;
    let _there = [mesh.connect(&alice.secret).await.unwrap(), mesh.connect(&carol.secret).await.unwrap()];
    bob.client.send("alice", "hello").await.unwrap();
    bob.client.send("carol", "hello").await.unwrap();
    until_counted(&mesh, "skipped_online", 2).await;
    assert_eq!(network.all().len(), 0);

    let callout = mesh.user("auth-callout").await;
    let broken = break_connection(&callout, &alice.secret, None).await;
    network.heard("phone", 1).await;
    break_connection(&callout, &alice.secret, Some(broken)).await;
    // What is heard of later shows that the second break was heard of, too.
    break_connection(&callout, &carol.secret, None).await;
    network.heard("another", 1).await;
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
    assert_eq!(counts(&mesh, 1).await["skipped_online"], 0);
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
    assert_eq!(counts(&mesh, 1).await["accepted"], 1);
}

/// A push service whose words and those of the broker go through this cable.
async fn push_behind(cable: &Cable, mesh: &Mesh) -> Running {
    let plan = Plan { nats_url: cable.url(), ..mesh.plan.clone() };
    services::push(&plan, &mesh.keys, &mesh.clock).await.unwrap()
}

/// Has the broker end the connection of somebody who has one, which must be another one than the last that was ended.
async fn break_connection(callout: &Client, whose: &SecretKey, last: Option<Connection>) -> Connection {
    let (name, deadline) = (whose.public().to_hex(), Instant::now() + PATIENCE);
    loop {
        let mut servers = Connections::new(callout).named(&name).await.unwrap();
        let there = servers.next().await.map(|named| named.connections).unwrap_or_default();
        if let Some(connection) = there.into_iter().find(|connection| Some(connection) != last.as_ref()) {
            let body = json!({ "cid": connection.cid }).to_string();
            let subject = kez_contract::sign_in::disconnect(&connection.server_id);
            callout.publish_with_reply(subject, callout.new_inbox(), body.into()).await.unwrap();
            return connection;
        }
        assert!(Instant::now() < deadline, "they do not come back");
    }
}

/// Waits until the broker lists no connection of that name.
async fn until_gone(mesh: &Mesh, name: &str) {
    let (callout, deadline) = (mesh.user("auth-callout").await, Instant::now() + PATIENCE);
    let connections = Connections::new(&callout);
    loop {
        // A broker that is late is asked again.
        let list = connections.all().await;
        if list.is_ok_and(|list| list.iter().all(|connection| connection.name != name)) {
            return;
        }
        assert!(Instant::now() < deadline, "the connection stays");
    }
}
