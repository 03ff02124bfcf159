//! What the gateway answers when nobody is behind it: refusals that say why, pages, and headers.

use kez_contract::{Code, http};
use serde_json::Value;

use crate::{MESSAGE, Stage, problem, refused};

#[tokio::test]
async fn every_route_to_a_service_says_that_nobody_is_there() {
    let Some(stage) = Stage::set(&[]).await else { return };
    let signed = |request: reqwest::RequestBuilder| request.header("X-KEZ-Auth", "1:ab").body("{}");
    for request in [
        stage.http.get(stage.url("/v1/u/alice")),
        stage.http.get(stage.url("/v1/by-primary/ed25519:00")),
        stage.http.get(stage.url("/v1/profile/alice")),
        stage.http.get(stage.url("/.well-known/webfinger?resource=acct:alice@kez.example")),
        stage.http.post(stage.url("/v1/register")).body("{}"),
        stage.http.post(stage.url("/v1/messages")).body(MESSAGE.clone()),
        stage.http.get(stage.url("/v1/inbox/alice/stream?auth=1:ab")),
        stage.http.get(stage.url("/v1/sigchains/ed25519/00")),
        stage.http.get(stage.url("/v1/sigchains/nostr/npub1x?since=3")).header("If-None-Match", "\"a\""),
        stage.http.post(stage.url("/v1/sigchains/ed25519/00")).body("{}"),
        stage.http.get(stage.url("/v1/claims?subject=github:alice&after=ed25519:00")),
        stage.http.get(stage.url("/v1/verify?subject=github:alice&primary=ed25519:00&fresh=true")),
        stage.http.get(stage.url("/v1/push/vapid-public-key")),
        signed(stage.http.post(stage.url("/v1/push/subscribe/alice"))),
        signed(stage.http.post(stage.url("/v1/push/unsubscribe/alice"))),
        signed(stage.http.get(stage.url("/v1/push/subscriptions/alice"))),
        signed(stage.http.get(stage.url("/v1/inbox/alice"))),
        signed(stage.http.put(stage.url("/v1/profile/alice"))),
        signed(stage.http.put(stage.url("/v1/profile/alice/proofs"))),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["retry-after"], "1", "{}", response.url());
        assert_eq!(problem(response).await, refused(503, "unavailable"));
    }
}

#[tokio::test]
async fn what_is_not_signed_does_not_get_past_the_gateway() {
    let Some(stage) = Stage::set(&[]).await else { return };
    let put = |path| stage.http.put(stage.url(path)).body("{}").send();
    assert_eq!(problem(stage.get("/v1/inbox/alice").await).await, refused(401, "unauthorized"));
    assert_eq!(problem(stage.get("/v1/inbox/alice/stream").await).await, refused(401, "unauthorized"));
    assert_eq!(problem(put("/v1/profile/alice").await.unwrap()).await, refused(401, "unauthorized"));
    assert_eq!(problem(put("/v1/profile/alice/proofs").await.unwrap()).await, refused(401, "unauthorized"));
    for path in ["/v1/push/subscribe/alice", "/v1/push/unsubscribe/alice"] {
        assert_eq!(problem(stage.post(path, "{}").await).await, refused(401, "unauthorized"), "{path}");
    }
    let list = stage.get("/v1/push/subscriptions/alice").await;
    assert_eq!(problem(list).await, refused(401, "unauthorized"));
    let twice =
        stage.http.get(stage.url("/v1/inbox/alice")).header("X-KEZ-Auth", "1:a").header("X-KEZ-Auth", "2:b");
    assert_eq!(problem(twice.send().await.unwrap()).await, refused(400, "malformed"));
}

