//! The web client as browsers get it.

use std::fs;

use crate::{Stage, problem, refused};

/// A stage with a client of a few files.
async fn stage() -> Option<(tempfile::TempDir, Stage)> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("assets")).unwrap();
    for (name, content) in [
        ("index.html", "<!doctype html><div id=app></div>"),
        ("service-worker.js", "self.x = 1"),
        ("icon.svg", "<svg/>"),
        ("assets/main-abc123.js", "export {}"),
    ] {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let flag = format!("--web-dir={}", folder.path().display());
    let stage = Stage::set(&[&flag]).await?;
    Some((folder, stage))
}

#[tokio::test]
async fn every_page_is_the_one_document() {
    let Some((_folder, stage)) = stage().await else { return };
    for path in ["/", "/chats", "/chats/alice", "/claims/add", "/settings?tab=security", "/no-such-page"] {
        let response = stage.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["cache-control"], "no-cache", "{path}");
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(
            policy.contains("script-src 'self' 'wasm-unsafe-eval';") && policy.contains("kez-url"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe-inline"), "{policy}");
        assert!(response.text().await.unwrap().contains("id=app"), "{path}");
    }
}

#[tokio::test]
async fn files_are_what_they_are_called() {
    let Some((_folder, stage)) = stage().await else { return };
    for (path, media_type, cached) in [
        ("/service-worker.js", "text/javascript; charset=utf-8", "no-cache"),
        ("/icon.svg", "image/svg+xml", "no-cache"),
        ("/assets/main-abc123.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
    ] {
        let response = stage.get(path).await;
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!((header("content-type").as_str(), header("cache-control").as_str()), (media_type, cached));
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cross-origin-embedder-policy"), "require-corp");
    }
}

#[tokio::test]
async fn what_is_no_page_and_no_file_is_a_problem() {
    let Some((_folder, stage)) = stage().await else { return };
    for path in [
        "/v1",
        "/v1/nothing",
        "/.well-known/nothing",
        "/errors",
        "/metrics",
        "/assets/main-old.js",
        "/favicon.ico",
        "/%2e%2e/Cargo.toml",
        "/..%2fCargo.toml",
        "/.env",
    ] {
        assert_eq!(problem(stage.get(path).await).await, refused(404, "not_found"), "{path}");
    }
    assert_eq!(problem(stage.post("/chats", "").await).await, refused(404, "not_found"));
}
