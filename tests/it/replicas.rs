//! More replicas do more work, and when one of them goes, nobody notices.

use std::time::Duration;

use futures_util::StreamExt;
use kez::client::{Client, Connection};
use kez::http::HttpClient;
use tests::load::each_once;
use tests::mesh::SERVER;
use tests::{Load, Mesh, Person, Process, operator};

/// Nobody here is a person.
const TIRELESS: &str = "--person-sends-per-minute=1000000";

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_of_each_service_share_the_work() {
    let mesh = Mesh::start().await;
    let _replicas =
        [mesh.another_registry().await, mesh.another_inbox().await, mesh.another_auth_callout().await];
    let operator = mesh.user("operator").await;
    let alice = mesh.person("alice").await;
    let bob = mesh.person("bob").await;

    let sent = Load::start(&alice, &bob, 200, 20).finish().await;
    for _ in 0..40 {
        bob.client.lookup("alice").await.unwrap();
        mesh.connect(&bob.secret).await.unwrap();
    }

    assert_eq!(bob.mailbox().await, sent);
    for service in ["registry", "inbox", "auth-callout"] {
        let replicas = operator::until_replicas(&operator, service, 2).await;
        let taken: Vec<usize> = replicas.values().map(operator::taken).collect();
        assert!(!taken.contains(&0), "{service}: {taken:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_at_one_gateway_goes_out_at_the_other() {
    let mesh = Mesh::start().await;
    let other = mesh.another_gateway().await;
    let alice = mesh.person("alice").await;
    let bob = mesh.person("bob").await;
    let here = mesh.http_client(&alice.secret);
    let there =
        HttpClient::new(&format!("http://{}", other.address()), SERVER, &bob.secret, &mesh.clock).unwrap();

    let mut follow = there.follow(&bob.name(), 0).await.unwrap();
    for number in 0..20 {
        let text = format!("message {number}");
        here.send("bob", &text).await.unwrap();
        assert_eq!(follow.next().await.unwrap().unwrap().text(), Some(text.as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn load_one_of_two_inboxes_is_killed_and_nothing_is_lost() {
    let mesh = Mesh::with(&[("inbox", TIRELESS)]).await;
    let [alice, bob] = [mesh.person("alice").await, mesh.person("bob").await];
    let replica = second_inbox(&mesh).await;

    let mut load = Load::start(&alice, &bob, 2000, 64);
    load.until(500).await;
    both_work(&mesh).await;
    replica.kill();

    let acknowledged = load.finish().await;
    each_once(&bob.mailbox().await, &acknowledged, 2000);
}

#[tokio::test(flavor = "multi_thread")]
async fn load_one_of_two_inboxes_stops_and_every_call_is_answered() {
    let mesh = Mesh::with(&[("inbox", TIRELESS)]).await;
    let bob = mesh.person("bob").await;
    let alice = without_patience(&mesh, mesh.person("alice").await).await;
    let replica = second_inbox(&mesh).await;

    let mut load = Load::start(&alice, &bob, 2000, 64);
    load.until(500).await;
    both_work(&mesh).await;
    assert!(replica.stop(), "it ends well");

    // Nobody here sends twice: one call without an answer would end this.
    let acknowledged = load.finish().await;
    each_once(&bob.mailbox().await, &acknowledged, 2000);
}

async fn second_inbox(mesh: &Mesh) -> Process {
    let replica = Process::start(mesh, "inbox", &[TIRELESS]);
    operator::until_replicas(&mesh.user("operator").await, "inbox", 2).await;
    replica
}

async fn both_work(mesh: &Mesh) {
    let replicas = operator::until_replicas(&mesh.user("operator").await, "inbox", 2).await;
    let taken: Vec<usize> = replicas.values().map(operator::taken).collect();
    assert!(taken.iter().all(|calls| *calls > 100), "{taken:?}");
}

/// Somebody who asks once, and takes no for an answer.
async fn without_patience(mesh: &Mesh, person: Person) -> Person {
    let connection = mesh.connection(&mesh.plan.nats_url, &person.secret);
    let client = Client::connect(Connection { patience: Duration::ZERO, ..connection }).await.unwrap();
    Person { client, ..person }
}
