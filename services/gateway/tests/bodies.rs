//! Bodies that never end.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::{Stage, problem, refused};

const STRANGER: &str = "127.0.0.77";
/// As many as one address may have in flight, and as many calls as the stage's gateway makes at once.
const ALL: usize = 64;
/// Long before the gateway gives up the bodies.
const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn whose_bodies_never_end_holds_up_nobody_else() {
    let Some(stage) = Stage::set(&[]).await else { return };
    let mut held = Vec::new();
    for _ in 0..ALL {
        held.push(withhold_body(&stage).await);
    }
    // Others are answered: by the gateway itself, and by the services, if there were any.
    let others = async {
        assert_eq!(problem(stage.get("/v1/u/alice").await).await, refused(503, "unavailable"));
        assert_eq!(stage.get("/v1/config").await.status(), 200);
    };
    timeout(SOON, others).await.unwrap();
    // One more of the stranger is not, but a machine there learns how the gateway does.
    let stranger = reqwest::Client::builder().local_address(STRANGER.parse::<IpAddr>().unwrap());
    let stranger = stranger.build().unwrap();
    let ask = async |path: &str| stranger.get(stage.url(path)).send().await.unwrap();
    let refusal = ask("/v1/config").await;
    assert!(refusal.headers().contains_key("retry-after"));
    assert_eq!(problem(refusal).await, refused(429, "rate_limited"));
    assert_eq!(ask("/v1/healthz").await.status(), 200);
    assert_eq!(problem(ask("/v1/readyz").await).await, refused(503, "unavailable"));
    // Who leaves has nothing in flight.
    drop(held);
    while ask("/v1/config").await.status() != 200 {
        tokio::task::yield_now().await;
    }
}

/// Begins a request, and sends nothing of its body once the gateway wants to read it.
async fn withhold_body(stage: &Stage) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(STRANGER.parse().unwrap(), 0)).unwrap();
    let mut connection = socket.connect(stage.gateway.address()).await.unwrap();
    let head =
        "POST /v1/register HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\nExpect: 100-continue\r\n\r\n";
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut wanted = [0; 25];
    connection.read_exact(&mut wanted).await.unwrap();
    assert_eq!(&wanted, b"HTTP/1.1 100 Continue\r\n\r\n");
    connection
}