#[tokio::test]
async fn broken_queries_are_malformed() {
    let Some(stage) = Stage::set(&[]).await else { return };
    for query in
        ["since=x", "since=-1", "since=", "limit=0", "limit=501", "since=1&since=1", "sinse=1", "since=%zz"]
    {
        let request =
            stage.http.get(stage.url(&format!("/v1/inbox/alice?{query}"))).header("X-KEZ-Auth", "1:ab");
        assert_eq!(problem(request.send().await.unwrap()).await, refused(400, "malformed"), "{query}");
    }
    for query in ["auth=1:a&auth=2:b", "auth=1:a&since=x", "auth=1:a&limit=5"] {
        let response = stage.get(&format!("/v1/inbox/alice/stream?{query}")).await;
        assert_eq!(problem(response).await, refused(400, "malformed"), "{query}");
    }
    for path in [
        "/v1/sigchains/ed25519/00?since=x",
        "/v1/sigchains/ed25519/00?since=1&since=1",
        "/v1/sigchains/ed25519/00?limit=1",
        "/v1/sigchains/ed25519/%FF",
        "/v1/claims",
        "/v1/claims?after=ed25519:00",
        "/v1/claims?subject=github:a&subject=github:b",
        "/v1/claims?subject=github:a&limit=1",
        "/v1/verify?subject=github:a",
        "/v1/verify?primary=ed25519:00",
        "/v1/verify?subject=github:a&primary=ed25519:00&fresh=1",
        "/v1/verify?subject=github:a&primary=ed25519:00&fresh=",
        "/v1/verify?subject=github:a&primary=ed25519:00&page=1",
    ] {
        assert_eq!(problem(stage.get(path).await).await, refused(400, "malformed"), "{path}");
    }
    let event = stage.http.get(stage.url("/v1/inbox/alice/stream?auth=1:a")).header("Last-Event-ID", "-1");
    assert_eq!(problem(event.send().await.unwrap()).await, refused(400, "malformed"));
    assert_eq!(problem(stage.get("/v1/u/%FF").await).await, refused(400, "malformed"));
}

