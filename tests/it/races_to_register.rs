//! Many want one handle, or one wants many: one registration stands, on SQLite and on PostgreSQL, whoever answers.

use futures_util::future::join_all;
use kez::client::Client;
use kez::http::HttpClient;
use kez_contract::event::{REGISTRY_FEED, RegistryFact};
use kez_contract::registry::{Record, Registered};
use kez_contract::{Code, Problem};
use kez_crypto::SecretKey;
use kez_service::random;
use tests::operator::until_replicas;
use tests::{Guest, Mesh, Tap};

/// Somebody who wants a handle, over NATS or over HTTP.
enum Racer {
    Nats(Client),
    Http(Box<HttpClient>),
}

impl Racer {
    async fn new(mesh: &Mesh, secret: &SecretKey, over_http: bool) -> Self {
        if over_http {
            Self::Http(Box::new(mesh.http_client(secret)))
        } else {
            Self::Nats(mesh.connect(secret).await.unwrap())
        }
    }

    async fn register(&self, handle: &str) -> Result<Registered, Problem> {
        match self {
            Self::Nats(client) => client.register(handle).await,
            Self::Http(client) => client.register(handle).await,
        }
    }
}

/// Of many answers the one that stands, and that all others were refused with this code.
fn one_won(answers: Vec<Result<Registered, Problem>>, code: Code) -> Record {
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    let won: Vec<Registered> = won.into_iter().flatten().collect();
    assert_eq!(won.len(), 1, "{won:?}");
    assert!(won[0].created);
    for answer in lost {
        let problem = answer.unwrap_err();
        assert_eq!(problem.code, code, "{problem}");
    }
    won[0].record.clone()
}

async fn fifty_race_for_a_handle(mesh: Mesh) {
    let _replica = mesh.another_registry().await;
    let watcher = mesh.person("watcher").await;
    let mut feed = Tap::on(Guest::person(&mesh, &watcher).await, &[REGISTRY_FEED.pattern()]).await;
    let secrets: Vec<SecretKey> = (0..50).map(|_| SecretKey::from_seed(random::bytes())).collect();
    let racers = secrets.iter().enumerate().map(|(n, secret)| Racer::new(&mesh, secret, n % 2 == 0));
    let racers = join_all(racers).await;

    let record =
        one_won(join_all(racers.iter().map(|racer| racer.register("alice"))).await, Code::HandleTaken);

    assert_eq!(watcher.client.lookup("alice").await, Ok(record.clone()));
    let mut here = Vec::new();
    for secret in &secrets {
        match watcher.client.by_primary(&secret.public()).await {
            Ok(found) => here.push(found),
            Err(problem) => assert_eq!(problem.code, Code::NotFound),
        }
    }
    assert_eq!(here, std::slice::from_ref(&record), "who lost is not half registered");
    let announced: Vec<RegistryFact> =
        feed.heard().await.iter().map(|fact| serde_json::from_slice(&fact.payload).unwrap()).collect();
    let [RegistryFact::Registered { record: announced, .. }] = &announced[..] else {
        panic!("{announced:?}")
    };
    assert_eq!(*announced, record);
    // Who lost may have another handle.
    let loser = secrets.iter().position(|secret| secret.public().identifier() != record.primary).unwrap();
    assert!(racers[loser].register("another").await.unwrap().created);
    let answered = until_replicas(&mesh.user("operator").await, "registry", 2).await;
    let calls = |stats: &async_nats::service::Stats| -> usize {
        let registers = stats.endpoints.iter().filter(|endpoint| endpoint.name.ends_with("-register"));
        registers.map(|endpoint| endpoint.requests).sum()
    };
    assert!(answered.values().all(|stats| calls(stats) > 0), "both replicas took part");
}

async fn one_key_races_for_many_handles(mesh: Mesh) {
    let _replica = mesh.another_registry().await;
    let asker = mesh.person("asker").await;
    let secret = SecretKey::from_seed(random::bytes());
    let handles: Vec<String> = (0..24).map(|n| format!("alice-{n}")).collect();
    // Each on a connection of its own: who has won signs in again.
    let racers = join_all((0..handles.len()).map(|n| Racer::new(&mesh, &secret, n % 2 == 0))).await;
    let answers = racers.iter().zip(&handles).map(|(racer, handle)| racer.register(handle));

    let record = one_won(join_all(answers).await, Code::PrimaryTaken);

    assert_eq!(asker.client.by_primary(&secret.public()).await, Ok(record.clone()));
    for handle in &handles {
        let found = asker.client.lookup(handle).await.map_err(|problem| problem.code);
        let wanted = if *handle == record.handle { Ok(record.clone()) } else { Err(Code::NotFound) };
        assert_eq!(found, wanted, "{handle}");
    }
    // What is free, somebody else may have.
    let free = handles.iter().find(|handle| **handle != record.handle).unwrap();
    mesh.person(free).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_who_want_a_handle_one_gets_it_on_sqlite() {
    fifty_race_for_a_handle(Mesh::start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_who_want_a_handle_one_gets_it_on_postgresql() {
    let Some(mesh) = Mesh::on_postgres().await else { return };
    fifty_race_for_a_handle(mesh).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_wants_many_handles_gets_one_on_sqlite() {
    one_key_races_for_many_handles(Mesh::start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_wants_many_handles_gets_one_on_postgresql() {
    let Some(mesh) = Mesh::on_postgres().await else { return };
    one_key_races_for_many_handles(mesh).await;
}
