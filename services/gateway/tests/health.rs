//! What operators ask.

use serde_json::Value;

use crate::{MESSAGE, Stage, problem, refused};

#[tokio::test]
async fn health_is_the_brokers() {
    let Some(mut stage) = Stage::set(&[]).await else { return };
    let health: Value = stage.get("/v1/healthz").await.json().await.unwrap();
    assert_eq!((&health["status"], &health["server"]), (&"ok".into(), &"kez.example".into()));
    assert!(health["version"].is_string());
    stage.broker.kill();
    let response = stage.get("/v1/healthz").await;
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(problem(response).await, refused(503, "unavailable"));
}

#[tokio::test]
async fn readiness_names_what_is_missing() {
    let Some(stage) = Stage::set(&[]).await else { return };
    let response = stage.get("/v1/readyz").await;
    assert_eq!(response.status(), 503);
    let document: Value = response.json().await.unwrap();
    assert_eq!(document["detail"], "not running: registry, inbox, auth-callout");
}

#[tokio::test]
async fn metrics_count_requests_by_route_and_name_nobody() {
    let Some(stage) = Stage::set(&["--metrics-listen=127.0.0.1:0"]).await else { return };
    stage.get("/v1/u/alice").await;
    stage.get("/v1/u/bob").await;
    stage.get("/wp-admin/alice").await;
    stage.post("/v1/messages", MESSAGE.clone()).await;
    let address = stage.gateway.metrics_address().unwrap();
    let response = stage.http.get(format!("http://{address}/metrics")).send().await.unwrap();
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
    let text = response.text().await.unwrap();
    for line in [
        "kez_gateway_requests_total{route=\"/v1/u/{handle}\",method=\"GET\",status=\"503\"} 2",
        "kez_gateway_requests_total{route=\"/v1/messages\",method=\"POST\",status=\"503\"} 1",
        "kez_gateway_requests_total{route=\"unknown\",method=\"GET\",status=\"404\"} 1",
        "kez_gateway_tunnels 0",
        "kez_gateway_streams 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    assert!(!text.contains("alice") && !text.contains("bob") && !text.contains("127.0.0.1"), "{text}");
    // It is a listener of its own, and has nothing else.
    let other = stage.http.get(format!("http://{address}/v1/config")).send().await.unwrap();
    assert_eq!(problem(other).await, refused(404, "not_found"));
}
