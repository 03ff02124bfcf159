//! A GitHub user says whose they are: gists and a README, from a real server that answers like GitHub's API.

use kez_contract::sigchain::{Status, Why};
use kez_crypto::encoding::{compact, markdown};
use kez_proofs::{Checker, Settings};
use serde_json::{Value, json};
use tests::accounts::{Accounts, Claimant, Page, Site};

const GISTS: &str = "/users/alice/gists?per_page=100";
const README: &str = "/repos/alice/alice/readme";

/// An API, a checker that asks it, and the user alice.
async fn world() -> (Accounts, Site, Checker, Claimant) {
    let accounts = Accounts::start().await;
    let api = accounts.site("api.github.test").await;
    let checker = checker(&accounts, &api);
    api.put(GISTS, Page::json(&json!([])));
    (accounts, api, checker, Claimant::of("github:alice"))
}

fn checker(accounts: &Accounts, api: &Site) -> Checker {
    Checker::new(&Settings { github_url: api.url("").parse().unwrap(), ..accounts.settings() }).unwrap()
}

/// A gist as GitHub has it; in a list without its content.
fn gist(id: &str, owner: &str, file: &str, content: Option<&str>) -> Value {
    let mut file_of = json!({ "filename": file, "type": "text/markdown", "size": 1, "truncated": false });
    if let Some(content) = content {
        file_of["content"] = content.into();
    }
    json!({
        "id": id, "public": true, "html_url": format!("https://gist.github.test/{owner}/{id}"),
        "owner": { "login": owner, "id": 1 }, "files": { file: file_of, "other.txt": { "filename": "other.txt" } }
    })
}

/// A list of one gist, and the gist.
fn put_gist(api: &Site, owner: &str, file: &str, content: &str) {
    api.put(GISTS, Page::json(&json!([gist("a1b2", owner, file, None)])));
    api.put("/gists/a1b2", Page::json(&gist("a1b2", owner, file, Some(content))));
}

#[tokio::test]
async fn a_gist_holds_a_claim() {
    let (_accounts, api, checker, alice) = world().await;
    alice
        .sees_all_judged(&checker, |claim| match claim {
            Some(claim) => put_gist(&api, "alice", "kez.md", &markdown(claim)),
            None => api.put(GISTS, Page::json(&json!([]))),
        })
        .await;
}

#[tokio::test]
async fn a_readme_holds_a_claim() {
    let (_accounts, api, checker, alice) = world().await;
    alice
        .sees_all_judged(&checker, |claim| match claim {
            Some(claim) => api.put(README, Page::text(format!("# Hi\n\n{}\n\nBye", markdown(claim)))),
            None => api.remove(README),
        })
        .await;
}

#[tokio::test]
async fn the_gist_is_shown_as_evidence_and_is_enough() {
    let (_accounts, api, checker, alice) = world().await;
    // Names of users have no case.
    put_gist(&api, "Alice", "kez.md", &compact(&alice.claim()));
    api.put(README, Page::status(500));
    assert_eq!(alice.verifies(&checker).await, "https://gist.github.test/Alice/a1b2");
    let asked: Vec<_> = api.asked().into_iter().map(|(path, _)| path).collect();
    assert_eq!(asked, [GISTS, "/gists/a1b2"]);
}

#[tokio::test]
async fn a_readme_counts_where_the_gist_is_no_proof() {
    let (_accounts, api, checker, alice) = world().await;
    let old = Claimant::of("github:alice");
    put_gist(&api, "alice", "kez.md", &markdown(&old.claim()));
    api.put(README, Page::text(alice.envelope()));
    assert_eq!(alice.verifies(&checker).await, api.url(README));
    api.remove(README);
    alice.fails(&checker, Why::WrongPrimary).await;
    // When it cannot be read, nothing is known.
    for (page, why) in [(Page::status(500), Why::NoAnswer), (Page::status(403), Why::RateLimited)] {
        api.put(README, page);
        let finding = alice.fails(&checker, why).await;
        assert_eq!((finding.status, finding.evidence), (Status::Unreachable, api.url(README)));
    }
}

#[tokio::test]
async fn a_gist_of_somebody_else_counts_for_nobody() {
    let (_accounts, api, checker, alice) = world().await;
    put_gist(&api, "mallory", "kez.md", &markdown(&alice.claim()));
    alice.fails(&checker, Why::Absent).await;
    // Not even when the list says otherwise, or when it is nobody's, or secret.
    let own = gist("a1b2", "alice", "kez.md", Some(&markdown(&alice.claim())));
    for (member, value) in [
        ("owner", json!({ "login": "mallory" })),
        ("owner", json!(null)),
        ("public", json!(false)),
        ("files", json!({ "other.md": own["files"]["kez.md"] })),
    ] {
        let mut other = own.clone();
        other[member] = value;
        for (listed, whole) in [(&own, &other), (&other, &own)] {
            api.put(GISTS, Page::json(&json!([listed])));
            api.put("/gists/a1b2", Page::json(whole));
            alice.fails(&checker, Why::Absent).await;
        }
    }
    api.put(GISTS, Page::json(&json!([own])));
    alice.verifies(&checker).await;
}

#[tokio::test]
async fn a_gist_leads_to_no_other_path() {
    let (_accounts, api, checker, alice) = world().await;
    api.put("/evil", Page::json(&gist("a1b2", "alice", "kez.md", Some(&markdown(&alice.claim())))));
    for id in ["../evil", "..%2fevil", "", "a?b"] {
        api.put(GISTS, Page::json(&json!([gist(id, "alice", "kez.md", None)])));
        alice.fails(&checker, Why::Absent).await;
    }
    assert!(api.asked().iter().all(|(path, _)| path == GISTS || path == README));
}

