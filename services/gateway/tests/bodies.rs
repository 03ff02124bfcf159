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

#[tokio::test]
async fn who_is_refused_while_still_sending_reads_why_and_goes_on() {
    let Some(stage) = Stage::set(&["--sends-per-minute=20"]).await else { return };
    let long = format!(r#"{{"to":"alice","envelope":"{}"}}"#, "x".repeat(250_000));
    // Sixteen of the twenty are gone.
    assert_eq!(stage.post("/v1/messages", long.clone()).await.status(), 503);
    let mut connection = TcpStream::connect(stage.gateway.address()).await.unwrap();
    for (first_line, body, status) in [
        ("POST /v1/messages", &*long, "429"),
        ("POST /v1/nothing", &long, "404"),
        ("GET /v1/config", "", "200"),
    ] {
        let length = body.len();
        let head = format!("{first_line} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        connection.write_all(head.as_bytes()).await.unwrap();
        for piece in body.as_bytes().chunks(10_000) {
            connection.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        let answer = read_answer(&mut connection).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(!answer.contains("connection: close"), "{answer}");
    }
    // Nobody is listened to without end: what is announced as too long, and what was not asked for, ends the connection.
    for head in ["Content-Length: 9000000", "Content-Length: 9000\r\nExpect: 100-continue"] {
        let mut connection = TcpStream::connect(stage.gateway.address()).await.unwrap();
        let head = format!("POST /v1/nothing HTTP/1.1\r\nHost: a\r\n{head}\r\n\r\n");
        connection.write_all(head.as_bytes()).await.unwrap();
        let answer = read_answer(&mut connection).await;
        assert!(answer.starts_with("HTTP/1.1 404 ") && answer.contains("connection: close"), "{answer}");
        assert_eq!(timeout(SOON, connection.read(&mut [0; 1])).await.unwrap().unwrap(), 0);
    }
}

/// The head of an answer; its body is read and left out.
async fn read_answer(connection: &mut TcpStream) -> String {
    let (mut read, mut chunk) = (Vec::new(), [0; 4096]);
    let head = loop {
        let length = timeout(SOON, connection.read(&mut chunk)).await.unwrap().unwrap();
        assert!(length > 0, "the connection ends: {}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&chunk[..length]);
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let text = String::from_utf8(read[..head].to_vec()).unwrap();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let missing = length.parse::<usize>().unwrap() + head - read.len();
    connection.read_exact(&mut vec![0; missing]).await.unwrap();
    text
}

/// Begins a request, and sends nothing of its body once the gateway wants to read it.
async fn withhold_body(stage: &Stage) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(STRANGER.parse().unwrap(), 0)).unwrap();
    let mut connection = socket.connect(stage.gateway.address()).await.unwrap();
    let head =
        "POST /v1/register HTTP/1.1\r\nHost: a\r\nContent-Length: 8000\r\nExpect: 100-continue\r\n\r\n";
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut wanted = [0; 25];
    connection.read_exact(&mut wanted).await.unwrap();
    assert_eq!(&wanted, b"HTTP/1.1 100 Continue\r\n\r\n");
    connection
}
