//! `bluesky:name.bsky.social`: posts of the account, with what their pictures and links say.

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::found::{Found, Unfound};
use crate::http::{Ask, Follow, get};
use crate::judge::Wanted;
use crate::reach::Reach;

/// The account's latest posts, as the public AppView has them.
pub async fn look(reach: &Reach, wanted: &Wanted<'_>) -> Result<Found, Unfound> {
    let handle = wanted.subject.name();
    if !is_handle(handle) {
        return Err(Unfound::no_account("this is no Bluesky handle", wanted.subject));
    }
    let mut url = reach.places.bluesky(&["xrpc", "app.bsky.feed.getAuthorFeed"]);
    url.set_query(Some(&format!("actor={handle}&limit=50&filter=posts_with_replies")));
    let ask = Ask { url: url.clone(), accept: "application/json", token: None, follow: Follow::SameOrigin };
    let answer = get(reach, ask).await?;
    // The AppView's way to say that there is no such account, or no longer.
    if answer.is_nothing() || answer.status == StatusCode::BAD_REQUEST {
        return Err(Unfound::no_account("there is no Bluesky account of this name", &url));
    }
    let feed: Feed = answer.success()?.json()?;
    let mut found = Found::at(&url);
    for Item { post } in feed.feed {
        // Others' posts stand there as well, when they were shared.
        if !post.author.handle.eq_ignore_ascii_case(handle) {
            continue;
        }
        let seen_at = seen_at(handle, &post.uri).unwrap_or_else(|| url.to_string());
        for text in texts(&post.record) {
            found.add(text, &seen_at);
        }
    }
    Ok(found)
}

#[derive(Deserialize)]
struct Feed {
    feed: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    post: Post,
}

#[derive(Deserialize)]
struct Post {
    /// `at://<did>/app.bsky.feed.post/<key>`
    uri: String,
    author: Author,
    record: Value,
}

#[derive(Deserialize)]
struct Author {
    handle: String,
}

/// All that the author wrote into a post: its text, what its pictures are called, what its link is said to be.
fn texts(record: &Value) -> impl Iterator<Item = &str> {
    let embed = &record["embed"];
    // A post that quotes another one has its own pictures and links a level deeper.
    let own = [embed, &embed["media"]];
    let pictures = own.into_iter().filter_map(|own| own["images"].as_array()).flatten();
    let pictures = pictures.map(|picture| &picture["alt"]);
    let links = own.into_iter().map(|own| &own["external"]["description"]);
    std::iter::once(&record["text"]).chain(pictures).chain(links).filter_map(Value::as_str)
}

/// Where people see a post.
fn seen_at(handle: &str, uri: &str) -> Option<String> {
    let key = uri.rsplit('/').next()?;
    let is_key = (1..=64).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_key.then(|| format!("https://bsky.app/profile/{handle}/post/{key}"))
}

/// A handle is a domain.
fn is_handle(handle: &str) -> bool {
    handle.len() <= 253
        && handle.contains('.')
        && handle.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_post_says_more_than_its_text() {
        let images = json!({ "$type": "app.bsky.embed.images", "images": [{ "alt": "b" }, { "alt": "c" }] });
        let external = json!({ "$type": "app.bsky.embed.external", "external": { "description": "d" } });
        for (embed, expected) in [
            (json!(null), vec!["a"]),
            (images.clone(), vec!["a", "b", "c"]),
            (external.clone(), vec!["a", "d"]),
            (json!({ "record": { "text": "not mine" }, "media": images }), vec!["a", "b", "c"]),
            (json!({ "record": { "text": "not mine" }, "media": external }), vec!["a", "d"]),
        ] {
            let record = json!({ "text": "a", "embed": embed });
            assert_eq!(texts(&record).collect::<Vec<_>>(), expected);
        }
        assert_eq!(texts(&json!("text")).count(), 0);
    }

    #[test]
    fn handles_lead_nowhere_else() {
        for handle in ["name.bsky.social", "kez.lat", "A.b"] {
            assert!(is_handle(handle), "{handle}");
        }
        for handle in ["", "name", "a..b", "a.b&limit=1", "a.b/c", "a.b#c", "did:plc:abc", "ä.b"] {
            assert!(!is_handle(handle), "{handle}");
        }
    }
}
