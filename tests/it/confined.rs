//! What a person cannot get at: the streams, the services behind the wall, others' connections, and more than their share.
//! And what a service's key cannot, which somebody may steal.

use async_nats::Event;
use kez_contract::inbox::SEND;
use kez_service::streams;
use serde_json::Value;
use tests::chains::{add, revoke};
use tests::guest::{Credentials, Guest};
use tests::{Chains, Mesh, Tap};

/// As accounts.conf has them.
const MAX_PAYLOAD: usize = 270_336;
const MAX_SUBSCRIPTIONS: usize = 32;

#[tokio::test]
async fn services_streams_and_other_peoples_connections_are_out_of_reach() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let sys = mesh.user("sys").await;
    let server = sys.server_info().server_id;
    let mut guest = Guest::person(&mesh, &alice).await;
    let mut questions: Vec<String> = [
        "$SRV.PING",
        "$SRV.INFO",
        "$SRV.STATS.inbox",
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.INFO.KEZ_INBOX_0",
        "$SYS.REQ.USER.INFO",
        "$SYS.REQ.SERVER.PING",
        "$SYS.REQ.SERVER.PING.CONNZ",
        "$SYS.REQ.ACCOUNT.PING.CONNZ",
        "$SYS.REQ.ACCOUNT.EDGE.CONNZ",
        "$SYS.REQ.ACCOUNT.EDGE.INFO",
    ]
    .map(str::to_owned)
    .into();
    questions
        .extend(["CONNZ", "SUBSZ", "VARZ", "KICK"].map(|verb| format!("$SYS.REQ.SERVER.{server}.{verb}")));
    let events =
        ["$SYS.ACCOUNT.EDGE.CONNECT", "$SYS.ACCOUNT.EDGE.DISCONNECT", "$SYS.SERVER.*.CLIENT.AUTH.ERR"];

    let inbox = guest.nats.new_inbox();
    let mut answers = Tap::on(Guest::person(&mesh, &alice).await, &[&inbox]).await;
    for question in &questions {
        guest.nats.publish_with_reply(question.clone(), inbox.clone(), "".into()).await.unwrap();
        let refusal = format!("nats: Permissions Violation for Publish to \"{question}\"");
        assert_eq!(guest.refusals().await, [refusal]);
    }
    for event in events {
        let _deaf = guest.nats.subscribe(event).await.unwrap();
        let refusal = format!("nats: Permissions Violation for Subscription to \"{event}\"");
        assert_eq!(guest.refusals().await, [refusal]);
    }
    assert_eq!(answers.heard().await.len(), 0);

    // The questions are not in vain for those who may ask: Bob is there to be seen, and the services answer.
    let question = r#"{"auth":true,"acc":"EDGE"}"#;
    let seen = sys.request("$SYS.REQ.SERVER.PING.CONNZ", question.into()).await.unwrap();
    assert!(String::from_utf8_lossy(&seen.payload).contains(&bob.hex()));
    let operator = mesh.user("operator").await;
    operator.request("$SRV.PING", "".into()).await.expect("a service answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_the_inbox_is_refused_every_call_about_sigchains() {
    let mesh = Mesh::start().await;
    let alice = mesh.person("alice").await;
    for op in [add("github:alice"), revoke("github:alice")] {
        alice.client.append(&op).await.unwrap();
    }
    // The stream as it is, but for one event for everybody.
    let mut shorter = streams::declared("sigchain", "KEZ_SIGCHAIN").unwrap();
    shorter["max_msgs"] = 1.into();
    shorter["discard"] = "old".into();
    let mut thief = Guest::user(&mesh, "inbox").await;
    for call in [
        "STREAM.UPDATE.KEZ_SIGCHAIN",
        "STREAM.CREATE.KEZ_SIGCHAIN",
        "STREAM.PURGE.KEZ_SIGCHAIN",
        "STREAM.DELETE.KEZ_SIGCHAIN",
        "STREAM.INFO.KEZ_SIGCHAIN",
        "STREAM.MSG.DELETE.KEZ_SIGCHAIN",
        "STREAM.RESTORE.KEZ_SIGCHAIN",
        "CONSUMER.CREATE.KEZ_SIGCHAIN.push",
        "DIRECT.GET.KEZ_SIGCHAIN",
    ] {
        let subject = format!("$JS.API.{call}");
        let (reply, body) = (thief.nats.new_inbox(), shorter.to_string());
        thief.nats.publish_with_reply(subject.clone(), reply, body.into()).await.unwrap();
        let refused = format!("nats: Permissions Violation for Publish to \"{subject}\"");
        assert_eq!(thief.refusals().await, [refused]);
    }
    // A stream of another name cannot take its subjects.
    shorter["name"] = "KEZ_INBOX_9".into();
    let told: Value = streams::api(&thief.nats, "STREAM.CREATE.KEZ_INBOX_9", &shorter).await.unwrap();
    assert_eq!(told["error"]["description"], "subjects overlap with an existing stream", "{told}");
    let (chain, primary) = (Chains::of(&mesh).await, alice.key().into());
    assert_eq!(chain.events(&primary).await.len(), 2, "they stand");
}

