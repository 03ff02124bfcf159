//! A Bluesky account says whose it is: its posts, from a real server that answers like the AppView.

use kez_contract::sigchain::{Status, Why};
use kez_crypto::encoding::compact;
use kez_proofs::{Checker, Settings};
use serde_json::{Value, json};
use tests::accounts::{Accounts, Claimant, Page, SHORT, Site};

const HANDLE: &str = "alice.bsky.test";
const FEED: &str =
    "/xrpc/app.bsky.feed.getAuthorFeed?actor=alice.bsky.test&limit=50&filter=posts_with_replies";

/// An AppView, a checker that asks it, and the account alice.
async fn world() -> (Accounts, Site, Checker, Claimant) {
    let accounts = Accounts::start().await;
    let view = accounts.site("public.api.bsky.test").await;
    let checker = Checker::new(&settings(&accounts, &view)).unwrap();
    (accounts, view, checker, Claimant::of(&format!("bluesky:{HANDLE}")))
}

fn settings(accounts: &Accounts, view: &Site) -> Settings {
    Settings { bluesky_url: view.url("").parse().unwrap(), ..accounts.settings() }
}

fn post(author: &str, key: &str, record: &Value) -> Value {
    let uri = format!("at://did:plc:abc/app.bsky.feed.post/{key}");
    let author = json!({ "did": "did:plc:abc", "handle": author });
    json!({ "post": { "uri": uri, "cid": "x", "author": author, "record": record, "likeCount": 1 } })
}

fn feed(posts: &[Value]) -> Page {
    Page::json(&json!({ "feed": posts, "cursor": "x" }))
}

fn hello() -> Value {
    post(HANDLE, "3kaaa", &json!({ "$type": "app.bsky.feed.post", "text": "hello" }))
}

#[tokio::test]
async fn a_post_holds_a_claim() {
    let (_accounts, view, checker, alice) = world().await;
    alice
        .sees_all_judged(&checker, |claim| {
            let text = claim.map_or("nothing".to_owned(), |claim| format!("I am {} on kez", compact(claim)));
            view.put(FEED, feed(&[hello(), post(HANDLE, "3kbbb", &json!({ "text": text })), hello()]));
        })
        .await;
}

#[tokio::test]
async fn pictures_and_links_hold_claims_too() {
    let (_accounts, view, checker, alice) = world().await;
    let images = json!({ "$type": "app.bsky.embed.images", "images": [{ "alt": "a cat" }, { "alt": alice.envelope() }] });
    let external = json!({
        "$type": "app.bsky.embed.external",
        "external": { "uri": "https://kez.test", "title": "kez", "description": compact(&alice.claim()) }
    });
    let both = json!({ "$type": "app.bsky.embed.recordWithMedia", "record": {}, "media": images });
    for embed in [images, external, both] {
        view.put(FEED, feed(&[hello(), post(HANDLE, "3kbbb", &json!({ "text": "look", "embed": embed }))]));
        let evidence = alice.verifies(&checker).await;
        assert_eq!(evidence, "https://bsky.app/profile/alice.bsky.test/post/3kbbb");
    }
}

#[tokio::test]
async fn what_others_wrote_counts_for_nobody() {
    let (_accounts, view, checker, alice) = world().await;
    let record = json!({ "text": compact(&alice.claim()) });
    let quoted =
        json!({ "text": "look", "embed": { "record": { "value": record, "text": record["text"] } } });
    for posts in [
        [post("mallory.bsky.test", "3kbbb", &record)],
        [post("handle.invalid", "3kbbb", &record)],
        [post(HANDLE, "3kbbb", &quoted)],
    ] {
        view.put(FEED, feed(&posts));
        alice.fails(&checker, Why::Absent).await;
    }
    view.put(FEED, feed(&[post("Alice.Bsky.Test", "3kbbb", &record)]));
    alice.verifies(&checker).await;
}

#[tokio::test]
async fn what_is_no_answer_is_told() {
    let (accounts, view, checker, alice) = world().await;
    let other = accounts.site("other.test").await;
    for (page, why) in [
        (Page::status(400), Why::NoSuchAccount),
        (Page::status(404), Why::NoSuchAccount),
        (Page::status(429), Why::RateLimited),
        (Page::status(502), Why::NoAnswer),
        (Page::text("{"), Why::NoAnswer),
        (Page::json(&json!({ "feed": {} })), Why::NoAnswer),
        (Page::redirect(other.url("/")), Why::Forbidden),
        (Page::Endless, Why::TooLarge),
        (feed(&[]), Why::Absent),
    ] {
        let shown = format!("{page:?}");
        view.put(FEED, page);
        let finding = alice.fails(&checker, why).await;
        assert_eq!(finding.evidence, view.url(FEED), "{shown}");
    }
    assert!(other.asked().is_empty());
    view.put(FEED, Page::Silent);
    let hasty = Checker::new(&Settings { milliseconds: SHORT, ..settings(&accounts, &view) }).unwrap();
    assert_eq!(alice.fails(&hasty, Why::Timeout).await.status, Status::Unreachable);
}

#[tokio::test]
async fn names_lead_nowhere_else() {
    let (_accounts, view, checker, _) = world().await;
    for subject in ["bluesky:alice", "bluesky:a.b&limit=1", "bluesky:a.b/c", "bluesky:a..b"] {
        Claimant::of(subject).fails(&checker, Why::NoSuchAccount).await;
    }
    assert!(view.asked().is_empty());
}
