//! Nobody leads pushes to what is not public: not by an address, a name, a redirect, nor by names that change.

use hickory_server::proto::rr::RecordType::{A, AAAA};
use tests::accounts::{self, FORBIDDEN, HERE};
use tests::push::{Reply, settled, subscribe, until_counted};
use tests::{Mesh, PushNetwork};

/// A network on whose port a victim listens at the forbidden address.
async fn with_victim() -> (PushNetwork, accounts::Victim) {
    loop {
        let network = PushNetwork::start().await;
        if let Some(victim) = network.victim() {
            return (network, victim);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_a_private_address_is_not_reached() {
    let (network, victim) = with_victim().await;
    let mesh = network.mesh().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.sleeper("bob").await);
    network.accounts.names.set("inside.test", A, [accounts::Reply::addresses(&[FORBIDDEN])]);
    let mapped = accounts::Reply::addresses(&["::ffff:127.0.0.1".parse().unwrap()]);
    network.accounts.names.set("mapped.test", AAAA, [mapped]);
    for name in ["inside.test", "mapped.test", "localhost"] {
        subscribe(&mesh, &bob, &format!("https://{name}:{}/phone", network.port())).await.unwrap();
    }
    alice.client.send("bob", "hello").await.unwrap();
    until_counted(&mesh, "failed", 3).await;
    victim.was_left_alone();
}

/// Between check and use nobody asks; and whoever asks again checks again.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_changes_leads_nowhere_else() {
    let (network, victim) = with_victim().await;
    let mesh = network.mesh().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.sleeper("bob").await);
    let names = &network.accounts.names;
    let [here, forbidden] = [HERE, FORBIDDEN].map(|address| accounts::Reply::addresses(&[address]));
    names.set("push.test", A, [here, forbidden]);
    network.script("phone", [Reply::With(500, "connection", "close".to_owned())]);
    network.subscribe(&mesh, &bob, "phone").await;

    alice.client.send("bob", "hello").await.unwrap();
    network.heard("phone", 1).await;
    until_counted(&mesh, "failed", 1).await;
    assert!(names.asked("push.test", A) >= 2);
    assert_eq!(network.to("phone").len(), 1);
    victim.was_left_alone();
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_lead_nowhere() {
    let (network, victim) = with_victim().await;
    let mesh = network.mesh().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.sleeper("bob").await);
    for (device, target) in [
        ("address", format!("https://127.0.0.1:{}/", network.port())),
        ("plain", format!("http://127.0.0.1:{}/", network.port())),
        ("file", "file:///etc/passwd".to_owned()),
        ("own", network.endpoint("elsewhere")),
    ] {
        network.script(device, [Reply::With(308, "location", target), Reply::Status(410)]);
        network.subscribe(&mesh, &bob, device).await;
    }
    alice.client.send("bob", "hello").await.unwrap();
    settled(&mesh.user("push").await).await;
    assert_eq!(network.all().len(), 8);
    assert_eq!(network.to("elsewhere").len(), 0);
    victim.was_left_alone();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_nobody_trusts_is_not_pushed_to() {
    let network = PushNetwork::start().await;
    let stranger = network.stranger("stranger.test").await;
    let mesh = network.mesh().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.sleeper("bob").await);
    subscribe(&mesh, &bob, &stranger.endpoint("phone")).await.unwrap();
    alice.client.send("bob", "hello").await.unwrap();
    until_counted(&mesh, "failed", 1).await;
    assert_eq!(stranger.all().len(), 0);
}

/// The private networks of tests are this one address's.
#[tokio::test(flavor = "multi_thread")]
async fn without_being_allowed_to_nobody_is_pushed_to_here() {
    let network = PushNetwork::start().await;
    let flags: Vec<String> =
        network.flags().into_iter().filter(|flag| !flag.starts_with("--allow-private-push")).collect();
    let mesh = Mesh::with(&tests::push::as_push(&flags)).await;
    let (alice, bob) = (mesh.person("alice").await, mesh.sleeper("bob").await);
    network.subscribe(&mesh, &bob, "phone").await;
    alice.client.send("bob", "hello").await.unwrap();
    until_counted(&mesh, "failed", 1).await;
    assert_eq!(network.all().len(), 0);
}
