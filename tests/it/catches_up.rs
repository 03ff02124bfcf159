//! Mail is there when its owner comes back: everything, once, in order, also across a gap in the live feed.

use std::time::Duration;

use futures_util::StreamExt;
use kez::client::{Client, Follow};
use kez_contract::Code;
use kez_contract::inbox::{FETCH, Fetch, MAX_ENVELOPE, MAX_PAGE_BYTES, Page};
use tests::load::Load;
use tests::person::Text;
use tests::{Cable, Mesh, Person};
use tokio::time::sleep;

const PATIENCE: Duration = Duration::from_secs(20);

/// The next so many messages, or those that come within the patience of a test.
async fn read(follow: &mut Follow, messages: usize) -> Vec<Text> {
    let in_time = follow.take_until(sleep(PATIENCE)).take(messages);
    in_time.map(|received| Text::from(&received)).collect().await
}

/// Sends these one after the other; what should be read.
async fn send(from: &Person, to: &Person, texts: std::ops::Range<u32>) -> Vec<Text> {
    let mut sent = Vec::new();
    for n in texts {
        let text = format!("message {n}");
        sent.push(Text { seq: from.send(to, &text).await, text });
    }
    sent
}

#[tokio::test]
async fn misses_messages_while_away_and_catches_up() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    // Bob is registered and connected, but does not listen.
    let mut wanted = send(&alice, &bob, 0..100).await;
    let mut follow = bob.follow().await;
    wanted.extend(send(&alice, &bob, 100..120).await);

    assert_eq!(read(&mut follow, wanted.len()).await, wanted);
    assert_eq!(bob.mailbox().await, wanted, "each is stored once");
}

#[tokio::test]
async fn what_the_live_feed_loses_is_fetched() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let cable = Cable::to(&mesh.plan.nats_url).await;
    let client = Client::connect(mesh.connection(&cable.url(), &bob.secret)).await.unwrap();
    let mut follow = client.follow(0).await.unwrap();

    let mut wanted = send(&alice, &bob, 0..3).await;
    assert_eq!(read(&mut follow, 3).await, wanted);
    for round in 1..=5 {
        cable.lose_live();
        wanted.extend(send(&alice, &bob, 0..4).await);
        cable.lose_no_more_after(round * 4).await;
        // The next one shows that something is missing before it.
        wanted.extend(send(&alice, &bob, 4..6).await);
        assert_eq!(read(&mut follow, 6).await, wanted[wanted.len() - 6..]);
    }
    assert_eq!(bob.mailbox().await, wanted);
}

#[tokio::test]
async fn what_comes_while_the_connection_is_broken_is_fetched() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let cable = Cable::to(&mesh.plan.nats_url).await;
    let client = Client::connect(mesh.connection(&cable.url(), &bob.secret)).await.unwrap();
    let mut follow = client.follow(0).await.unwrap();

    let mut wanted = Vec::new();
    for _ in 0..5 {
        cable.pull();
        wanted.extend(send(&alice, &bob, 0..5).await);
        cable.plug();
        // These come while it signs in again.
        wanted.extend(send(&alice, &bob, 5..15).await);
    }
    assert_eq!(read(&mut follow, wanted.len()).await, wanted);
    // Live again, with nothing in between that would come twice.
    wanted.extend(send(&alice, &bob, 15..18).await);
    assert_eq!(read(&mut follow, 3).await, wanted[wanted.len() - 3..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_two_pages_are_read_in_order_while_more_comes() {
    let mesh = Mesh::with(&[("inbox", "--person-sends-per-minute=100000")]).await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let mut load = Load::start(&alice, &bob, 1200, 64);
    load.until(300).await;
    let mut early = bob.follow().await;
    let wanted = load.finish().await;

    assert!(read(&mut early, 1200).await == wanted);
    assert!(read(&mut bob.follow().await, 1200).await == wanted);
    assert!(bob.mailbox().await == wanted);
    let half = wanted[599].seq;
    assert!(read(&mut bob.client.follow(half).await.unwrap(), 600).await == wanted[600..]);

    // Page by page, each as long as was asked for unless it has enough bytes before, of which the store counts
    // more than the envelopes'.
    let page = async |since, limit| bob.client.call(&FETCH, &Fetch { since, limit }).await;
    for (since, limit, first) in
        [(0, 500, 0), (half, 500, 600), (half, 7, 600), (0, 1, 0), (wanted[1198].seq, 1, 1199)]
    {
        let found: Page = page(since, limit).await.unwrap();
        let end = first + found.messages.len();
        assert!(
            found
                .messages
                .iter()
                .map(|message| message.seq)
                .eq(wanted[first..end].iter().map(|text| text.seq))
        );
        let bytes: usize = found.messages.iter().map(|message| message.envelope.get().len()).sum();
        assert!(
            found.messages.len() == limit as usize || bytes > MAX_PAGE_BYTES / 2,
            "since {since}, limit {limit}"
        );
        assert_eq!(
            (found.next, found.more),
            (wanted[end - 1].seq, end < 1200),
            "since {since}, limit {limit}"
        );
    }
    for since in [wanted[1199].seq, wanted[1199].seq + 1, u64::MAX] {
        let end: Page = page(since, 500).await.unwrap();
        assert_eq!((end.messages.len(), end.next, end.more), (0, since, false));
    }
    for limit in [0, 501, u32::MAX] {
        assert_eq!(page(0, limit).await.unwrap_err().code, Code::Malformed, "{limit}");
    }
}

#[tokio::test]
async fn large_messages_are_read_in_as_many_pages_as_they_need() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let mut wanted = Vec::new();
    for n in 0..7 {
        let text = format!("{n}").repeat(180_000);
        wanted.push(Text { seq: alice.send(&bob, &text).await, text });
    }
    let page: Page = bob.client.call(&FETCH, &Fetch { since: 0, limit: 500 }).await.unwrap();
    let bytes: usize = page.messages.iter().map(|message| message.envelope.get().len()).sum();
    assert!(
        page.more && (MAX_PAGE_BYTES / 2..MAX_PAGE_BYTES + MAX_ENVELOPE).contains(&bytes),
        "{bytes} bytes"
    );
    assert!(bob.mailbox().await == wanted);
    assert!(read(&mut bob.follow().await, 7).await == wanted);
    let over_http = mesh.http_client(&bob.secret).fetch(&bob.name(), page.next, 500).await.unwrap();
    assert_eq!(over_http.messages[0].seq, wanted[page.messages.len()].seq);
}
