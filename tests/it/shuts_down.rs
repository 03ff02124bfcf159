//! Stopping is no outage: what is in flight is answered, what comes later hears at once that nobody is there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kez::mail::document;
use kez_contract::inbox::{SEND, Send};
use kez_contract::{Code, Problem, http};
use kez_crypto::request_auth;
use tests::load::each_once;
use tests::{Guest, Load, Mesh, Process, Tap, operator};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Nobody here is a person.
const TIRELESS: &str = "--person-sends-per-minute=1000000";
/// Half of the time that a gateway that stops waits for what is in flight.
const AT_ONCE: Duration = Duration::from_secs(5);
const CALLERS: usize = 300;

#[tokio::test(flavor = "multi_thread")]
async fn look_ups_are_answered_or_refused_at_once_while_the_registry_stops() {
    let mut mesh = Mesh::start().await;
    let alice = mesh.person("alice").await;

    let client = alice.client.clone();
    let look_up = move || {
        let client = client.clone();
        async move { client.lookup("alice").await }
    };
    let mut callers = Callers::start(look_up, "no registry service is running");
    callers.until_answered(CALLERS * 2).await;
    mesh.registry.take().unwrap().stop().await.unwrap();

    callers.until_nobody_is_there().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_are_answered_or_refused_at_once_while_the_inbox_stops() {
    let mut mesh = Mesh::with(&[("inbox", TIRELESS)]).await;
    let [alice, bob] = [mesh.person("alice").await, mesh.person("bob").await];

    let (client, to) = (alice.client.clone(), bob.key());
    let send = move || {
        let client = client.clone();
        async move {
            let (_, sealed) = client.seal(&to, "hello")?;
            client.call(&SEND, &Send::new(to.identifier(), document(sealed.canonical())?)).await
        }
    };
    let mut callers = Callers::start(send, "no inbox service is running");
    callers.until_answered(CALLERS * 2).await;
    mesh.inbox.take().unwrap().stop().await.unwrap();

    let mut acknowledged: Vec<u64> =
        callers.until_nobody_is_there().await.iter().map(|sent| sent.seq).collect();
    acknowledged.sort_unstable();
    mesh.inbox = Some(mesh.another_inbox().await);
    let stored: Vec<u64> = bob.mailbox().await.iter().map(|text| text.seq).collect();
    assert_eq!(stored, acknowledged, "what was acknowledged is there, and nothing else");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_stops_answers_what_it_was_asked() {
    let flags = ["--sends-per-minute=1000000", "--requests-per-address=100"].map(|flag| ("gateway", flag));
    let mut mesh = Mesh::with(&flags).await;
    let [alice, bob] = [mesh.person("alice").await, mesh.person("bob").await];
    mesh.inbox.take().unwrap().stop().await.unwrap();
    let inbox = Process::start(&mesh, "inbox", &[]);
    operator::until_replicas(&mesh.user("operator").await, "inbox", 1).await;
    let mut tap = Tap::on(Guest::user(&mesh, "inbox").await, &["kez.web.inbox.send"]).await;

    // While the inbox stands still, every request that has got this far is in flight.
    inbox.freeze();
    let web = mesh.http_client(&alice.secret);
    let mut calls = JoinSet::new();
    for number in 0..100 {
        let (web, to, text) = (web.clone(), bob.key(), format!("message {number}"));
        calls.spawn(async move {
            let (_, sealed) = web.seal(&to, &text).unwrap();
            web.deliver(&to, &sealed).await
        });
    }
    until_heard(&mut tap, 100).await;
    let stopping = tokio::spawn(mesh.gateway.take().unwrap().stop());
    inbox.thaw();

    for answer in calls.join_all().await {
        answer.unwrap();
    }
    stopping.await.unwrap().unwrap();
    assert_eq!(bob.mailbox().await.len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_stops_says_goodbye_to_streams() {
    let mut mesh = Mesh::start().await;
    let bob = mesh.person("bob").await;
    let auth = bob.auth(&request_auth::stream(&bob.name()));
    let path = format!("{}?auth={auth}", http::INBOX_STREAM.replace("{handle}", "bob"));
    let mut stream = mesh.web().request(reqwest::Method::GET, &path).send().await.unwrap();
    assert_eq!(stream.chunk().await.unwrap().unwrap(), ": open\n\n");

    let begun = Instant::now();
    mesh.gateway.take().unwrap().stop().await.unwrap();

    assert!(begun.elapsed() < AT_ONCE, "it did not wait for the stream: {:?}", begun.elapsed());
    let farewell = stream.chunk().await.unwrap().unwrap();
    assert_eq!(farewell, ": the server is stopping: come back in a moment\n\n");
    assert_eq!(stream.chunk().await.unwrap(), None, "the stream has an end, and is not broken off");
}

#[tokio::test(flavor = "multi_thread")]
async fn load_the_whole_mesh_stops_and_nothing_acknowledged_is_lost() {
    let mut mesh = Mesh::with(&[("inbox", TIRELESS)]).await;
    let [alice, bob] = [mesh.person("alice").await, mesh.person("bob").await];

    let mut load = Load::start(&alice, &bob, 1000, 48);
    load.until(300).await;
    mesh.stop_services().await;
    mesh.restart_broker().await;
    mesh.start_services().await;

    let acknowledged = load.finish().await;
    each_once(&bob.mailbox().await, &acknowledged, 1000);
}

/// Callers who call again and again until nobody is there any more.
struct Callers<Reply> {
    tasks: JoinSet<Vec<Reply>>,
    answered: watch::Receiver<usize>,
}

impl<Reply: std::marker::Send + 'static> Callers<Reply> {
    fn start<Answer>(
        call: impl Fn() -> Answer + Clone + std::marker::Send + 'static,
        nobody: &'static str,
    ) -> Self
    where
        Answer: Future<Output = Result<Reply, Problem>> + std::marker::Send,
    {
        let (count, answered) = watch::channel(0);
        let count = Arc::new(count);
        let mut tasks = JoinSet::new();
        for _ in 0..CALLERS {
            let (call, count) = (call.clone(), count.clone());
            tasks.spawn(async move {
                let mut replies = Vec::new();
                loop {
                    match call().await {
                        Ok(reply) => replies.push(reply),
                        // A call that no one answers ends with another word.
                        Err(problem) => {
                            assert_eq!((problem.code, problem.detail.as_str()), (Code::Unavailable, nobody));
                            return replies;
                        }
                    }
                    count.send_modify(|count| *count += 1);
                }
            });
        }
        Self { tasks, answered }
    }

    /// Waits until so many calls were answered.
    async fn until_answered(&mut self, calls: usize) {
        self.answered.wait_for(|count| *count >= calls).await.expect("they go on calling");
    }

    /// All answers, once every caller has heard that nobody is there.
    async fn until_nobody_is_there(self) -> Vec<Reply> {
        self.tasks.join_all().await.into_iter().flatten().collect()
    }
}

/// Waits until so many calls have reached the service.
async fn until_heard(tap: &mut Tap, calls: usize) {
    let mut heard = 0;
    while heard < calls {
        heard += tap.heard().await.len();
    }
}
