//! The mailbox as an HTTP stream: taken up where it broke off, with nothing lost and nothing twice.

use std::time::Duration;

use futures_util::StreamExt;
use kez::http::{HttpClient, HttpFollow};
use kez::up::mesh::{self as services, Plan};
use kez_contract::Code;
use kez_contract::inbox::Stored;
use kez_crypto::request_auth;
use reqwest::{Method, Response};
use tests::mesh::SERVER;
use tests::person::Text;
use tests::web::answer;
use tests::{Cable, Mesh, Person, Web};
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(20);

fn path(reader: &Person, more: &str) -> String {
    let auth = reader.auth(&request_auth::stream(&reader.name()));
    format!("/v1/inbox/{}/stream?auth={auth}{more}", reader.handle)
}

/// Opens a stream as a browser does; it names the last event that it has seen, if any.
async fn open(web: &Web, reader: &Person, more: &str, last_event: Option<&str>) -> Response {
    let mut request = web.request(Method::GET, &path(reader, more));
    if let Some(last_event) = last_event {
        request = request.header("Last-Event-ID", last_event);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["cache-control"], "no-store");
    response
}

/// The ids of the next so many events, each that of the message it carries.
async fn ids(stream: &mut Response, events: usize) -> Vec<u64> {
    let (mut text, mut ids) = (String::new(), Vec::new());
    while ids.len() < events {
        let chunk = timeout(PATIENCE, stream.chunk()).await.expect("more comes");
        text.push_str(std::str::from_utf8(&chunk.unwrap().unwrap()).unwrap());
        while let Some((event, rest)) = text.split_once("\n\n") {
            if let Some((id, data)) =
                event.strip_prefix("id: ").and_then(|event| event.split_once("\ndata: "))
            {
                let stored: Stored = serde_json::from_str(data).unwrap();
                assert_eq!(stored.seq.to_string(), id);
                ids.push(stored.seq);
            } else {
                assert!(event.starts_with(": "), "neither an event nor a comment: {event}");
            }
            text = rest.to_owned();
        }
    }
    ids
}

#[tokio::test]
async fn a_stream_goes_on_after_the_last_event() {
    let mesh = Mesh::start().await;
    let (web, alice, bob) = (mesh.web(), mesh.person("alice").await, mesh.person("bob").await);
    let mut seqs = Vec::new();
    for n in 0..10 {
        seqs.push(alice.send(&bob, &format!("message {n}")).await);
    }
    let mut whole = open(&web, &bob, "", None).await;
    assert_eq!(ids(&mut whole, 10).await, seqs);

    let fourth = seqs[3].to_string();
    let since = format!("&since={}", seqs[6]);
    for (more, last_event, from) in [
        ("", Some(fourth.as_str()), 4),
        (since.as_str(), None, 7),
        // What the browser saw last counts, whatever the address says; nothing seen says nothing.
        (since.as_str(), Some(&fourth), 4),
        (since.as_str(), Some(""), 7),
        ("", Some("0"), 0),
    ] {
        let mut stream = open(&web, &bob, more, last_event).await;
        assert_eq!(ids(&mut stream, 10 - from).await, seqs[from..], "{more} {last_event:?}");
    }

    // Broken off again and again in the middle, while more comes.
    let (mut read, mut last) = (Vec::new(), "0".to_owned());
    while read.len() < 30 {
        let mut stream = open(&web, &bob, "", Some(&last)).await;
        read.extend(ids(&mut stream, 3).await);
        last = read.last().unwrap().to_string();
        for _ in 0..3 {
            seqs.push(alice.send(&bob, "one more").await);
        }
    }
    assert_eq!(read, seqs[..read.len()]);
    let rest = seqs.len() - 10;
    assert_eq!(ids(&mut whole, rest).await, seqs[10..], "who never hung up has them, too");

    for broken in ["-1", "x", "01", "1.0", "18446744073709551616"] {
        let request = web.request(Method::GET, &path(&bob, "")).header("Last-Event-ID", broken);
        answer(request).await.refused(400, "malformed");
    }
}

async fn send(from: &Person, to: &Person, texts: std::ops::Range<u32>) -> Vec<Text> {
    let mut sent = Vec::new();
    for n in texts {
        let text = format!("message {n}");
        sent.push(Text { seq: from.send(to, &text).await, text });
    }
    sent
}

async fn read(follow: &mut HttpFollow, messages: usize) -> Vec<Text> {
    let in_time = follow.take_until(sleep(PATIENCE)).take(messages);
    in_time.map(|received| Text::from(&received.unwrap())).collect().await
}

#[tokio::test]
async fn a_reader_whose_connection_breaks_misses_nothing() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let cable = Cable::to(&mesh.http()).await;
    let client = HttpClient::new(&cable.url(), SERVER, &bob.secret, &mesh.clock).unwrap();
    let mut follow = client.follow(&bob.name(), 0).await.unwrap();

    let mut wanted = send(&alice, &bob, 0..5).await;
    assert_eq!(read(&mut follow, 5).await, wanted);
    for _ in 0..2 {
        cable.pull();
        wanted.extend(send(&alice, &bob, 0..5).await);
        cable.plug();
        wanted.extend(send(&alice, &bob, 5..10).await);
        assert_eq!(read(&mut follow, 10).await, wanted[wanted.len() - 10..]);
    }
}

#[tokio::test]
async fn a_reader_who_is_told_to_wait_waits_and_reads_on() {
    let mesh = Mesh::with(&[("inbox", "--person-fetches-per-minute=20")]).await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let cable = Cable::to(&mesh.http()).await;
    let client = HttpClient::new(&cable.url(), SERVER, &bob.secret, &mesh.clock).unwrap();
    let mut follow = client.follow(&bob.name(), 0).await.unwrap();
    let mut wanted = send(&alice, &bob, 0..1).await;
    assert_eq!(read(&mut follow, 1).await, wanted);

    cable.pull();
    // Opening the stream counts as one of the twenty, of which one comes back every three seconds.
    while bob.client.fetch(0, 1).await.is_ok() {}
    assert_eq!(bob.client.fetch(0, 1).await.unwrap_err().code, Code::RateLimited);
    cable.plug();
    wanted.extend(send(&alice, &bob, 1..3).await);
    assert_eq!(read(&mut follow, 2).await, wanted[1..]);
}

#[tokio::test]
async fn a_gateway_whose_live_feed_breaks_fetches_what_is_missing() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let cable = Cable::to(&mesh.plan.nats_url).await;
    let plan = Plan { nats_url: cable.url(), ..mesh.plan.clone() };
    let gateway = services::gateway(&plan, &mesh.keys, &mesh.clock).await.unwrap();
    let base = format!("http://{}", gateway.address());
    let client = HttpClient::new(&base, SERVER, &bob.secret, &mesh.clock).unwrap();
    let mut follow = client.follow(&bob.name(), 0).await.unwrap();

    let mut wanted = send(&alice, &bob, 0..3).await;
    assert_eq!(read(&mut follow, 3).await, wanted);
    for round in 1..=3 {
        cable.lose_live();
        wanted.extend(send(&alice, &bob, 0..4).await);
        cable.lose_no_more_after(round * 4).await;
        wanted.extend(send(&alice, &bob, 4..6).await);
        assert_eq!(read(&mut follow, 6).await, wanted[wanted.len() - 6..]);
    }
    gateway.stop().await.unwrap();
}
