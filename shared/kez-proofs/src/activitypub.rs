//! `ap:tudisco@social.example`: WebFinger, then the actor document: what it says of itself, and its attachments.

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::found::{Found, Unfound};
use crate::html;
use crate::http::{Ask, Follow, get};
use crate::judge::Wanted;
use crate::reach::Reach;

const ACTIVITY: &str = "application/activity+json";
const LINKED_DATA: &str = "application/ld+json";

/// The account's description and its attachments, as texts.
pub async fn look(reach: &Reach, wanted: &Wanted<'_>) -> Result<Found, Unfound> {
    let no_account = || Unfound::no_account("this is no name of an account, user@host", wanted.subject);
    let account = Account::parse(wanted.subject.name()).ok_or_else(no_account)?;
    let url = actor_url(reach, &account).await?;
    let accept =
        r#"application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams""#;
    let answer = get(reach, Ask { url, accept, token: None, follow: Follow::SameOrigin }).await?;
    if answer.is_nothing() {
        return Err(Unfound::no_account("the account is gone", &answer.url));
    }
    let answer = answer.success()?;
    let actor: Actor = answer.json()?;
    // What lies on one host and says that it is an actor of another one is nobody.
    if Url::parse(&actor.id).map(|id| id.origin()) != Ok(answer.url.origin()) {
        return Err(Unfound::no_answer("the answer is an actor of another host", &answer.url));
    }
    let mut found = Found::at(&answer.url);
    for text in actor.summary.iter().map(String::as_str).chain(attachments(&actor.attachment)) {
        found.add(html::text(text), &answer.url);
    }
    Ok(found)
}

#[derive(Debug)]
struct Account {
    user: String,
    /// The host's URL.
    host: Url,
}

impl Account {
    fn parse(name: &str) -> Option<Self> {
        let (user, host) = name.split_once('@')?;
        if user.is_empty() || host.contains(['/', '\\', '?', '#', '@', '%']) {
            return None;
        }
        let host = Url::parse(&format!("https://{host}/")).ok()?;
        Some(Self { user: user.to_owned(), host })
    }

    /// Its URI (RFC 7565).
    fn uri(&self) -> String {
        let port = self.host.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("acct:{}@{}{port}", self.user, self.host.host_str().unwrap_or_default())
    }
}

/// What WebFinger (RFC 7033) says of an account.
#[derive(Deserialize)]
struct Descriptor {
    subject: String,
    #[serde(default)]
    links: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    rel: String,
    #[serde(rename = "type")]
    media_type: Option<String>,
    href: Option<String>,
}

impl Link {
    /// The link to the actor, if it is this one.
    fn actor(self) -> Option<Url> {
        let media_type = self.media_type?;
        let is_actor = media_type == ACTIVITY || media_type.starts_with(LINKED_DATA);
        let url = Url::parse(&self.href?).ok()?;
        (self.rel == "self" && is_actor && url.scheme() == "https").then_some(url)
    }
}

/// Where the account's host says that the actor document lies: perhaps on another host, for it speaks for its accounts.
async fn actor_url(reach: &Reach, account: &Account) -> Result<Url, Unfound> {
    let mut url = account.host.clone();
    url.set_path("/.well-known/webfinger");
    url.query_pairs_mut().append_pair("resource", &account.uri());
    let accept = "application/jrd+json, application/json;q=0.9";
    let answer = get(reach, Ask { url, accept, token: None, follow: Follow::AnyHost }).await?;
    if answer.is_nothing() {
        return Err(Unfound::no_account("this host has no account of this name", &answer.url));
    }
    let answer = answer.success()?;
    let descriptor: Descriptor = answer.json()?;
    if !descriptor.subject.eq_ignore_ascii_case(&account.uri()) {
        return Err(Unfound::no_account("the host answers for an account of another name", &answer.url));
    }
    let actor = descriptor.links.into_iter().find_map(Link::actor);
    actor.ok_or_else(|| Unfound::no_account("the account has no ActivityPub actor", &answer.url))
}

#[derive(Deserialize)]
struct Actor {
    id: String,
    summary: Option<String>,
    #[serde(default)]
    attachment: Value,
}

/// Names and values of attachments; one stands there alone or in a list.
fn attachments(attachment: &Value) -> impl Iterator<Item = &str> {
    let alone = attachment.is_object().then_some(attachment);
    let listed = attachment.as_array().into_iter().flatten();
    let texts =
        alone.into_iter().chain(listed).flat_map(|attachment| [&attachment["name"], &attachment["value"]]);
    texts.filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn accounts_have_a_user_and_a_host() {
        for (name, uri) in [
            ("alice@social.example", "acct:alice@social.example"),
            ("alice@Social.example:8443", "acct:alice@social.example:8443"),
            ("tüd€@social.example", "acct:tüd€@social.example"),
            ("a@bücher.example", "acct:a@xn--bcher-kva.example"),
        ] {
            assert_eq!(Account::parse(name).map(|account| account.uri()).as_deref(), Some(uri), "{name}");
        }
        for name in
            ["alice", "@b.example", "a@", "a@b@c", "a@b/c", "a@b?c", "a@b#c", "a@b:99999", "a@b\\c", "a@%62"]
        {
            assert!(Account::parse(name).is_none(), "{name}");
        }
    }

    #[test]
    fn the_actor_is_linked_as_one() {
        for (link, is_actor) in [
            (json!({ "rel": "self", "type": ACTIVITY, "href": "https://a.example/u" }), true),
            (
                json!({ "rel": "self", "type": "application/ld+json; profile=\"x\"", "href": "https://a.example" }),
                true,
            ),
            (json!({ "rel": "self", "type": ACTIVITY, "href": "http://a.example/u" }), false),
            (json!({ "rel": "self", "type": "text/html", "href": "https://a.example/u" }), false),
            (json!({ "rel": "self", "href": "https://a.example/u" }), false),
            (json!({ "rel": "me", "type": ACTIVITY, "href": "https://a.example/u" }), false),
            (json!({ "rel": "self", "type": ACTIVITY }), false),
        ] {
            let read: Link = serde_json::from_value(link.clone()).unwrap();
            assert_eq!(read.actor().is_some(), is_actor, "{link}");
        }
    }

    #[test]
    fn attachments_stand_alone_or_in_a_list() {
        let one = json!({ "type": "PropertyValue", "name": "kez", "value": "<p>a</p>" });
        assert_eq!(attachments(&one).collect::<Vec<_>>(), ["kez", "<p>a</p>"]);
        assert_eq!(attachments(&json!([one, "x", { "name": 1 }, one])).count(), 4);
        assert_eq!(attachments(&json!(null)).count(), 0);
    }
}
