//! Whatever is away for a while, mail that came meanwhile is woken for.

use std::fs;

use tests::push::{Sleeper, counts, settled};
use tests::{Mesh, Person, PushNetwork};

/// Alice, who writes, and Bob, who sleeps beside his phone.
async fn two(mesh: &Mesh, network: &PushNetwork) -> (Person, Sleeper) {
    let (alice, bob) = (mesh.person("alice").await, mesh.sleeper("bob").await);
    network.subscribe(mesh, &bob, "phone").await;
    (alice, bob)
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_comes_later_wakes_again() {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    let (alice, _bob) = two(&mesh, &network).await;
    // The push is over for longer than anything is collapsed when the next mail comes.
    mesh.clock.advance(-30);
    for number in 1..=3 {
        alice.client.send("bob", &format!("message {number}")).await.unwrap();
        network.heard("phone", number).await;
        settled(&mesh.user("push").await).await;
    }
    assert_eq!(network.to("phone").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_push_service_mail_waits_for_one() {
    let network = PushNetwork::start().await;
    let mut mesh = network.mesh().await;
    let (alice, _bob) = two(&mesh, &network).await;
    mesh.push.take().unwrap().stop().await.unwrap();
    for number in 0..20 {
        alice.client.send("bob", &format!("message {number}")).await.unwrap();
    }
    assert_eq!(network.all().len(), 0);

    mesh.push = Some(mesh.another_push().await);
    network.heard("phone", 1).await;
    settled(&mesh.user("push").await).await;
    assert_eq!(network.to("phone").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_nobody_is_woken_until_it_is_back() {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    let (alice, _bob) = two(&mesh, &network).await;
    let here = mesh.folder().join("database/push.db");
    let away = mesh.folder().join("moved");
    fs::rename(&here, &away).unwrap();
    alice.client.send("bob", "hello").await.unwrap();
    // Nothing is acknowledged that nobody was woken for.
    assert_eq!(tests::push::consumer(&mesh.user("push").await).await["ack_floor"]["stream_seq"], 0);
    fs::rename(&away, &here).unwrap();

    network.heard("phone", 1).await;
    settled(&mesh.user("push").await).await;
    assert_eq!(counts(&mesh).await["accepted"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_restarts_is_found_again() {
    let network = PushNetwork::start().await;
    let mut mesh = network.mesh().await;
    let (alice, _bob) = two(&mesh, &network).await;
    drop(alice);
    mesh.restart_broker().await;
    mesh.until_all_answer().await;

    let carol = mesh.person("carol").await;
    carol.client.send("bob", "hello").await.unwrap();
    network.heard("phone", 1).await;
    settled(&mesh.user("push").await).await;
    assert_eq!(network.to("phone").len(), 1);
}
