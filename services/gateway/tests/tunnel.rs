//! The tunnel: a NATS client over the gateway's WebSocket.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::timeout;

use crate::broker::{connect, options};
use crate::{Stage, problem, refused};

const SOON: Duration = Duration::from_secs(10);

/// A handshake by hand, so that a test can say what it likes.
fn handshake(stage: &Stage) -> reqwest::RequestBuilder {
    handshake_of(&stage.http, stage)
}

fn handshake_of(client: &reqwest::Client, stage: &Stage) -> reqwest::RequestBuilder {
    client
        .get(stage.url("/v1/nats"))
        .header("Connection", "keep-alive, Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
}

fn tunnel(stage: &Stage) -> String {
    format!("ws://{}/v1/nats", stage.gateway.address())
}

#[tokio::test]
async fn a_nats_client_speaks_through_it() {
    let Some(stage) = Stage::set(&[]).await else { return };
    let [inside, outside] = [connect(&tunnel(&stage)).await, stage.broker.connect().await];
    let mut heard = inside.subscribe("to.inside").await.unwrap();
    let mut echoed = outside.subscribe("to.outside").await.unwrap();
    inside.flush().await.unwrap();
    outside.flush().await.unwrap();
    for size in [0, 1, 125, 126, 65_535, 65_536, 900_000] {
        let payload = Bytes::from(vec![b'x'; size]);
        inside.publish("to.outside", payload.clone()).await.unwrap();
        let message = timeout(SOON, echoed.next()).await.unwrap().unwrap();
        assert!(message.payload == payload, "{size} bytes out");
        outside.publish("to.inside", payload.clone()).await.unwrap();
        let message = timeout(SOON, heard.next()).await.unwrap().unwrap();
        assert!(message.payload == payload, "{size} bytes in");
    }
}

#[tokio::test]
async fn the_broker_signs_in_and_the_gateway_does_not() {
    let Some(stage) = Stage::set(&[]).await else { return };
    let nobody = async_nats::ConnectOptions::with_user_and_password("nobody".to_owned(), "x".to_owned());
    let refused = nobody.connect(tunnel(&stage)).await.unwrap_err();
    assert_eq!(refused.kind(), async_nats::ConnectErrorKind::AuthorizationViolation);
    options().connect(tunnel(&stage)).await.unwrap();
}

#[tokio::test]
async fn compression_is_not_negotiated() {
    let Some(stage) = Stage::set(&[]).await else { return };
    let request = handshake(&stage)
        .header("Sec-WebSocket-Extensions", "permessage-deflate; client_no_context_takeover");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 101);
    assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert!(!response.headers().contains_key("sec-websocket-extensions"));
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let Some(stage) = Stage::set(&["--allowed-origins=https://app.example"]).await else { return };
    for origin in ["https://evil.example", "null"] {
        let response = handshake(&stage).header("Origin", origin).send().await.unwrap();
        assert_eq!(problem(response).await, refused(403, "forbidden_origin"), "{origin}");
    }
    for origin in [stage.url(""), "https://app.example".to_owned()] {
        assert_eq!(
            handshake(&stage).header("Origin", &origin).send().await.unwrap().status(),
            101,
            "{origin}"
        );
    }
}

#[tokio::test]
async fn what_is_no_handshake_is_refused() {
    let Some(stage) = Stage::set(&[]).await else { return };
    assert_eq!(problem(stage.get("/v1/nats").await).await, refused(400, "malformed"));
    let old =
        stage.http.get(stage.url("/v1/nats")).header("Connection", "Upgrade").header("Upgrade", "websocket");
    let old =
        old.header("Sec-WebSocket-Version", "8").header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(problem(old.send().await.unwrap()).await, refused(400, "malformed"));
}

#[tokio::test]
async fn one_address_has_so_many_and_gets_them_back() {
    let Some(stage) = Stage::set(&["--tunnels-per-address=2"]).await else { return };
    let first = connect(&tunnel(&stage)).await;
    let _second = connect(&tunnel(&stage)).await;
    let third = handshake(&stage).send().await.unwrap();
    assert_eq!(third.headers()["retry-after"], "10");
    assert_eq!(problem(third).await, refused(429, "rate_limited"));
    first.drain().await.unwrap();
    let again = async {
        while handshake(&stage).send().await.unwrap().status() != 101 {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, again).await.unwrap();
}

#[tokio::test]
async fn who_leaves_and_comes_again_is_counted() {
    let Some(stage) = Stage::set(&["--tunnels-per-minute=3"]).await else { return };
    for _ in 0..3 {
        connect(&tunnel(&stage)).await.drain().await.unwrap();
    }
    let fourth = handshake(&stage).send().await.unwrap();
    let seconds: u64 = fourth.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=21).contains(&seconds));
    assert_eq!(problem(fourth).await, refused(429, "rate_limited"));
    // Others may come.
    let elsewhere = reqwest::Client::builder().local_address(IpAddr::from([127, 0, 0, 77]));
    let other = handshake_of(&elsewhere.build().unwrap(), &stage);
    assert_eq!(other.send().await.unwrap().status(), 101);
}

#[tokio::test]
async fn without_a_broker_it_says_so() {
    let Some(mut stage) = Stage::set(&[]).await else { return };
    stage.broker.kill();
    let response = handshake(&stage).send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(problem(response).await, refused(503, "unavailable"));
}
