//! Callers say in headers what only a service, a stream or the broker may say.

use std::collections::BTreeSet;

use async_nats::{Client as Nats, HeaderMap};
use kez_contract::inbox::{SEND, Sent};
use serde_json::json;
use tests::Mesh;

use crate::deputies::{letter, people};

/// Headers that mean something to the server, to a stream, to a service or to a client. None is a caller's to set.
const HEADERS: &[(&str, &str)] = &[
    ("Nats-Msg-Id", "{id}"),
    ("Nats-Expected-Stream", "OTHER"),
    ("Nats-Expected-Last-Sequence", "999999"),
    ("Nats-Expected-Last-Subject-Sequence", "999999"),
    ("Nats-Expected-Last-Subject-Sequence-Subject", "kez.cursor.>"),
    ("Nats-Expected-Last-Msg-Id", "other"),
    ("Nats-Rollup", "all"),
    ("Nats-Rollup", "sub"),
    ("Nats-TTL", "1s"),
    ("Nats-Incr", "1"),
    ("Nats-Schedule", "@at 2000-01-01T00:00:00Z"),
    ("Nats-Schedule-Target", "kez.cursor.{bob}.{bob}"),
    ("Nats-Batch-Id", "mallory"),
    ("Nats-Batch-Sequence", "1"),
    ("Nats-Batch-Commit", "1"),
    ("Nats-Stream", "KEZ_INBOX_0"),
    ("Nats-Subject", "kez.inbox.00.{bob}"),
    ("Nats-Sequence", "1"),
    ("Nats-Last-Sequence", "1"),
    ("Nats-Request-Info", r#"{"acc":"MESH"}"#),
    ("Nats-Server-Xkey", "X"),
    ("Nats-Service-Error", "internal"),
    ("Nats-Service-Error-Code", "500"),
    ("Kez-Problem", r#"{"code":"internal","detail":""}"#),
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("tracestate", "mallory=1"),
];

#[tokio::test]
async fn headers_of_callers_reach_no_stream_and_no_answer() {
    let mesh = Mesh::start().await;
    let [alice, bob, mallory] = people(&mesh).await;
    let (id, sealed) = alice.client.seal(&bob.key(), "from alice").unwrap();
    let mailbox_id = format!("{}:{}", bob.hex(), sealed.transport_id());
    let fill = |value: &str| value.replace("{id}", &mailbox_id).replace("{bob}", &bob.hex());
    let inbox = mesh.user("inbox").await;
    let plain = mallory.send(&mallory, "without any").await;
    let usual = stored_headers(&inbox, plain).await;

    let mut together = HeaderMap::new();
    let mut attempts = Vec::new();
    for (name, value) in HEADERS {
        let mut headers = HeaderMap::new();
        headers.insert(*name, fill(value));
        together.insert(*name, fill(value));
        attempts.push(headers);
    }
    attempts.push(together);
    for headers in attempts {
        let subject = SEND.subject(&mallory.hex(), &mallory.hex());
        let answer =
            mallory.client.nats().request_with_headers(subject, headers.clone(), letter(&mallory).into());
        let answer = answer.await.unwrap();
        assert_eq!(answer.headers, None, "{headers:?}");
        let sent: Sent = serde_json::from_slice(&answer.payload).unwrap();
        assert_eq!(stored_headers(&inbox, sent.seq).await, usual, "{headers:?}");
    }
    // The id that Alice's message gets was not hers to use up.
    alice.client.deliver(&bob.key(), &sealed).await.unwrap();
    assert_eq!(bob.texts().await, [(alice.key(), "from alice".to_owned())]);
    assert_eq!(bob.client.fetch(0, 1).await.unwrap().messages[0].opened.as_ref().unwrap().id, id);
}

/// The names of the headers that a stored message has.
async fn stored_headers(inbox: &Nats, seq: u64) -> BTreeSet<String> {
    let body = json!({ "seq": seq }).to_string();
    let message = inbox.request("$JS.API.DIRECT.GET.KEZ_INBOX_0", body.into()).await.unwrap();
    message.headers.unwrap().iter().map(|(name, _)| name.to_string()).collect()
}
