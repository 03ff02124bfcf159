//! What one address may do.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{MESSAGE, Stage, problem, refused};

#[tokio::test]
async fn sends_are_limited_by_address() {
    let Some(stage) = Stage::set(&["--sends-per-minute=3"]).await else { return };
    for _ in 0..3 {
        assert_eq!(stage.post("/v1/messages", MESSAGE.clone()).await.status(), 503);
    }
    let response = stage.post("/v1/messages", MESSAGE.clone()).await;
    let seconds: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=21).contains(&seconds));
    assert_eq!(problem(response).await, refused(429, "rate_limited"));
    // Pretending to be somebody else does not help.
    let pretender = stage.http.post(stage.url("/v1/messages")).header("X-Forwarded-For", "203.0.113.9");
    let response = pretender.body(MESSAGE.clone()).send().await.unwrap();
    assert_eq!(problem(response).await, refused(429, "rate_limited"));
    // Other routes are not sends.
    assert_eq!(problem(stage.get("/v1/u/alice").await).await, refused(503, "unavailable"));
}

#[tokio::test]
async fn who_does_not_say_how_much_will_come_sends_as_much_as_there_may_be() {
    let Some(stage) = Stage::set(&["--sends-per-minute=20"]).await else { return };
    let (mut connection, mut answer) = (TcpStream::connect(stage.gateway.address()).await.unwrap(), [0; 12]);
    let chunks = format!("{:x}\r\n{}\r\n0\r\n\r\n", MESSAGE.len(), *MESSAGE);
    let request =
        format!("POST /v1/messages HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
    connection.write_all(request.as_bytes()).await.unwrap();
    connection.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 503");
    // Seventeen of the twenty are gone.
    for _ in 0..3 {
        assert_eq!(stage.post("/v1/messages", MESSAGE.clone()).await.status(), 503);
    }
    let response = stage.post("/v1/messages", MESSAGE.clone()).await;
    assert_eq!(problem(response).await, refused(429, "rate_limited"));
}

#[tokio::test]
async fn appends_and_checks_are_limited_by_address_each_for_itself() {
    let limits =
        ["--sends-per-minute=3", "--verifications-per-minute=4", "--fresh-verifications-per-minute=2"];
    let Some(stage) = Stage::set(&limits).await else { return };
    let verify = async |fresh: bool| {
        let query = format!("subject=github:a&primary=ed25519:00&fresh={fresh}");
        stage.get(&format!("/v1/verify?{query}")).await.status().as_u16()
    };
    for _ in 0..3 {
        assert_eq!(stage.post("/v1/sigchains/ed25519/00", "{}").await.status(), 503);
    }
    let response = stage.post("/v1/sigchains/ed25519/00", "{}").await;
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(problem(response).await, refused(429, "rate_limited"));
    assert_eq!(stage.post("/v1/messages", MESSAGE.clone()).await.status(), 503);
    assert_eq!([verify(true).await, verify(true).await, verify(true).await], [503, 503, 429]);
    assert_eq!([verify(false).await, verify(false).await], [503, 429]);
    assert_eq!(stage.get("/v1/sigchains/ed25519/00").await.status(), 503);
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_its_own_limit() {
    let Some(stage) = Stage::set(&["--registrations-per-minute=1", "--trusted-proxies=127.0.0.0/8"]).await
    else {
        return;
    };
    let register = |forwarded: &'static str| {
        let request = stage.http.post(stage.url("/v1/register")).header("X-Forwarded-For", forwarded);
        async { request.body("{}").send().await.unwrap().status().as_u16() }
    };
    assert_eq!(register("203.0.113.1").await, 503);
    assert_eq!(register("203.0.113.2").await, 503);
    assert_eq!(register("203.0.113.1").await, 429);
    // What stands further left, the client wrote itself.
    assert_eq!(register("203.0.113.3, 203.0.113.1").await, 429);
    // One network of addresses is one client.
    assert_eq!(register("2001:db8::1").await, 503);
    assert_eq!(register("2001:db8::2").await, 429);
}

#[tokio::test]
async fn one_address_cannot_hold_every_connection() {
    let Some(stage) = Stage::set(&["--connections-per-address=2"]).await else { return };
    let address = stage.gateway.address();
    // Whether somebody is answered on a connection of their own.
    let ask = async |mut connection: TcpStream| {
        let mut answer = [0; 12];
        let sent = connection.write_all(b"GET /v1/config HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let read = connection.read_exact(&mut answer).await;
        (sent.is_ok() && read.is_ok() && &answer == b"HTTP/1.1 200").then_some(connection)
    };
    let first = ask(TcpStream::connect(address).await.unwrap()).await.unwrap();
    let _second = ask(TcpStream::connect(address).await.unwrap()).await.unwrap();
    assert!(ask(TcpStream::connect(address).await.unwrap()).await.is_none());
    drop(first);
    while ask(TcpStream::connect(address).await.unwrap()).await.is_none() {
        tokio::task::yield_now().await;
    }
}
