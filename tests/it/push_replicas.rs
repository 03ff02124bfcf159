//! Several push services share the work: nobody is woken twice, and what one leaves undone another does.

use futures_util::future::join_all;
use tests::push::{Reply, Sleeper, counts, settled};
use tests::{Mesh, Person, Process, PushNetwork};

/// People who sleep, each with a phone.
async fn sleepers(mesh: &Mesh, network: &PushNetwork, number: usize) -> Vec<Sleeper> {
    let mut sleepers = Vec::new();
    for number in 0..number {
        let sleeper = mesh.sleeper(&format!("sleeper{number}")).await;
        network.subscribe(mesh, &sleeper, &sleeper.handle).await;
        sleepers.push(sleeper);
    }
    sleepers
}

/// Everybody is written to, several times.
async fn write(alice: &Person, sleepers: &[Sleeper], times: usize) {
    for text in 0..times {
        let text = format!("message {text}");
        let sends = sleepers.iter().map(|sleeper| alice.client.send(&sleeper.handle, &text));
        join_all(sends).await.into_iter().for_each(|sent| drop(sent.unwrap()));
    }
}

fn each_once(network: &PushNetwork, sleepers: &[Sleeper]) {
    let numbers: Vec<_> = sleepers.iter().map(|sleeper| network.to(&sleeper.handle).len()).collect();
    assert!(numbers.iter().all(|number| *number == 1), "{numbers:?}");
}

/// A push service in a process of its own, with what the others have.
fn process(mesh: &Mesh, network: &PushNetwork) -> Process {
    let mut flags = network.flags();
    flags.push(format!("--database-url={}", mesh.plan.push_database_url));
    flags.push(format!("--vapid-contact={}", mesh.plan.vapid_contact));
    flags.push(format!("--vapid-key-file={}", mesh.keys.vapid_file().display()));
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    Process::start(mesh, "push", &flags)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_wake_everybody_once() {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    share(&network, &mesh).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_on_postgres_wake_everybody_once() {
    let network = PushNetwork::start().await;
    let Some(mesh) = Mesh::on_postgres_with(&tests::push::as_push(&network.flags())).await else { return };
    share(&network, &mesh).await;
}

async fn share(network: &PushNetwork, mesh: &Mesh) {
    let _replica = mesh.another_push().await;
    let alice = mesh.person("alice").await;
    let sleepers = sleepers(mesh, network, 20).await;
    mesh.stretch_bursts();

    write(&alice, &sleepers, 10).await;
    settled(&mesh.user("push").await).await;

    each_once(network, &sleepers);
    assert_eq!(counts(mesh, 2).await["accepted"], 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_stops_leaves_the_rest_to_the_other() {
    let network = PushNetwork::start().await;
    let mut mesh = network.mesh().await;
    let other = mesh.another_push().await;
    let alice = mesh.person("alice").await;
    let sleepers = sleepers(&mesh, &network, 40).await;
    mesh.stretch_bursts();

    let writing = write(&alice, &sleepers, 5);
    let stopping = async {
        network.heard(&sleepers[0].handle, 1).await;
        mesh.push.take().unwrap().stop().await.unwrap();
    };
    tokio::join!(writing, stopping);
    settled(&mesh.user("push").await).await;

    each_once(&network, &sleepers);
    other.stop().await.unwrap();
}

/// The network had the push of whoever was killed, or not: that cannot be known, so it is made again.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_killed_loses_nothing() {
    let network = PushNetwork::start().await;
    let mut mesh = network.mesh().await;
    let alice = mesh.person("alice").await;
    let sleepers = sleepers(&mesh, &network, 8).await;
    for sleeper in &sleepers {
        network.script(&sleeper.handle, [Reply::Silent, Reply::Status(201)]);
    }
    mesh.push.take().unwrap().stop().await.unwrap();
    let killed = process(&mesh, &network);

    write(&alice, &sleepers, 1).await;
    for sleeper in &sleepers {
        network.heard(&sleeper.handle, 1).await;
    }
    killed.kill();
    let other = mesh.another_push().await;
    // New mail meanwhile is no reason to push twice.
    write(&alice, &sleepers, 1).await;
    settled(&mesh.user("push").await).await;

    for sleeper in &sleepers {
        assert_eq!(network.to(&sleeper.handle).len(), 2, "{}", sleeper.handle);
    }
    other.stop().await.unwrap();
}
