//! An account of the fediverse says whose it is: WebFinger and an actor, from real servers.

use kez_contract::sigchain::{Status, Why};
use kez_crypto::encoding::compact;
use serde_json::{Value, json};
use tests::accounts::{Accounts, Claimant, Page, Site};

const ACTOR: &str = "/users/alice";

/// A server, and the account alice there.
struct World {
    accounts: Accounts,
    site: Site,
    alice: Claimant,
    /// The path at which WebFinger answers for alice.
    webfinger: String,
}

impl World {
    async fn start() -> Self {
        let accounts = Accounts::start().await;
        let site = accounts.site("social.test").await;
        let alice = Claimant::of(&format!("ap:alice@{}", site.authority()));
        let port = site.port();
        let webfinger = format!("/.well-known/webfinger?resource=acct%3Aalice%40social.test%3A{port}");
        let world = Self { accounts, site, alice, webfinger };
        world.site.put(&world.webfinger, Page::json(&world.descriptor()));
        world
    }

    fn account(&self) -> String {
        format!("acct:alice@{}", self.site.authority())
    }

    /// What WebFinger says of alice.
    fn descriptor(&self) -> Value {
        let page = "https://social.test/@alice";
        json!({
            "subject": self.account(), "aliases": [page],
            "links": [
                { "rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": page },
                { "rel": "self", "type": "application/activity+json", "href": self.site.url(ACTOR) },
                { "rel": "http://ostatus.org/schema/1.0/subscribe", "template": "https://social.test/{uri}" }
            ]
        })
    }

    fn actor(&self, summary: &str, attachment: &Value) -> Value {
        json!({
            "@context": "https://www.w3.org/ns/activitystreams", "type": "Person", "id": self.site.url(ACTOR),
            "preferredUsername": "alice", "summary": summary, "attachment": attachment
        })
    }

    async fn fails(&self, why: Why) -> String {
        self.alice.fails(&self.accounts.checker(), why).await.evidence
    }
}

#[tokio::test]
async fn a_description_holds_a_claim() {
    let world = World::start().await;
    let (alice, checker) = (&world.alice, world.accounts.checker());
    alice
        .sees_all_judged(&checker, |claim| {
            let text = claim.map_or("nothing".to_owned(), compact);
            let summary = format!("<p>Hi &amp; welcome</p><p>I am <b>kez</b>: {text}<br>bye</p>");
            world.site.put(ACTOR, Page::json(&world.actor(&summary, &json!([]))));
        })
        .await;
}

#[tokio::test]
async fn attachments_hold_claims_in_html() {
    let world = World::start().await;
    let escaped = world.alice.envelope().replace('"', "&quot;");
    let halves = compact(&world.alice.claim());
    let (shown, hidden) = halves.split_at(20);
    for value in
        [escaped, format!("<a href=\"#\"><span>{shown}</span><span class=\"invisible\">{hidden}</span></a>")]
    {
        let property = json!({ "type": "PropertyValue", "name": "kez", "value": value });
        for attachment in [json!([{ "type": "Image", "url": "x" }, property]), property.clone()] {
            world.site.put(ACTOR, Page::json(&world.actor("", &attachment)));
            let evidence = world.alice.verifies(&world.accounts.checker()).await;
            assert_eq!(evidence, world.site.url(ACTOR));
        }
    }
}

#[tokio::test]
async fn the_alias_is_the_same_account() {
    let world = World::start().await;
    let alice = Claimant::of(&format!("mastodon:alice@{}", world.site.authority()));
    world.site.put(ACTOR, Page::json(&world.actor(&compact(&alice.claim()), &json!(null))));
    alice.verifies(&world.accounts.checker()).await;
}

