//! What the push service is shown of mail: that it is there, and for whom. Whoever holds its key sees no more.

use std::collections::BTreeSet;

use async_nats::Message;
use futures_util::StreamExt;
use kez_contract::inbox::mailbox_subject;
use serde_json::{Value, json};
use tests::{Guest, Mesh};

/// What stands in the headers of a message that a stream delivers without its payload: how large that is, under which name
/// a retry would be recognised, and how it was written.
const HEADERS: [&str; 4] = ["Nats-Msg-Size", "Nats-Msg-Id", "Nats-Batch-", "Nats-Expected-"];

#[tokio::test(flavor = "multi_thread")]
async fn mail_is_shown_without_what_is_in_it() {
    let mut mesh = Mesh::start().await;
    mesh.push.take().unwrap().stop().await.unwrap();
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    // One by one, and many in one batch.
    alice.send(&bob, "a secret").await;
    futures_util::future::join_all((0..20).map(|_| alice.send(&bob, "another"))).await;

    let push = mesh.user("push").await;
    let inbox = push.new_inbox();
    let mut shown = push.subscribe(inbox.clone()).await.unwrap();
    let asked = json!({ "batch": 21 }).to_string();
    let next = "$JS.API.CONSUMER.MSG.NEXT.KEZ_INBOX_0.push";
    push.publish_with_reply(next, inbox, asked.into()).await.unwrap();
    let mut sizes = BTreeSet::new();
    for _ in 0..21 {
        let message: Message = shown.next().await.unwrap();
        assert_eq!(message.subject.as_str(), mailbox_subject(&bob.hex()));
        assert!(message.payload.is_empty(), "{message:?}");
        let headers = message.headers.unwrap();
        for (name, _) in headers.iter() {
            let name = name.to_string();
            assert!(HEADERS.iter().any(|known| name.starts_with(known)), "{name}");
        }
        sizes.insert(headers.get("Nats-Msg-Size").unwrap().to_string());
    }
    // Padded, so that even the size says little.
    assert_eq!(sizes.len(), 1, "{sizes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn its_key_changes_nothing_of_what_is_shown() {
    let mesh = Mesh::start().await;
    let mut thief = Guest::user(&mesh, "push").await;
    let whole = json!({
        "stream_name": "KEZ_INBOX_0",
        "config": { "name": "push", "durable_name": "push", "ack_policy": "explicit", "headers_only": false },
    });
    for call in [
        "CONSUMER.CREATE.KEZ_INBOX_0.push",
        "CONSUMER.CREATE.KEZ_INBOX_0",
        "CONSUMER.DURABLE.CREATE.KEZ_INBOX_0.push",
        "CONSUMER.DELETE.KEZ_INBOX_0.push",
        "STREAM.MSG.GET.KEZ_INBOX_0",
        "DIRECT.GET.KEZ_INBOX_0",
    ] {
        let subject = format!("$JS.API.{call}");
        thief.nats.publish(subject.clone(), whole.to_string().into()).await.unwrap();
        let refused = format!("nats: Permissions Violation for Publish to \"{subject}\"");
        assert_eq!(thief.refusals().await, [refused]);
    }
    let told = thief.nats.request("$JS.API.CONSUMER.INFO.KEZ_INBOX_0.push", "".into()).await.unwrap();
    let told: Value = serde_json::from_slice(&told.payload).unwrap();
    let expected = json!([true, "explicit", "new", 65_536, 30_000_000_000_u64]);
    let config = ["headers_only", "ack_policy", "deliver_policy", "max_ack_pending", "ack_wait"]
        .map(|member| told["config"][member].clone());
    assert_eq!(json!(config), expected);
}