#[tokio::test]
async fn of_several_gists_the_good_one_counts() {
    let (_accounts, api, checker, alice) = world().await;
    let list: Vec<Value> =
        (0..50).map(|number| gist(&number.to_string(), "alice", "notes.md", None)).collect();
    let with_file = ["x1", "x2", "x3"].map(|id| gist(id, "alice", "kez.md", None));
    api.put(GISTS, Page::json(&[list, with_file.to_vec()].concat().into()));
    for (id, text) in [("x1", "hello".to_owned()), ("x3", markdown(&alice.claim()))] {
        api.put(&format!("/gists/{id}"), Page::json(&gist(id, "alice", "kez.md", Some(&text))));
    }
    alice.verifies(&checker).await;
}

#[tokio::test]
async fn what_the_api_refuses_is_told() {
    let (accounts, api, checker, alice) = world().await;
    for (page, why) in [
        (Page::status(404), Why::NoSuchAccount),
        // Whoever moved away has another name now, and somebody else may take this one.
        (Page::redirect("/users/bob/gists?per_page=100"), Why::NoSuchAccount),
        (Page::status(403), Why::RateLimited),
        (Page::status(429), Why::RateLimited),
        (Page::status(401), Why::NoAnswer),
        (Page::status(500), Why::NoAnswer),
        (Page::text("<html>"), Why::NoAnswer),
        (Page::json(&json!({ "message": "?" })), Why::NoAnswer),
        (Page::Endless, Why::TooLarge),
    ] {
        let shown = format!("{page:?}");
        api.put(GISTS, page);
        let finding = alice.fails(&checker, why).await;
        assert_eq!(finding.evidence, api.url(GISTS), "{shown}");
    }
    api.put(GISTS, Page::json(&json!([])));
    api.put("/repositories/1/readme", Page::text(alice.envelope()));
    api.put(README, Page::redirect("/repositories/1/readme"));
    alice.fails(&checker, Why::Absent).await;

    api.put(GISTS, Page::Silent);
    let settings = Settings { github_url: api.url("").parse().unwrap(), ..accounts.settings() };
    let hasty = Checker::new(&Settings { milliseconds: tests::accounts::SHORT, ..settings }).unwrap();
    alice.fails(&hasty, Why::Timeout).await;
}

#[tokio::test]
async fn names_lead_nowhere_else() {
    let (_accounts, api, checker, _) = world().await;
    for subject in ["github:alice/gists", "github:..", "github:alice?a", "github:alice%2f", "github:älice"] {
        Claimant::of(subject).fails(&checker, Why::NoSuchAccount).await;
    }
    assert!(api.asked().is_empty());
}

#[tokio::test]
async fn the_token_is_for_github_alone() {
    let (accounts, api, _, alice) = world().await;
    put_gist(&api, "alice", "kez.md", &markdown(&alice.claim()));
    let token = accounts.file("token", "ghp_secret\n");
    let settings = Settings {
        github_url: api.url("/api/v3/").parse().unwrap(),
        bluesky_url: api.url("").parse().unwrap(),
        github_token_file: Some(token),
        ..accounts.settings()
    };
    // An API below a path, as companies have it.
    for path in [GISTS, "/gists/a1b2"] {
        let page = if path == GISTS {
            Page::json(&json!([gist("a1b2", "alice", "kez.md", None)]))
        } else {
            Page::json(&gist("a1b2", "alice", "kez.md", Some(&markdown(&alice.claim()))))
        };
        api.put(&format!("/api/v3{path}"), page);
    }
    let checker = Checker::new(&settings).unwrap();
    alice.verifies(&checker).await;
    Claimant::of("bluesky:alice.test").check(&checker).await;
    Claimant::of(&format!("web:{}", api.url(""))).check(&checker).await;
    let asked = api.asked();
    assert_eq!(asked.len(), 4);
    for (path, headers) in asked {
        let sent = headers.get("authorization").map(|value| value.to_str().unwrap());
        assert_eq!(sent, path.starts_with("/api/v3/").then_some("Bearer ghp_secret"), "{path}");
    }
    // It is not sent in the clear.
    let clear = Settings { github_url: "http://api.github.test".parse().unwrap(), ..settings };
    let error = Checker::new(&clear).err().unwrap().to_string();
    assert!(error.contains("KEZ_PROOF_GITHUB_TOKEN_FILE"), "{error}");
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let accounts = Accounts::start().await;
    let missing = Some(accounts.file("token", "a\nb").with_file_name("missing"));
    let (empty, broken) = (Some(accounts.file("empty", "")), Some(accounts.file("broken", "a\nb")));
    for (settings, variable) in [
        (Settings { ca_file: missing.clone(), ..accounts.settings() }, "KEZ_PROOF_CA_FILE"),
        (Settings { ca_file: empty, ..accounts.settings() }, "KEZ_PROOF_CA_FILE"),
        (Settings { github_token_file: missing, ..accounts.settings() }, "KEZ_PROOF_GITHUB_TOKEN_FILE"),
        (Settings { github_token_file: broken, ..accounts.settings() }, "KEZ_PROOF_GITHUB_TOKEN_FILE"),
    ] {
        let error = Checker::new(&settings).err().unwrap().to_string();
        assert!(error.contains(variable), "{error}");
    }
}
