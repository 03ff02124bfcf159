//! How the gateway starts and stops.

use clap::Parser;
use kez_service::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Stage;
use crate::broker::connect;

#[tokio::test]
async fn a_request_in_flight_is_answered() {
    let Some(stage) = Stage::set(&[]).await else { return };
    let address = stage.gateway.address();
    let mut flying = TcpStream::connect(address).await.unwrap();
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /v1/config HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_ne!(idle.read(&mut [0; 4096]).await.unwrap(), 0);
    flying
        .write_all(
            b"POST /v1/register HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
        )
        .await
        .unwrap();
    // The gateway asks for the body, so it works on the request.
    let mut asked = [0; 25];
    flying.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    let stopping = tokio::spawn(stage.gateway.stop());
    // That the idle connection ends shows that it is stopping.
    idle.read_to_end(&mut Vec::new()).await.unwrap();
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    flying.write_all(b"{}").await.unwrap();
    let mut answer = String::new();
    flying.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{answer}");
    stopping.await.unwrap().unwrap();
}

#[tokio::test]
async fn tunnels_end_last() {
    let Some(stage) = Stage::set(&[]).await else { return };
    let inside = connect(&format!("ws://{}/v1/nats", stage.gateway.address())).await;
    inside.flush().await.unwrap();
    stage.gateway.stop().await.unwrap();
    let mut state = inside.connection_state();
    while state == async_nats::connection::State::Connected {
        tokio::task::yield_now().await;
        state = inside.connection_state();
    }
}

#[tokio::test]
async fn a_taken_port_is_one_clear_line() {
    let Some(stage) = Stage::set(&[]).await else { return };
    let listen = format!("--listen={}", stage.gateway.address());
    let settings = gateway::Config::parse_from(["kez-gateway", "--nats-seed-file=unused", &listen]).settings;
    let nats = stage.broker.connect().await;
    let error = gateway::start(&nats, settings, Clock::default(), 1).await.err().unwrap();
    let line = format!("{error:#}");
    assert!(line.contains("KEZ_LISTEN") && line.contains(&stage.gateway.address().to_string()), "{line}");
    assert!(!line.contains('\n'), "{line}");
}
