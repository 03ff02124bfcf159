//! Push networks that take connections and never answer, many at once: everybody else is woken all the same.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use hickory_server::proto::rr::RecordType;
use tests::accounts::{self, HERE};
use tests::push::{Reply, Sleeper, settled, subscribe};
use tests::{Mesh, Person, PushNetwork};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// As many pushes are on their way at once.
const IN_FLIGHT: usize = 32;

/// Where connections are taken and nothing is said.
struct Silence {
    port: u16,
    /// A permit for each connection that came.
    came: Arc<Semaphore>,
    /// Ends with this.
    _listening: JoinSet<()>,
}

impl Silence {
    async fn start() -> Self {
        let listener = TcpListener::bind((HERE, 0)).await.unwrap();
        let (port, came) = (listener.local_addr().unwrap().port(), Arc::new(Semaphore::new(0)));
        let mut listening = JoinSet::new();
        listening.spawn({
            let came = came.clone();
            async move {
                let mut held = Vec::new();
                loop {
                    held.push(listener.accept().await.unwrap());
                    came.add_permits(1);
                }
            }
        });
        Self { port, came, _listening: listening }
    }

    /// Subscribes somebody by a name of this place.
    async fn subscribe(&self, network: &PushNetwork, mesh: &Mesh, sleeper: &Sleeper, host: &str) {
        network.accounts.names.set(host, RecordType::A, [accounts::Reply::addresses(&[HERE])]);
        let endpoint = format!("https://{host}:{}/{}", self.port, sleeper.handle);
        subscribe(mesh, sleeper, &endpoint).await.unwrap();
    }
}

async fn sleepers(mesh: &Mesh, number: usize) -> Vec<Sleeper> {
    let mut sleepers = Vec::new();
    for number in 0..number {
        sleepers.push(mesh.sleeper(&format!("sleeper{number}")).await);
    }
    sleepers
}

/// Everybody is written to once.
async fn write(alice: &Person, sleepers: &[Sleeper]) {
    let sends = sleepers.iter().map(|sleeper| alice.client.send(&sleeper.handle, "hello"));
    join_all(sends).await.into_iter().for_each(|sent| drop(sent.unwrap()));
}

/// How long Carol's device waits for its push once a hundred others are to be woken at these names of a silent place.
async fn beside_a_hundred(host: impl Fn(usize) -> String) -> Duration {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    let silence = Silence::start().await;
    let (alice, carol) = (mesh.person("alice").await, mesh.sleeper("carol").await);
    network.subscribe(&mesh, &carol, "phone").await;
    let sleepers = sleepers(&mesh, 100).await;
    for (number, sleeper) in sleepers.iter().enumerate() {
        silence.subscribe(&network, &mesh, sleeper, &host(number)).await;
    }

    write(&alice, &sleepers).await;
    // Every place that there is for them is taken.
    let _ = silence.came.acquire_many((IN_FLIGHT - 8) as u32).await.unwrap();
    let written = Instant::now();
    alice.client.send("carol", "hello").await.unwrap();
    network.heard("phone", 1).await[0].at - written
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_has_gone_silent_holds_up_nobody_elses() {
    let waited = beside_a_hundred(|_| "silent.test".to_owned()).await;
    assert!(waited < Duration::from_secs(5), "{waited:?}");
}

/// Whoever wants notifications to stop can have as many names as they like.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_silent_networks_hold_nobody_up_for_long() {
    let waited = beside_a_hundred(|number| format!("silent-{number}.test")).await;
    assert!(waited < Duration::from_secs(10), "{waited:?}");
}

/// Those who come last wait for longer than a subscription is taken for at once, beside a second replica that would have
/// them: each is pushed to when its turn comes, and again when that was not answered, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_behind_a_silent_network_is_woken_once() {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    let alice = mesh.person("alice").await;
    let sleepers = sleepers(&mesh, IN_FLIGHT + 16).await;
    for sleeper in &sleepers {
        network.script(&sleeper.handle, [Reply::Silent, Reply::Status(201)]);
        network.subscribe(&mesh, sleeper, &sleeper.handle).await;
    }

    write(&alice, &sleepers).await;
    network.heard_in_all(IN_FLIGHT - 8).await;
    let replica = mesh.another_push().await;
    for sleeper in &sleepers {
        network.heard(&sleeper.handle, 2).await;
    }
    settled(&mesh.user("push").await).await;

    let numbers: Vec<_> = sleepers.iter().map(|sleeper| network.to(&sleeper.handle).len()).collect();
    assert!(numbers.iter().all(|number| *number == 2), "{numbers:?}");
    replica.stop().await.unwrap();
}
