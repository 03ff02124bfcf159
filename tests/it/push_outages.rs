//! Whatever is away for a while, mail that came meanwhile is woken for.

use std::fs;
use std::time::{Duration, Instant};

use async_nats::Client;
use serde_json::{Value, json};
use tests::push::{Sleeper, consumer, counts, settled};
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
    // It was looked at, and given back: nothing is acknowledged that nobody was woken for.
    let push = mesh.user("push").await;
    let given_back = until_delivered_again(&push).await;
    assert_eq!((&given_back["ack_floor"]["stream_seq"], network.all().len()), (&json!(0), 0));
    fs::rename(&away, &here).unwrap();

    network.heard("phone", 1).await;
    settled(&push).await;
    assert_eq!(counts(&mesh, 1).await["accepted"], 1);
}

/// Waits until mail is on its way a second time; what the broker says of it then.
async fn until_delivered_again(push: &Client) -> Value {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let info = consumer(push).await;
        if info["num_redelivered"] != 0 {
            return info;
        }
        assert!(Instant::now() < deadline, "it is not delivered again: {info}");
    }
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
