//! The inbox and the broker are killed while hundreds of messages are on their way: what was acknowledged is there, once.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use tests::load::each_once;
use tests::person::Text;
use tests::{Load, Mesh, Person, Process, operator};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Nobody here is a person.
const TIRELESS: &str = "--person-sends-per-minute=1000000";
const MESSAGES: usize = 1500;
const AT_ONCE: usize = 48;
/// Connections come back within a few seconds, and a follower fetches what its feed has missed as soon as its own does.
const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread")]
async fn load_inbox_and_broker_are_killed_and_nothing_is_lost() {
    let mut mesh = Mesh::with(&[("inbox", TIRELESS)]).await;
    let [alice, bob] = [mesh.person("alice").await, mesh.person("bob").await];
    let inbox = only_inbox_as_process(&mut mesh).await;
    let followers = follow_in_every_way(&mesh, &bob).await;

    let mut load = Load::start(&alice, &bob, MESSAGES, AT_ONCE);
    load.until(MESSAGES / 5).await;
    inbox.kill();
    let _inbox = Process::start(&mesh, "inbox", &[TIRELESS]);
    load.until(MESSAGES * 2 / 5).await;
    mesh.restart_broker().await;
    load.until(MESSAGES * 3 / 5).await;

    let acknowledged = load.finish().await;
    each_once(&bob.mailbox().await, &acknowledged, MESSAGES);
    for follower in followers {
        each_once(&follower.await.unwrap(), &acknowledged, MESSAGES);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn load_broker_is_killed_twice_and_nothing_is_lost() {
    let mut mesh = Mesh::with(&[("inbox", TIRELESS)]).await;
    let [alice, bob] = [mesh.person("alice").await, mesh.person("bob").await];
    let followers = follow_in_every_way(&mesh, &bob).await;

    let mut load = Load::start(&alice, &bob, MESSAGES, AT_ONCE);
    for round in 1..=2 {
        load.until(MESSAGES * round / 5).await;
        mesh.restart_broker().await;
    }

    let acknowledged = load.finish().await;
    each_once(&bob.mailbox().await, &acknowledged, MESSAGES);
    for follower in followers {
        each_once(&follower.await.unwrap(), &acknowledged, MESSAGES);
    }
}

/// The inbox of this process makes room for one that can be killed.
async fn only_inbox_as_process(mesh: &mut Mesh) -> Process {
    mesh.inbox.take().unwrap().stop().await.unwrap();
    let inbox = Process::start(mesh, "inbox", &[TIRELESS]);
    operator::until_replicas(&mesh.user("operator").await, "inbox", 1).await;
    inbox
}

/// Reads along over NATS, over the broker's WebSocket and over HTTP.
async fn follow_in_every_way(mesh: &Mesh, bob: &Person) -> Vec<JoinHandle<Vec<Text>>> {
    let websocket = mesh.connect_websocket(&bob.secret).await.unwrap();
    let over_nats = bob.follow().await;
    let over_websocket = websocket.follow(0).await.unwrap();
    let over_http = mesh.http_client(&bob.secret).follow(&bob.name(), 0).await.unwrap();
    vec![
        tokio::spawn(read(over_nats.map(|received| Text::from(&received)))),
        tokio::spawn(read(over_websocket.map(|received| Text::from(&received)))),
        tokio::spawn(read(over_http.map(|received| Text::from(&received.unwrap())))),
    ]
}

/// As many messages as there are to be, as they come.
async fn read(mut stream: impl Stream<Item = Text> + Unpin) -> Vec<Text> {
    let mut texts = Vec::new();
    while texts.len() < MESSAGES {
        let next = timeout(PATIENCE, stream.next()).await;
        texts.push(next.unwrap_or_else(|_| panic!("only {} came", texts.len())).expect("it goes on"));
    }
    texts
}
