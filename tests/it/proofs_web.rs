//! A site says whose it is: a file on a real HTTPS server.

use hickory_server::proto::rr::RecordType;
use kez_contract::sigchain::{Status, Why};
use kez_crypto::encoding::{compact, markdown};
use kez_proofs::{Checker, Settings};
use serde_json::json;
use tests::accounts::{Accounts, Claimant, HERE, Page, Reply, Site};

const FILE: &str = "/.well-known/kez.json";

/// A site, and somebody who says that it is theirs.
async fn world() -> (Accounts, Site, Claimant) {
    let accounts = Accounts::start().await;
    let site = accounts.site("kez.test").await;
    let alice = Claimant::of(&format!("web:{}", site.url("")));
    (accounts, site, alice)
}

#[tokio::test]
async fn a_site_holds_a_claim() {
    let (accounts, site, alice) = world().await;
    alice
        .sees_all_judged(&accounts.checker(), |claim| match claim {
            Some(claim) => site.put(FILE, Page::text(claim.to_vec())),
            None => site.remove(FILE),
        })
        .await;
}

#[tokio::test]
async fn a_claim_has_any_form() {
    let (accounts, site, alice) = world().await;
    let json: serde_json::Value = serde_json::from_slice(&alice.claim()).unwrap();
    for text in [markdown(&alice.claim()), compact(&alice.claim()), format!("\n{}\n", alice.envelope())] {
        site.put(FILE, Page::text(text));
        assert_eq!(alice.verifies(&accounts.checker()).await, site.url(FILE));
    }
    // Written otherwise it is the same claim, and is handed on as it stands.
    site.put(FILE, Page::text(serde_json::to_string_pretty(&json).unwrap()));
    assert_eq!(alice.check(&accounts.checker()).await.status, Status::Verified);
}

#[tokio::test]
async fn a_site_may_be_part_of_a_host() {
    let (accounts, site, _) = world().await;
    let alice = Claimant::of(&format!("web:{}", site.url("/~alice/")));
    site.put("/~alice/.well-known/kez.json", Page::text(alice.claim()));
    alice.verifies(&accounts.checker()).await;
    // What stands for one part of the host does not stand for another.
    let bob = Claimant::of(&format!("web:{}", site.url("/~bob")));
    bob.fails(&accounts.checker(), Why::Absent).await;
}

#[tokio::test]
async fn broken_is_told_from_absent() {
    let (accounts, site, alice) = world().await;
    let bomb = compact(format!("{{\"kez\":\"{}\"}}", " ".repeat(4 * 1024 * 1024)).as_bytes());
    assert!(bomb.len() < 4096);
    for (page, why) in [
        (Page::status(404), Why::Absent),
        (Page::status(410), Why::Absent),
        (Page::text("<!doctype html><p>Welcome"), Why::Absent),
        (Page::json(&json!({ "handle": "alice" })), Why::Malformed),
        (Page::text(b"{\"kez\":\"\xff\"}".to_vec()), Why::Malformed),
        (Page::text(bomb), Why::Malformed),
        (Page::status(500), Why::NoAnswer),
        (Page::status(403), Why::NoAnswer),
        (Page::status(429), Why::RateLimited),
    ] {
        let shown = format!("{page:?}");
        site.put(FILE, page);
        let finding = alice.check(&accounts.checker()).await;
        assert_eq!((finding.why, finding.evidence), (Some(why), site.url(FILE)), "{shown:.200}");
    }
}

#[tokio::test]
async fn what_is_slow_is_given_up() {
    let (accounts, site, alice) = world().await;
    site.put(FILE, Page::Silent);
    let finding = alice.fails(&accounts.hasty_checker(), Why::Timeout).await;
    assert_eq!(finding.status, Status::Unreachable);
    // The time is for the whole check: redirects that trickle in do not add to it.
    site.put(FILE, Page::redirect("/a"));
    site.put("/a", Page::Silent);
    alice.fails(&accounts.hasty_checker(), Why::Timeout).await;
}

