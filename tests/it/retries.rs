//! A sender who hears nothing sends again: however often, and whoever answers, the message is stored once.

use futures_util::future::join_all;
use kez::client::Client;
use kez::http::HttpClient;
use kez_contract::event::LIVE;
use kez_contract::inbox::Sent;
use kez_crypto::Sealed;
use tests::{Guest, Mesh, Person, Tap};

/// Sends one envelope ten times at once and ten times in a row, by turns over NATS and over HTTP.
async fn send_again_and_again(nats: &Client, http: &HttpClient, to: &Person, sealed: &Sealed) -> Vec<Sent> {
    let send = async |n: usize| {
        if n.is_multiple_of(2) {
            nats.deliver(&to.key(), sealed).await
        } else {
            http.deliver(&to.key(), sealed).await
        }
    };
    let mut answers = join_all((0..10).map(send)).await;
    for n in 0..10 {
        answers.push(send(n).await);
    }
    answers.into_iter().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_is_stored_once_however_often_it_is_sent() {
    let mut mesh = Mesh::with(&[("gateway", "--sends-per-minute=1000")]).await;
    let replica = mesh.another_inbox().await;
    let (alice, bob, carol) =
        (mesh.person("alice").await, mesh.person("bob").await, mesh.person("carol").await);
    let http = mesh.http_client(&alice.secret);
    let mut live = Tap::on(Guest::user(&mesh, "gateway").await, &[&LIVE.subject(&bob.hex())]).await;
    let (_, sealed) = alice.client.seal(&bob.key(), "once").unwrap();

    let mut answers = send_again_and_again(&alice.client, &http, &bob, &sealed).await;
    let sent = answers[0].clone();
    assert_eq!(sent.id, sealed.transport_id());
    // Replicas that have just started remember nothing themselves.
    replica.stop().await.unwrap();
    mesh.inbox.take().unwrap().stop().await.unwrap();
    mesh.inbox = Some(mesh.another_inbox().await);
    answers.extend(send_again_and_again(&alice.client, &http, &bob, &sealed).await);
    // Somebody else who got hold of it, too.
    answers
        .extend(send_again_and_again(&carol.client, &mesh.http_client(&carol.secret), &bob, &sealed).await);

    assert!(answers.iter().all(|answer| *answer == sent), "{answers:?}");
    assert_eq!(bob.texts().await, [(alice.key(), "once".to_owned())]);
    assert_eq!(live.heard().await.len(), 1, "it is announced once");

    // The next one is another one, and what counts once in a mailbox counts in another as well.
    let next = alice.send(&bob, "once").await;
    assert!(next > sent.seq);
    let elsewhere = alice.client.deliver(&carol.key(), &sealed).await.unwrap();
    assert!(elsewhere.id == sent.id && elsewhere.seq > next);
    assert_eq!(carol.client.fetch(0, 500).await.unwrap().messages.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_is_stored_once_although_the_broker_was_killed_in_between() {
    let mut mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let (_, sealed) = alice.client.seal(&bob.key(), "once").unwrap();
    let sent = alice.client.deliver(&bob.key(), &sealed).await.unwrap();
    mesh.restart_broker().await;
    // Answered as soon as everybody has found the broker again; a new inbox knows only what the stream remembers.
    assert_eq!(alice.client.deliver(&bob.key(), &sealed).await.as_ref(), Ok(&sent));
    mesh.inbox.take().unwrap().stop().await.unwrap();
    mesh.inbox = Some(mesh.another_inbox().await);
    assert_eq!(alice.client.deliver(&bob.key(), &sealed).await, Ok(sent));
    assert_eq!(bob.texts().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_read_and_acknowledged_does_not_come_back() {
    let mut mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let (_, sealed) = alice.client.seal(&bob.key(), "once").unwrap();
    let sent = alice.client.deliver(&bob.key(), &sealed).await.unwrap();
    assert_eq!(bob.client.ack(sent.seq).await.unwrap().purged, sent.seq);
    for _ in 0..2 {
        assert_eq!(alice.client.deliver(&bob.key(), &sealed).await.as_ref(), Ok(&sent));
        assert_eq!(bob.texts().await, []);
        mesh.inbox.take().unwrap().stop().await.unwrap();
        mesh.inbox = Some(mesh.another_inbox().await);
    }
}
