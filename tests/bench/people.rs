//! Many people at once: what they cost while they are silent, and what their number does to delivery.

use std::time::Duration;

use anyhow::Result;
use kez::client::Client;
use kez_contract::inbox::SEND;
use kez_crypto::SecretKey;

use crate::bed::Bed;
use crate::load::{Arrivals, drive, seal_requests};
use crate::report::{Goal, Row, median};

const MANY: usize = 10_000;
const FEW: usize = 1_000;
const MESSAGES: usize = 40_000;
const IN_FLIGHT: usize = 512;
const SENDERS: usize = 64;
/// Memory is read when buffers have grown to what they stay at.
const SETTLE: Duration = Duration::from_secs(8);

/// A mesh that nobody uses.
pub async fn idle_mesh(runs: usize) -> Result<Vec<Row>> {
    let mut figures = Vec::new();
    for _ in 0..runs {
        let bed = Bed::start(&[]).await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        figures.push(bed.memory()?);
    }
    Ok(vec![Row::new("idle-mesh-memory", "MB", median(figures), None, Goal::AtMost(80.0))])
}

/// Ten thousand signed-in people over WebSocket, silent; then messages to a thousand of them, and to all.
pub async fn measure(runs: usize) -> Result<Vec<Row>> {
    let bed = Bed::start(&[]).await?;
    let secrets = bed.register(MANY).await?;
    let few = bed.connect(&bed.websocket, &secrets[..FEW]).await?;
    let arrivals = Arrivals::default();
    arrivals.listen(&few).await?;
    let mut thousand = Vec::new();
    for _ in 0..runs {
        thousand.push(deliver(&secrets[..FEW], &few, &arrivals).await?);
    }
    let rest = bed.connect(&bed.websocket, &secrets[FEW..]).await?;
    arrivals.listen(&rest).await?;
    tokio::time::sleep(SETTLE).await;
    let memory = bed.memory()?;
    let mut all = Vec::new();
    for _ in 0..runs {
        all.push(deliver(&secrets, &few, &arrivals).await?);
    }
    Ok(vec![
        Row::new("idle-people-memory", "MB", memory, None, Goal::AtMost(150.0)),
        Row::new("deliver-10000", "/s", median(all), Some(median(thousand)), Goal::TimesRaw(0.6)),
    ])
}

/// Messages a second to these people, in turn, from a few senders.
async fn deliver(to: &[SecretKey], people: &[Client], arrivals: &Arrivals) -> Result<f64> {
    let senders: Vec<_> = people
        .iter()
        .take(SENDERS)
        .map(|client| {
            let primary = client.primary().to_hex();
            (client.nats().clone(), SEND.subject(&primary, &primary))
        })
        .collect();
    let from: Vec<SecretKey> = to.iter().cycle().skip(1).take(to.len()).cloned().collect();
    let requests = seal_requests(&from, to, MESSAGES);
    arrivals.reset();
    let begun = drive(&senders, requests, IN_FLIGHT, |reply| reply.headers.is_none()).await?;
    arrivals.until(MESSAGES).await?;
    Ok(MESSAGES as f64 / begun.elapsed().as_secs_f64())
}