#[tokio::test]
async fn webfinger_needs_a_resource_and_answers_pages_of_any_origin() {
    let Some(stage) = Stage::set(&[]).await else { return };
    for query in ["", "?rel=self", "?resource=", "?resource=acct:a@b&resource=acct:c@d", "?resource=%zz"] {
        let response = stage.get(&format!("{}{query}", http::WEBFINGER)).await;
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        assert_eq!(problem(response).await, refused(400, "malformed"), "{query}");
    }
    // Nothing else does.
    assert!(!stage.get(http::CONFIG).await.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn broken_bodies_are_malformed() {
    let Some(stage) = Stage::set(&[]).await else { return };
    for body in ["", "x", "{", "{}{}", "\u{feff}{}"] {
        for path in ["/v1/register", "/v1/sigchains/ed25519/00"] {
            let response = stage.post(path, body).await;
            assert_eq!(problem(response).await, refused(400, "malformed"), "{path}: {body}");
        }
    }
    for body in [
        "{}",
        "[]",
        r#"{"to":"alice"}"#,
        r#"{"to":1,"envelope":{}}"#,
        r#"{"to":"a","envelope":{},"x":1}"#,
        r#"{"to":"a","to":"b","envelope":{}}"#,
    ] {
        assert_eq!(
            problem(stage.post("/v1/messages", body).await).await,
            refused(400, "malformed"),
            "{body}"
        );
    }
    let put = stage.http.put(stage.url("/v1/profile/alice")).header("X-KEZ-Auth", "1:ab").body(&b"\xFF"[..]);
    assert_eq!(problem(put.send().await.unwrap()).await, refused(400, "malformed"));
}

#[tokio::test]
async fn bodies_that_are_too_large_are_told_so() {
    let Some(stage) = Stage::set(&[]).await else { return };
    let message = |size| format!(r#"{{"to":"alice","envelope":"{}"}}"#, "x".repeat(size));
    assert_eq!(
        problem(stage.post("/v1/messages", message(256 * 1024)).await).await,
        refused(503, "unavailable")
    );
    for size in [300 * 1024, 3_000_000, 30_000_000] {
        let request = stage.post("/v1/messages", message(size));
        assert_eq!(problem(request.await).await, refused(413, "too_large"), "{size}");
    }
    assert_eq!(
        problem(stage.post("/v1/register", message(16 * 1024)).await).await,
        refused(413, "too_large")
    );
    let event = |size: usize| format!("\"{}\"", "x".repeat(size - 2));
    let append = |size: usize| stage.post("/v1/sigchains/ed25519/00", event(size));
    assert_eq!(problem(append(16 * 1024).await).await, refused(503, "unavailable"));
    assert_eq!(problem(append(16 * 1024 + 1).await).await, refused(413, "too_large"));
    for path in ["/v1/profile/alice", "/v1/profile/alice/proofs"] {
        let put = stage.http.put(stage.url(path)).header("X-KEZ-Auth", "1:ab").body("x".repeat(65 * 1024));
        assert_eq!(problem(put.send().await.unwrap()).await, refused(413, "too_large"));
    }
}

#[tokio::test]
async fn an_event_of_somebody_else_does_not_get_past_the_gateway() {
    let Some(stage) = Stage::set(&[]).await else { return };
    let append = async |primary: &str| {
        let event = format!(r#"{{"kez":"sigchain_event","payload":{{"primary":"{primary}"}}}}"#);
        problem(stage.post("/v1/sigchains/nostr/npub1x", event).await).await
    };
    assert_eq!(append("nostr:npub1x").await, refused(503, "unavailable"));
    for other in ["nostr:npub1y", "ed25519:npub1x", "npub1x", ""] {
        assert_eq!(append(other).await, refused(422, "wrong_primary"), "{other}");
    }
}

#[tokio::test]
async fn unknown_routes_and_methods_are_problems() {
    let Some(stage) = Stage::set(&[]).await else { return };
    for path in
        ["/v1", "/v1/u", "/v1/u/", "/v1/healthz/", "/metrics", "/errors/nonsense", "/v1/sigchains/ed25519"]
    {
        assert_eq!(problem(stage.get(path).await).await, refused(404, "not_found"), "{path}");
    }
    let response = stage.http.delete(stage.url("/v1/profile/alice")).send().await.unwrap();
    let allowed: Vec<&str> = response.headers()["allow"].to_str().unwrap().split(',').collect();
    assert!(["GET", "PUT"].iter().all(|method| allowed.contains(method)), "{allowed:?}");
    assert_eq!(problem(response).await, refused(405, "method_not_allowed"));
    let response = stage.get("/v1/messages").await;
    assert_eq!(response.headers()["allow"], "POST");
    assert_eq!(problem(response).await, refused(405, "method_not_allowed"));
}

#[tokio::test]
async fn every_code_is_explained() {
    let Some(stage) = Stage::set(&[]).await else { return };
    for code in Code::ALL {
        let response = stage.get(&format!("/errors/{}", code.as_str())).await;
        assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
        let text = response.text().await.unwrap();
        assert!(text.contains(code.title()) && text.contains(&code.status().to_string()), "{text}");
    }
}

#[tokio::test]
async fn the_page_needs_nothing_that_its_policy_forbids() {
    let Some(stage) = Stage::set(&[]).await else { return };
    let response = stage.get("/").await;
    assert_eq!(response.headers()["cache-control"], "no-cache");
    assert!(response.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    let page = response.text().await.unwrap();
    assert!(page.contains("<h1>kez.example</h1>") && !page.contains("{{"), "{page}");
    assert!(!page.contains("<script") && !page.contains("style="), "{page}");
    let targets = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    for target in targets.filter(|target| target.starts_with('/') && *target != "/v1/readyz") {
        assert_eq!(stage.get(target).await.status(), 200, "{target}");
    }
    assert_eq!(stage.get("/landing.css").await.headers()["content-type"], "text/css; charset=utf-8");
}

#[tokio::test]
async fn every_answer_has_the_headers_that_keep_it_safe() {
    let Some(stage) = Stage::set(&[]).await else { return };
    for path in ["/", "/v1/config", "/v1/u/alice", "/nonsense", "/v1/messages", "/v1/nats"] {
        let response = stage.get(path).await;
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(header("cross-origin-embedder-policy"), "require-corp", "{path}");
        assert!(header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(header("cache-control"), if path == "/" { "no-cache" } else { "no-store" }, "{path}");
    }
}

#[tokio::test]
async fn clients_learn_what_they_need() {
    let Some(stage) =
        Stage::set(&["--nats-public-urls=wss://nats.kez.example", "--sends-per-minute=7"]).await
    else {
        return;
    };
    let config: Value = stage.get("/v1/config").await.json().await.unwrap();
    assert_eq!(config["server"], "kez.example");
    assert_eq!(config["nats"], serde_json::json!(["wss://nats.kez.example", "/v1/nats"]));
    assert_eq!(config["limits"]["http_sends_per_minute"], 7);
    let document: Value = stage.get("/v1/openapi.json").await.json().await.unwrap();
    assert_eq!(document["openapi"], "3.1.0");
}
