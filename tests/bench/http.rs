//! The same sends through the gateway's HTTP, beside those straight over NATS.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::report::{Goal, Row, median};
use crate::sends::Senders;

const MESSAGES: usize = 30_000;
const IN_FLIGHT: usize = 512;

pub async fn measure(runs: usize) -> Result<Vec<Row>> {
    let bench = Senders::start().await?;
    let (mut ours, mut nats) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        nats.push(bench.ours(IN_FLIGHT).await?);
        ours.push(posts(&bench).await?);
    }
    Ok(vec![Row::new("http-send", "/s", median(ours), Some(median(nats)), Goal::TimesRaw(0.5))])
}

/// Posts a second, over as many kept-alive connections as requests are in flight, delivered live.
async fn posts(bench: &Senders) -> Result<f64> {
    let requests = Arc::new(bench.requests(MESSAGES));
    let next = Arc::new(AtomicU64::new(0));
    bench.arrivals.reset();
    let address = bench.bed.http.trim_start_matches("http://").to_owned();
    let mut connections = Vec::new();
    for _ in 0..IN_FLIGHT {
        let (sender, connection) =
            http1::handshake(TokioIo::new(TcpStream::connect(&address).await?)).await?;
        tokio::spawn(connection);
        connections.push(sender);
    }
    let begun = Instant::now();
    let workers: Vec<_> = connections
        .into_iter()
        .map(|connection| tokio::spawn(post_all(connection, address.clone(), requests.clone(), next.clone())))
        .collect();
    for worker in workers {
        worker.await??;
    }
    bench.arrivals.until(MESSAGES).await?;
    Ok(MESSAGES as f64 / begun.elapsed().as_secs_f64())
}

async fn post_all(
    mut connection: http1::SendRequest<Full<Bytes>>,
    host: String,
    requests: Arc<Vec<Bytes>>,
    next: Arc<AtomicU64>,
) -> Result<()> {
    loop {
        let index = usize::try_from(next.fetch_add(1, Ordering::Relaxed))?;
        let Some(body) = requests.get(index) else { return Ok(()) };
        let request = Request::post(kez_contract::http::MESSAGES)
            .header("host", &host)
            .header("content-type", "application/json")
            .body(Full::new(body.clone()))?;
        let response = connection.send_request(request).await?;
        ensure!(response.status() == StatusCode::ACCEPTED, "{}", response.status());
        response.into_body().collect().await?;
    }
}