#[tokio::test]
async fn what_is_huge_is_not_read() {
    let (accounts, site, alice) = world().await;
    let checker = accounts.checker();
    let padded = |length: usize| {
        let mut body = alice.claim();
        body.resize(length, b' ');
        Page::text(body)
    };
    site.put(FILE, padded(1024 * 1024));
    assert_eq!(alice.check(&checker).await.why, None);
    for page in [padded(1024 * 1024 + 1), Page::Endless] {
        site.put(FILE, page);
        alice.fails(&checker, Why::TooLarge).await;
    }
}

#[tokio::test]
async fn what_is_compressed_is_not_read() {
    let (accounts, site, alice) = world().await;
    let Page::Answer { status, body, .. } = Page::text(alice.claim()) else { unreachable!() };
    let headers = vec![("content-encoding", "gzip".to_owned())];
    site.put(FILE, Page::Answer { status, headers, body });
    alice.fails(&accounts.checker(), Why::NoAnswer).await;
}

#[tokio::test]
async fn redirects_stay_on_the_host() {
    let (accounts, site, alice) = world().await;
    let other = accounts.site("other.test").await;
    for path in ["/claim", "/1"] {
        site.put(path, Page::text(alice.claim()));
        other.put(path, Page::text(alice.claim()));
    }
    let checker = accounts.checker();
    for target in ["/claim".to_owned(), "../claim".to_owned(), site.url("/claim")] {
        site.put(FILE, Page::redirect(target));
        assert_eq!(alice.verifies(&checker).await, site.url("/claim"));
    }
    let same_host_http = format!("http://{}/claim", site.authority());
    let user = format!("https://user@{}/claim", site.authority());
    for target in [other.url("/claim"), format!("//{}/claim", other.authority()), same_host_http, user] {
        site.put(FILE, Page::redirect(target.clone()));
        let finding = alice.fails(&checker, Why::Forbidden).await;
        assert_eq!((finding.status, finding.evidence), (Status::Unreachable, site.url(FILE)), "{target}");
    }
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn redirects_come_to_an_end() {
    let (accounts, site, alice) = world().await;
    site.put(FILE, Page::redirect("/1"));
    for (from, to) in [("/1", "/2"), ("/2", "/3")] {
        site.put(from, Page::redirect(to));
    }
    site.put("/3", Page::text(alice.claim()));
    alice.verifies(&accounts.checker()).await;
    let asked = site.asked().len();
    site.put("/3", Page::redirect(FILE));
    alice.fails(&accounts.checker(), Why::NoAnswer).await;
    assert_eq!(site.asked().len() - asked, 4, "the first request and three redirects");
}

#[tokio::test]
async fn a_request_says_nothing_about_whom_it_is_for() {
    let (accounts, site, alice) = world().await;
    let cookie = vec![("set-cookie", "a=b".to_owned()), ("location", "/claim".to_owned())];
    site.put(FILE, Page::Answer { status: 302, headers: cookie, body: Vec::new().into() });
    site.put("/claim", Page::text(alice.claim()));
    alice.verifies(&accounts.checker()).await;
    let asked = site.asked();
    assert_eq!(asked.len(), 2);
    for (_, headers) in asked {
        let mut names: Vec<_> = headers.keys().map(|name| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"]);
        assert!(headers["user-agent"].to_str().unwrap().starts_with("kez/"));
        assert_eq!(headers["host"], site.authority().as_str());
    }
}

#[tokio::test]
async fn a_host_has_to_prove_who_it_is() {
    let (accounts, site, alice) = world().await;
    site.put(FILE, Page::text(alice.claim()));
    // Its certificate is another host's.
    accounts.names.set("twin.test", RecordType::A, [Reply::addresses(&[HERE])]);
    let twin = Claimant::of(&format!("web:https://twin.test:{}", site.port()));
    twin.fails(&accounts.checker(), Why::NoAnswer).await;
    // Its authority is unknown.
    let checker = Checker::new(&Settings { ca_file: None, ..accounts.settings() }).unwrap();
    alice.fails(&checker, Why::NoAnswer).await;
    assert!(site.asked().is_empty());
}

#[tokio::test]
async fn only_https_sites_are_accounts() {
    let accounts = Accounts::start().await;
    for subject in ["web:https://alice@kez.test", "web:https://kez.test?a", "web:https://kez.test#a"] {
        Claimant::of(subject).fails(&accounts.checker(), Why::NoSuchAccount).await;
    }
}
