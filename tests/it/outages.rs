//! Something is away: whoever needs it hears so at once, whoever does not goes on, and all is well again when it is back.

use std::fs;
use std::time::{Duration, Instant};

use kez::mail::document;
use kez_contract::inbox::{SEND, Send, Sent};
use kez_contract::sigchain::{BySubject, Claimant, Claimants, WEB_CLAIMANTS};
use kez_contract::{Code, Problem};
use kez_crypto::SecretKey;
use kez_service::{Delivery, Service, ask, random};
use tests::web::Answer;
use tests::{Mesh, Person};
use tokio::time::timeout;

/// That nobody is there is known in milliseconds; who waits for an answer waits for seconds.
const AT_ONCE: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_no_message_can_carry_is_a_refusal_and_no_silence() {
    let mesh = Mesh::broker().await;
    let answer = |(), _: Delivery<BySubject>| async {
        let primary = "x".repeat(2 * 1024 * 1024);
        Ok(Claimants { claimants: vec![Claimant { primary, event: document(b"{}".to_vec())? }], more: false })
    };
    let service = Service::new("sigchain", ()).on(WEB_CLAIMANTS, answer);
    let _running = service.start(&mesh.user("sigchain").await, 8).await.unwrap();
    let (web, begun) = (mesh.user("gateway").await, Instant::now());
    let asked = BySubject { subject: "github:x".to_owned(), after: None };
    let refused = ask(&web, WEB_CLAIMANTS, &asked).await.unwrap_err();
    assert_eq!(refused.code, Code::Internal, "{refused}");
    assert!(begun.elapsed() < AT_ONCE);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_inbox_sends_fail_at_once_and_arrive_when_it_is_back() {
    let mut mesh = Mesh::start().await;
    let [alice, bob] = [mesh.person("alice").await, mesh.person("bob").await];
    mesh.inbox.take().unwrap().stop().await.unwrap();

    let message = message(&alice, &bob, "is anybody there?");
    let begun = Instant::now();
    let refused = alice.client.call(&SEND, &message).await.unwrap_err();
    println!("over NATS, that there is no inbox is known after {:?}", begun.elapsed());
    assert_eq!((refused.code, refused.detail.as_str()), (Code::Unavailable, "no inbox service is running"));
    assert!(begun.elapsed() < AT_ONCE);

    let begun = Instant::now();
    let refused = over_http(&mesh, &message).await;
    println!("over HTTP, after {:?}", begun.elapsed());
    refused.refused(503, "unavailable");
    assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0), "{refused:?}");
    assert!(begun.elapsed() < AT_ONCE);

    // Her client goes on trying, and needs nobody to tell it when to stop.
    let sending = tokio::spawn({
        let client = alice.client.clone();
        async move { client.send("bob", "then later").await }
    });
    mesh.inbox = Some(mesh.another_inbox().await);
    sending.await.unwrap().unwrap();
    alice.client.call(&SEND, &message).await.unwrap();
    let texts: Vec<String> = bob.mailbox().await.into_iter().map(|text| text.text).collect();
    assert_eq!(texts, ["then later", "is anybody there?"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_registry_those_who_are_known_reach_each_other() {
    let mut mesh = Mesh::start().await;
    let [alice, bob, carol] =
        [mesh.person("alice").await, mesh.person("bob").await, mesh.person("carol").await];
    // The inbox has heard of bob, under both his names, and of nobody else.
    alice.send(&bob, "by key").await;
    let by_handle = Send { to: "bob".to_owned(), ..message(&alice, &bob, "by handle") };
    over_http(&mesh, &by_handle).await.read::<Sent>(202);
    mesh.registry.take().unwrap().stop().await.unwrap();

    alice.client.call(&SEND, &message(&alice, &bob, "by key, again")).await.unwrap();
    let by_handle = Send { to: "bob".to_owned(), ..message(&alice, &bob, "by handle, again") };
    over_http(&mesh, &by_handle).await.read::<Sent>(202);
    assert_eq!(bob.mailbox().await.len(), 4);
    mesh.connect(&bob.secret).await.expect("who signed in a moment ago may do so again");

    let begun = Instant::now();
    unavailable(alice.client.call(&SEND, &message(&alice, &carol, "hello")).await);
    unavailable(alice.client.lookup("bob").await);
    unavailable(carol.client.register("caroline").await);
    over_http(&mesh, &message(&alice, &carol, "hello")).await.refused(503, "unavailable");
    mesh.web().get("/v1/u/bob").await.refused(503, "unavailable");
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    let stranger = mesh.connect(&SecretKey::from_seed(random::bytes())).await;
    assert!(stranger.is_err(), "nobody can say whether this is somebody");

    mesh.registry = Some(mesh.another_registry().await);
    alice.send(&carol, "hello").await;
    mesh.person("dave").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_the_registry_says_so_and_keeps_nothing_that_would_be_lost() {
    let mut mesh = Mesh::start().await;
    let [alice, bob] = [mesh.person("alice").await, mesh.person("bob").await];
    let dave = mesh.stranger().await;
    let here = mesh.folder().join("database");
    let away = mesh.folder().join("moved");

    fs::rename(&here, &away).unwrap();
    unavailable(dave.client.register("dave").await);
    assert_eq!(bob.client.lookup("alice").await.unwrap().primary, alice.key().identifier());
    assert!(!here.exists(), "no second database is begun in its place");

    fs::rename(&away, &here).unwrap();
    dave.client.register("dave").await.unwrap();
    // What was acknowledged is in the file, and not only in memory.
    mesh.registry.take().unwrap().stop().await.unwrap();
    mesh.registry = Some(mesh.another_registry().await);
    assert_eq!(bob.client.lookup("dave").await.unwrap().primary, dave.key().identifier());
}

#[tokio::test(flavor = "multi_thread")]
async fn health_follows_the_broker_and_readiness_the_services() {
    let mut mesh = Mesh::start().await;
    let web = mesh.web();
    web.get("/v1/healthz").await.read::<serde_json::Value>(200);
    until(&mesh, "/v1/readyz", 200).await;

    mesh.inbox.take().unwrap().stop().await.unwrap();
    let missing = until(&mesh, "/v1/readyz", 503).await.refused(503, "unavailable");
    assert_eq!(missing["detail"], "not running: inbox");
    web.get("/v1/healthz").await.read::<serde_json::Value>(200);
    mesh.inbox = Some(mesh.another_inbox().await);
    until(&mesh, "/v1/readyz", 200).await;

    mesh.kill_broker().await;
    until(&mesh, "/v1/healthz", 503).await.refused(503, "unavailable");
    until(&mesh, "/v1/readyz", 503).await.refused(503, "unavailable");
    mesh.start_broker().await;
    until(&mesh, "/v1/healthz", 200).await;
    until(&mesh, "/v1/readyz", 200).await;
}

fn message(from: &Person, to: &Person, text: &str) -> Send {
    let (_, sealed) = from.client.seal(&to.key(), text).unwrap();
    Send::new(to.key().identifier(), document(sealed.canonical()).unwrap())
}

async fn over_http(mesh: &Mesh, message: &Send) -> Answer {
    mesh.web().post("/v1/messages", serde_json::to_string(message).unwrap()).await
}

#[track_caller]
fn unavailable<Reply: std::fmt::Debug>(answer: Result<Reply, Problem>) {
    let problem = answer.unwrap_err();
    assert_eq!(problem.code, Code::Unavailable, "{problem}");
}

/// The first answer with this status.
async fn until(mesh: &Mesh, path: &str, status: u16) -> Answer {
    let web = mesh.web();
    let asking = async {
        loop {
            let answer = web.get(path).await;
            if answer.status == status {
                return answer;
            }
        }
    };
    timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("{path} does not come to {status}"))
}
