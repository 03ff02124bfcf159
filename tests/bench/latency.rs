//! Latency at 200 messages a second: from the moment a message was due to be sent until it is at the recipient, live.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use async_nats::Client as Nats;
use bytes::Bytes;
use futures_util::StreamExt;
use kez::client::Client;
use kez_contract::event::LIVE;
use kez_contract::inbox::{SEND, mailbox_subject};
use tokio::sync::mpsc;

use crate::bed::Bed;
use crate::load::seal_requests;
use crate::report::{Goal, Row, median, percentile};

const PEOPLE: usize = 64;
/// The 99th percentile rests on the 52 slowest of these.
const MESSAGES: usize = 5_200;
const EVERY: Duration = Duration::from_millis(5);

type Due = Arc<Mutex<VecDeque<Instant>>>;

pub async fn measure(runs: usize) -> Result<Vec<Row>> {
    let bed = Bed::start(&[]).await?;
    let secrets = bed.register(PEOPLE).await?;
    let senders = bed.connect(&bed.nats, &secrets).await?;
    let listeners = bed.connect(&bed.websocket, &secrets).await?;
    let inbox = bed.user("inbox").await?;
    let raw: Vec<_> =
        secrets.iter().map(|s| (inbox.clone(), mailbox_subject(&s.public().to_hex()))).collect();
    let ours: Vec<_> = senders.iter().map(own_subject).collect();
    let mut figures = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..runs {
        for (side, connections) in [(0, &raw), (2, &ours)] {
            let requests = seal_requests(&secrets, &secrets, MESSAGES);
            let mut latencies = paced(connections, &listeners, requests).await?;
            figures[side].push(percentile(&mut latencies, 50));
            figures[side + 1].push(percentile(&mut latencies, 99));
        }
    }
    let [raw50, raw99, ours50, ours99] = figures.map(median);
    Ok(vec![
        Row::new("latency-p50", "ms", ours50, Some(raw50), Goal::AtMostAndTimesRaw(2.0, 3.0)),
        Row::new("latency-p99", "ms", ours99, Some(raw99), Goal::AtMost(10.0)),
    ])
}

fn own_subject(client: &Client) -> (Nats, String) {
    let primary = client.primary().to_hex();
    (client.nats().clone(), SEND.subject(&primary, &primary))
}

/// Sends each message when it is due, whether or not the one before it has been answered. Milliseconds.
async fn paced(
    connections: &[(Nats, String)],
    listeners: &[Client],
    requests: Vec<Bytes>,
) -> Result<Vec<f64>> {
    let (latencies, mut arrived) = mpsc::unbounded_channel();
    let mut dues: Vec<Due> = Vec::new();
    let mut listening = Vec::new();
    for listener in listeners {
        let due = Due::default();
        dues.push(due.clone());
        let mut live = listener.nats().subscribe(LIVE.subject(&listener.primary().to_hex())).await?;
        listener.nats().flush().await?;
        let latencies = latencies.clone();
        listening.push(tokio::spawn(async move {
            while live.next().await.is_some() {
                let now = Instant::now();
                // Each recipient has one sender, so that messages arrive in the order in which they were due.
                let due = due.lock().unwrap().pop_front();
                let _ = latencies.send(due.map(|due| (now - due).as_secs_f64() * 1000.0));
            }
        }));
    }
    let mut replies = Vec::new();
    let mut ticks = ticks(requests.len());
    for (n, request) in requests.into_iter().enumerate() {
        let due = ticks.recv().await.expect("a tick a message");
        dues[n % dues.len()].lock().unwrap().push_back(due);
        let (nats, subject) = connections[n % connections.len()].clone();
        replies.push(tokio::spawn(async move { nats.request(subject, request).await }));
    }
    for reply in replies {
        ensure!(reply.await??.headers.is_none(), "a message was refused");
    }
    let mut figures = Vec::new();
    while figures.len() < MESSAGES {
        let figure = tokio::time::timeout(Duration::from_secs(10), arrived.recv()).await?;
        figures.push(figure.flatten().expect("only what was sent arrives"));
    }
    listening.iter().for_each(tokio::task::JoinHandle::abort);
    Ok(figures)
}

/// When each message is due, told at that moment by a thread of its own: the runtime's timers are a millisecond coarse.
fn ticks(count: usize) -> mpsc::UnboundedReceiver<Instant> {
    let (tick, ticks) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let begun = Instant::now();
        for due in (0..u32::try_from(count).unwrap_or(u32::MAX)).map(|n| begun + EVERY * n) {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if tick.send(due).is_err() {
                return;
            }
        }
    });
    ticks
}