#[tokio::test]
async fn a_host_may_have_its_accounts_elsewhere() {
    let world = World::start().await;
    let elsewhere = world.accounts.site("host.test").await;
    let mut descriptor = world.descriptor();
    descriptor["links"][1]["href"] = elsewhere.url(ACTOR).into();
    let mut actor = world.actor(&compact(&world.alice.claim()), &json!([]));
    actor["id"] = elsewhere.url(ACTOR).into();
    elsewhere.put("/webfinger", Page::json(&descriptor));
    elsewhere.put(ACTOR, Page::json(&actor));
    for page in [Page::json(&descriptor), Page::redirect(elsewhere.url("/webfinger"))] {
        world.site.put(&world.webfinger, page);
        assert_eq!(world.alice.verifies(&world.accounts.checker()).await, elsewhere.url(ACTOR));
    }
}

#[tokio::test]
async fn another_account_counts_for_nobody() {
    let world = World::start().await;
    world.site.put(ACTOR, Page::json(&world.actor(&compact(&world.alice.claim()), &json!([]))));
    let mut other = world.descriptor();
    other["subject"] = format!("acct:mallory@{}", world.site.authority()).into();
    let mut linkless = world.descriptor();
    linkless["links"] = json!([]);
    let mut clear = world.descriptor();
    clear["links"][1]["href"] = world.site.url(ACTOR).replace("https", "http").into();
    for descriptor in [other, linkless, clear] {
        world.site.put(&world.webfinger, Page::json(&descriptor));
        world.fails(Why::NoSuchAccount).await;
    }
    // An account has no case.
    let mut loud = world.descriptor();
    loud["subject"] = world.account().to_uppercase().into();
    world.site.put(&world.webfinger, Page::json(&loud));
    world.alice.verifies(&world.accounts.checker()).await;
}

#[tokio::test]
async fn an_actor_is_one_of_its_own_host() {
    let world = World::start().await;
    let other = world.accounts.site("other.test").await;
    let mut actor = world.actor(&compact(&world.alice.claim()), &json!([]));
    for id in [other.url(ACTOR), "https://social.test/users/alice".to_owned(), "alice".to_owned()] {
        actor["id"] = id.into();
        world.site.put(ACTOR, Page::json(&actor));
        world.fails(Why::NoAnswer).await;
    }
    // Nor is it fetched from another one than was linked.
    other.put(ACTOR, Page::json(&actor));
    world.site.put(ACTOR, Page::redirect(other.url(ACTOR)));
    world.fails(Why::Forbidden).await;
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn what_is_no_answer_is_told() {
    let world = World::start().await;
    let pages = || {
        [
            (Page::status(404), Why::NoSuchAccount),
            (Page::status(410), Why::NoSuchAccount),
            (Page::status(401), Why::NoAnswer),
            (Page::status(429), Why::RateLimited),
            (Page::text("<html>"), Why::NoAnswer),
            (Page::Endless, Why::TooLarge),
        ]
    };
    for (page, why) in pages() {
        world.site.put(ACTOR, page);
        assert_eq!(world.fails(why).await, world.site.url(ACTOR));
    }
    for (page, why) in pages() {
        world.site.put(&world.webfinger, page);
        assert_eq!(world.fails(why).await, world.site.url(&world.webfinger));
    }
}

#[tokio::test]
async fn what_is_slow_is_given_up() {
    let world = World::start().await;
    let hasty = world.accounts.hasty_checker();
    for path in [ACTOR, &world.webfinger] {
        world.site.put(path, Page::Silent);
        let finding = world.alice.fails(&hasty, Why::Timeout).await;
        assert_eq!(finding.status, Status::Unreachable);
    }
}

#[tokio::test]
async fn names_lead_nowhere_else() {
    let world = World::start().await;
    for name in ["alice@social.test/a", "alice@social.test?a", "alice@b@social.test", "a@social.test:99999"] {
        Claimant::of(&format!("ap:{name}")).fails(&world.accounts.checker(), Why::NoSuchAccount).await;
    }
    // What stands in a name stays in it.
    let alice = Claimant::of(&format!("ap:alice&rel=self#@{}", world.site.authority()));
    alice.fails(&world.accounts.checker(), Why::NoSuchAccount).await;
    let (path, _) = world.site.asked().pop().unwrap();
    assert!(path.starts_with("/.well-known/webfinger?resource=acct%3Aalice%26rel%3Dself%23%40"), "{path}");
}