#[tokio::test]
async fn the_broker_has_no_door_but_the_two() {
    let mesh = Mesh::start().await;
    let sys = mesh.user("sys").await;
    let reply = sys.request("$SYS.REQ.SERVER.PING.VARZ", "".into()).await.unwrap();
    let varz: Value = serde_json::from_slice(&reply.payload).unwrap();
    let varz = &varz["data"];
    assert_eq!(varz["auth_required"], true);
    for monitoring in ["http_port", "https_port"] {
        assert_eq!(varz[monitoring].as_u64().unwrap_or_default(), 0, "{monitoring}");
    }
    for door in ["cluster", "gateway", "leaf", "mqtt"] {
        let port = varz[door]["port"].as_u64().or(varz[door]["cluster_port"].as_u64());
        assert_eq!(port.unwrap_or_default(), 0, "{door}: {}", varz[door]);
    }
    assert!(!varz["websocket"]["compression"].as_bool().unwrap_or_default());
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_it_reaches_a_service() {
    let mesh = Mesh::start().await;
    let alice = mesh.person("alice").await;
    let send = SEND.subject(&alice.hex(), &alice.hex());
    let mut tap = Tap::on(Guest::user(&mesh, "inbox").await, &[&send]).await;
    for url in [&mesh.plan.nats_url, &mesh.plan.nats_websocket_url] {
        let mut guest = Guest::enter(url, alice.key(), Credentials::plain(&alice.secret)).await.unwrap();
        assert_eq!(guest.event().await, Event::Connected);
        let answer = guest.nats.request(send.clone(), vec![b' '; MAX_PAYLOAD].into()).await.unwrap();
        assert!(answer.headers.is_some(), "the inbox itself refuses what is no envelope");
        assert_eq!(tap.heard().await.len(), 1);
        guest.nats.publish(send.clone(), vec![b' '; MAX_PAYLOAD + 1].into()).await.unwrap();
        // It is thrown out, and may still be writing when it is told why.
        guest.until(|event| *event == Event::Disconnected).await;
        guest.until(|event| *event == Event::Connected).await;
        assert!(guest.refusals().await.is_empty(), "the next connection is as good as any");
        assert_eq!(tap.heard().await.len(), 0);
    }
}

#[tokio::test]
async fn a_connection_holds_so_many_subscriptions_and_no_more() {
    let mesh = Mesh::start().await;
    let alice = mesh.person("alice").await;
    let mut guest = Guest::person(&mesh, &alice).await;
    let mut held = Vec::new();
    for number in 0..MAX_SUBSCRIPTIONS {
        held.push(guest.nats.subscribe(format!("_INBOX_{0}_{0}.{number}", alice.hex())).await.unwrap());
    }
    assert_eq!(guest.refusals().await, [""; 0]);
    let one_more = guest.nats.subscribe("kez.feed.>").await.unwrap();
    assert_eq!(guest.refusals().await, ["nats: maximum subscriptions exceeded"]);
    drop((one_more, held.pop()));
    let _instead = guest.nats.subscribe("kez.feed.>").await.unwrap();
    assert_eq!(guest.refusals().await, [""; 0]);
}
