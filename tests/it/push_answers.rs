//! What push networks answer: some subscriptions are over, others are tried again later, and nobody waits for another.

use std::time::Duration;

use tests::push::{Reply, Sleeper, as_push, counts, endpoints, settled};
use tests::{Mesh, Person, PushNetwork};

/// Alice, who writes, and Bob, who sleeps.
async fn two(mesh: &Mesh) -> (Person, Sleeper) {
    (mesh.person("alice").await, mesh.sleeper("bob").await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_its_network_forgot_or_refuses_is_over() {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    over(&network, &mesh).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_on_postgres() {
    let network = PushNetwork::start().await;
    let Some(mesh) = Mesh::on_postgres_with(&as_push(&network.flags())).await else { return };
    over(&network, &mesh).await;
}

async fn over(network: &PushNetwork, mesh: &Mesh) {
    let (alice, bob) = two(mesh).await;
    for status in [201, 404, 410, 400, 401, 403, 413] {
        let device = status.to_string();
        network.script(&device, [Reply::Status(status)]);
        network.subscribe(mesh, &bob, &device).await;
    }
    alice.client.send("bob", "hello").await.unwrap();
    settled(&mesh.user("push").await).await;

    assert_eq!(endpoints(mesh, &bob).await, [network.endpoint("201")]);
    assert_eq!(network.all().len(), 7);
    let counts = counts(mesh, 1).await;
    assert_eq!((counts["accepted"], counts["gone"], counts["refused"]), (1, 2, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_asks_for_patience_gets_it() {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    let (alice, bob) = two(&mesh).await;
    network.script("phone", [Reply::With(429, "retry-after", "3".to_owned()), Reply::Status(201)]);
    network.subscribe(&mesh, &bob, "phone").await;
    network.subscribe(&mesh, &bob, "tablet").await;
    mesh.stretch_bursts();

    for text in ["one", "two", "three"] {
        alice.client.send("bob", text).await.unwrap();
    }
    let pushes = network.heard("phone", 2).await;
    settled(&mesh.user("push").await).await;

    let pause = pushes[1].at - pushes[0].at;
    assert!(pause >= Duration::from_secs(3), "{pause:?}");
    assert_eq!(network.to("phone").len(), 2);
    assert_eq!(network.to("tablet").len(), 1, "what one network asks for is nothing to another");
    assert_eq!(endpoints(&mesh, &bob).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_fails_is_tried_again_and_holds_nobody_up() {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    let (alice, bob) = two(&mesh).await;
    network.script("phone", [Reply::Status(500), Reply::Status(503), Reply::Endless]);
    // Where a redirect leads nobody goes.
    network
        .script("moved", [Reply::With(307, "location", network.endpoint("elsewhere")), Reply::Status(201)]);
    for device in ["phone", "moved", "tablet"] {
        network.subscribe(&mesh, &bob, device).await;
    }

    alice.client.send("bob", "hello").await.unwrap();
    network.heard("tablet", 1).await;
    let pushes = network.heard("phone", 3).await;
    settled(&mesh.user("push").await).await;

    for pause in pushes.windows(2).map(|two| two[1].at - two[0].at) {
        assert!(pause >= Duration::from_secs(1), "{pause:?}");
    }
    let number = |device| network.to(device).len();
    assert_eq!((number("phone"), number("moved"), number("tablet"), number("elsewhere")), (3, 2, 1, 0));
    assert_eq!(endpoints(&mesh, &bob).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_never_answers_is_left_and_tried_again() {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    let (alice, bob) = two(&mesh).await;
    let carol = mesh.sleeper("carol").await;
    network.script("silent", [Reply::Silent, Reply::Status(201)]);
    network.subscribe(&mesh, &bob, "silent").await;
    network.subscribe(&mesh, &carol, "phone").await;

    alice.client.send("bob", "hello").await.unwrap();
    let silent = network.heard("silent", 1).await;
    alice.client.send("carol", "hello").await.unwrap();
    let phone = network.heard("phone", 1).await;
    assert!(phone[0].at - silent[0].at < Duration::from_secs(5), "nobody waits for another's network");

    let silent = network.heard("silent", 2).await;
    let pause = silent[1].at - silent[0].at;
    assert!(pause >= Duration::from_secs(11) && pause < Duration::from_secs(20), "{pause:?}");
    settled(&mesh.user("push").await).await;
    assert_eq!(counts(&mesh, 1).await["failed"], 1);
}

/// Mail that comes while a network is left alone is woken for in one go.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_during_a_pause_asks_for_no_more() {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    let (alice, bob) = two(&mesh).await;
    network.script("phone", [Reply::With(503, "retry-after", "8".to_owned()), Reply::Status(201)]);
    network.subscribe(&mesh, &bob, "phone").await;
    mesh.stretch_bursts();

    let push = mesh.user("push").await;
    alice.client.send("bob", "hello").await.unwrap();
    network.heard("phone", 1).await;
    for number in 0..20 {
        alice.client.send("bob", &format!("message {number}")).await.unwrap();
    }
    network.heard("phone", 2).await;
    settled(&push).await;
    assert_eq!(network.to("phone").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_woken_for_what_is_a_day_old() {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    let (alice, bob) = two(&mesh).await;
    network.script("phone", [Reply::Status(500)]);
    network.subscribe(&mesh, &bob, "phone").await;
    alice.client.send("bob", "hello").await.unwrap();
    network.heard("phone", 1).await;

    mesh.clock.advance(25 * 60 * 60);
    settled(&mesh.user("push").await).await;

    assert!(network.to("phone").len() <= 2);
    assert_eq!(counts(&mesh, 1).await["expired"], 1);
}
