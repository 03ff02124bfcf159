//! Whoever asks too often is told for how long to wait, and nobody else is.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use kez_contract::inbox::Sent;
use kez_contract::{Code, Problem};
use kez_crypto::request_auth;
use serde_json::Value;
use tests::web::Answer;
use tests::{Mesh, Person, Web};

/// What these stories ask in one instant is not what they are about.
const ALL_AT_ONCE: (&str, &str) = ("gateway", "--requests-per-address=100");

/// A new message, as it goes over the wire.
fn message(from: &Person, to: &Person) -> String {
    message_of(from, to, "hello")
}

fn message_of(from: &Person, to: &Person, text: &str) -> String {
    let (_, sealed) = from.client.seal(&to.key(), text).unwrap();
    let envelope = String::from_utf8(sealed.canonical()).unwrap();
    format!(r#"{{"to":"{}","envelope":{envelope}}}"#, to.handle)
}

async fn deliver(from: &Person, to: &Person) -> Result<Sent, Problem> {
    deliver_text(from, to, "hello").await
}

async fn deliver_text(from: &Person, to: &Person, text: &str) -> Result<Sent, Problem> {
    let (_, sealed) = from.client.seal(&to.key(), text).unwrap();
    from.client.deliver(&to.key(), &sealed).await
}

/// A text whose envelope is nearly as large as one may be.
fn long_text() -> String {
    "x".repeat(190_000)
}

/// How many calls a bucket of sixty has let through at most since it was full: every second another one.
fn most(full: Instant) -> usize {
    60 + usize::try_from(full.elapsed().as_secs()).unwrap()
}

/// Posts a message that is wrong until it is refused as one too many: each before that is the one that has come back by then.
async fn until_too_many(web: &Web) -> u64 {
    loop {
        let answer = web.post("/v1/messages", "nonsense").await;
        if answer.status == 429 {
            return rate_limited(&answer, 60);
        }
        answer.refused(400, "malformed");
    }
}

/// Calls until that is refused as one too many; the refusal, and how many were let through before.
async fn until_refused<Reply>(call: impl AsyncFn() -> Result<Reply, Problem>) -> (Problem, usize) {
    for passed in 0.. {
        if let Err(problem) = call().await {
            assert_eq!((problem.code, problem.limit_per_minute), (Code::RateLimited, Some(60)), "{problem}");
            return (problem, passed);
        }
    }
    unreachable!()
}

/// Waits as a client does that was told to.
async fn wait(seconds: u64) {
    assert!((1..=2).contains(&seconds), "one of 60 a minute comes back every second, not in {seconds} s");
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[track_caller]
fn rate_limited(answer: &Answer, per_minute: u32) -> u64 {
    assert_eq!(answer.refused(429, "rate_limited")["limit_per_minute"], per_minute);
    answer.header("retry-after").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_sends_sixty_messages_a_minute_over_http() {
    let mesh = Mesh::with(&[ALL_AT_ONCE]).await;
    let (web, alice, bob) = (mesh.web(), mesh.person("alice").await, mesh.person("bob").await);
    let full = Instant::now();
    let answers = join_all((0..75).map(|_| web.post("/v1/messages", message(&alice, &bob)))).await;
    let (sent, refused): (Vec<Answer>, Vec<Answer>) =
        answers.into_iter().partition(|answer| answer.status == 202);
    assert!((60..=most(full)).contains(&sent.len()), "{}", sent.len());
    for answer in &refused {
        assert!((1..=2).contains(&rate_limited(answer, 60)));
    }
    assert_eq!(bob.texts().await.len(), sent.len(), "what was refused is not stored");

    // What is wrong with a message does not matter then, and what is not a send is answered.
    let seconds = until_too_many(&web).await;
    web.get("/v1/u/alice").await.read::<Value>(200);
    let auth = bob.auth(&request_auth::inbox(&bob.name(), 0));
    web.get_signed("/v1/inbox/bob", &auth).await.read::<Value>(200);
    // Nor are others held up: at another address, or over NATS.
    let elsewhere = Web::at(Ipv4Addr::new(127, 0, 0, 2), &mesh.http());
    elsewhere.post("/v1/messages", message(&alice, &bob)).await.read::<Sent>(202);
    deliver(&alice, &bob).await.unwrap();

    wait(seconds).await;
    web.post("/v1/messages", message(&alice, &bob)).await.read::<Sent>(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sends_so_many_messages_a_minute_over_nats() {
    let mesh = Mesh::with(&[("inbox", "--person-sends-per-minute=60")]).await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let full = Instant::now();
    let answers = join_all((0..75).map(|_| deliver(&alice, &bob))).await;
    let (sent, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert!((60..=most(full)).contains(&sent.len()), "{}", sent.len());
    for answer in refused {
        let problem = answer.unwrap_err();
        assert_eq!((problem.code, problem.limit_per_minute), (Code::RateLimited, Some(60)), "{problem}");
    }
    assert_eq!(bob.texts().await.len(), sent.len(), "what was refused is not stored");

    // Another connection is the same person. Everybody else sends, and she reads.
    let again = Person { client: mesh.connect_websocket(&alice.secret).await.unwrap(), ..alice };
    let (refused, more) = until_refused(|| deliver(&again, &bob)).await;
    assert!(sent.len() + more <= most(full), "{} and {more}", sent.len());
    deliver(&bob, &again).await.unwrap();
    assert_eq!(again.texts().await.len(), 1);

    wait(refused.retry_after.unwrap()).await;
    deliver(&again, &bob).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn large_messages_count_for_more_than_one_so_that_nobody_fills_a_disk() {
    let mesh = Mesh::with(&[("inbox", "--person-sends-per-minute=60")]).await;
    let (web, alice, bob) = (mesh.web(), mesh.person("alice").await, mesh.person("bob").await);
    let long = long_text();
    // Sixty begin 960 KiB: three messages of almost 256 KiB, and another for every sixteen seconds that this takes.
    let full = Instant::now();
    let over_nats = join_all((0..20).map(|_| deliver_text(&alice, &bob, &long))).await;
    let (sent, refused): (Vec<_>, Vec<_>) = over_nats.into_iter().partition(Result::is_ok);
    assert!((3..=most(full) / 16).contains(&sent.len()), "{}", sent.len());
    for answer in refused {
        let problem = answer.unwrap_err();
        assert_eq!((problem.code, problem.limit_per_minute), (Code::RateLimited, Some(60)), "{problem}");
        assert!(problem.retry_after.is_some_and(|seconds| (1..=17).contains(&seconds)), "{problem}");
    }
    let full = Instant::now();
    let over_http =
        join_all((0..20).map(|_| web.post("/v1/messages", message_of(&alice, &bob, &long)))).await;
    let (stored, refused): (Vec<Answer>, Vec<Answer>) =
        over_http.into_iter().partition(|answer| answer.status == 202);
    assert!((3..=most(full) / 16).contains(&stored.len()), "{}", stored.len());
    for answer in &refused {
        assert!((1..=18).contains(&rate_limited(answer, 60)));
    }
    assert_eq!(bob.texts().await.len(), sent.len() + stored.len(), "what was refused is not stored");

    // What is left is not enough for another large one, and is for a small one.
    deliver(&alice, &bob).await.unwrap();
    web.post("/v1/messages", message(&alice, &bob)).await.read::<Sent>(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_fetches_so_many_pages_a_minute_and_nobody_else_can_use_them_up() {
    let mesh = Mesh::with(&[ALL_AT_ONCE, ("inbox", "--person-fetches-per-minute=60")]).await;
    let (web, alice, bob) = (mesh.web(), mesh.person("alice").await, mesh.person("bob").await);
    // Whoever cannot sign for bob does not ask in his name.
    let forged = alice.auth(&request_auth::inbox(&bob.name(), 0));
    for answer in join_all((0..75).map(|_| web.get_signed("/v1/inbox/bob", &forged))).await {
        answer.refused(401, "bad_signature");
    }
    // Over NATS and over HTTP it is one person, to read and to acknowledge.
    let (auth, full) = (bob.auth(&request_auth::inbox(&bob.name(), 0)), Instant::now());
    web.get_signed("/v1/inbox/bob", &auth).await.read::<Value>(200);
    let answers = join_all((0..75).map(|_| bob.client.fetch(0, 1))).await;
    let mut passed = 1 + answers.iter().filter(|answer| answer.is_ok()).count();
    passed += until_refused(|| bob.client.ack(0)).await.1;
    let seconds = loop {
        let answer = web.get_signed("/v1/inbox/bob", &auth).await;
        if answer.status == 429 {
            break rate_limited(&answer, 60);
        }
        answer.read::<Value>(200);
        passed += 1;
    };
    assert!((50..=most(full)).contains(&passed), "{passed}");
    alice.client.fetch(0, 1).await.unwrap();

    wait(seconds).await;
    web.get_signed("/v1/inbox/bob", &auth).await.read::<Value>(200);
}

#[tokio::test]
async fn an_address_registers_so_many_people_a_minute() {
    let mesh = Mesh::with(&[("gateway", "--registrations-per-minute=3")]).await;
    let web = mesh.web();
    for _ in 0..3 {
        web.post("/v1/register", "{}").await.refused(400, "malformed");
    }
    let seconds = rate_limited(&web.post("/v1/register", "{}").await, 3);
    assert!((1..=21).contains(&seconds), "{seconds}");
    let elsewhere = Web::at(Ipv4Addr::new(127, 0, 0, 2), &mesh.http());
    elsewhere.post("/v1/register", "{}").await.refused(400, "malformed");
}
