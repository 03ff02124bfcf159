//! Sigchains: events appended to distinct chains beside raw publishes flushed one by one, a long chain fetched and
//! verified, and where a chain ends.

use std::time::Instant;

use anyhow::{Result, ensure};
use async_nats::Client as Nats;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use kez::client::Client;
use kez_contract::sigchain::{WEB_APPEND, chain_subject};
use kez_crypto::{Chain, Identifier, Op, SecretKey, Timestamp};
use kez_service::{Clock, random};

use crate::bed::Bed;
use crate::report::{Goal, Row, median, percentile};

const CHAINS: usize = 30_000;
const RAW_CHAINS: usize = 15_000;
const IN_FLIGHT: usize = 512;
/// Connections that share the load, on either side.
const CONNECTIONS: usize = 8;
const LONG: usize = 1_000;
const FETCHES: usize = 30;
const HEADS: usize = 5_000;

pub async fn appends(runs: usize) -> Result<Vec<Row>> {
    let bed = Bed::start(&[]).await?;
    let (gateways, services) = (connections(&bed, "gateway").await?, connections(&bed, "sigchain").await?);
    let (mut ours, mut raw) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let published = beginnings(RAW_CHAINS)
            .into_iter()
            .map(|(key, event)| (chain_subject("ed25519", &key.public().to_hex()), event));
        raw.push(drive(&services, published.collect()).await?);
        let handed_in = beginnings(CHAINS).into_iter().map(|(_, event)| {
            let event = String::from_utf8(event.to_vec()).expect("JSON is text");
            (WEB_APPEND.pattern().to_owned(), Bytes::from(format!(r#"{{"event":{event}}}"#)))
        });
        ours.push(drive(&gateways, handed_in.collect()).await?);
    }
    let name = format!("append-{IN_FLIGHT}");
    Ok(vec![Row::new(&name, "/s", median(ours), Some(median(raw)), Goal::TimesRaw(2.0))])
}

pub async fn reads(runs: usize) -> Result<Vec<Row>> {
    let bed = Bed::start(&[]).await?;
    let secrets = bed.register(2).await?;
    let people = bed.connect(&bed.nats, &secrets).await?;
    let [alice, bob] = people.as_slice() else { unreachable!("two were registered") };
    for number in 0..LONG {
        let subject = Identifier::parse(&format!("dns:{number}.example"))?;
        alice.append(&Op::Add { subject }).await?;
    }
    let (mut whole, mut heads) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let mut times = Vec::new();
        for _ in 0..FETCHES {
            times.push(read_whole(bob, alice).await?);
        }
        whole.push(percentile(&mut times, 50));
        let mut times = Vec::new();
        for _ in 0..HEADS {
            let begun = Instant::now();
            let head = bob.head(&alice.primary().into()).await?;
            times.push(milliseconds(begun));
            ensure!(head.is_some_and(|head| head.seq + 1 == LONG as u64), "the chain ends elsewhere");
        }
        heads.push(percentile(&mut times, 50));
    }
    Ok(vec![
        Row::new("chain-1000", "ms", median(whole), None, Goal::AtMost(150.0)),
        Row::new("head-p50", "ms", median(heads), None, Goal::AtMost(1.0)),
    ])
}

/// Milliseconds until a whole chain is here and every event of it verified.
async fn read_whole(reader: &Client, owner: &Client) -> Result<f64> {
    let begun = Instant::now();
    let chain = reader.chain(owner.primary()).await?;
    let elapsed = milliseconds(begun);
    ensure!(chain.length() == LONG as u64, "{} events, not {LONG}", chain.length());
    Ok(elapsed)
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

async fn connections(bed: &Bed, user: &'static str) -> Result<Vec<Nats>> {
    stream::iter(0..CONNECTIONS).then(|_| bed.user(user)).try_collect().await
}

/// First events of so many chains, signed for real.
fn beginnings(count: usize) -> Vec<(SecretKey, Bytes)> {
    let now = Timestamp::from_unix(Clock::default().now());
    let begin = |_| {
        let key = SecretKey::from_seed(random::bytes());
        let subject = Identifier::parse("github:somebody").expect("an identifier");
        let event = Chain::new(key.public()).sign_next(&Op::Add { subject }, now, &key);
        (key, Bytes::from(event))
    };
    // Half on each core.
    std::thread::scope(|scope| {
        let other = scope.spawn(|| (count / 2..count).map(begin).collect::<Vec<_>>());
        let mut begun: Vec<_> = (0..count / 2).map(begin).collect();
        begun.extend(other.join().expect("signing works"));
        begun
    })
}

/// Publishes each with so many in flight in all, and answers how many a second were acknowledged, each reply checked.
async fn drive(connections: &[Nats], requests: Vec<(String, Bytes)>) -> Result<f64> {
    let count = requests.len();
    let begun = Instant::now();
    let replies = requests.into_iter().enumerate().map(|(n, (subject, payload))| {
        let nats = connections[n % connections.len()].clone();
        async move { anyhow::Ok(tokio::spawn(async move { nats.request(subject, payload).await }).await??) }
    });
    stream::iter(replies)
        .buffer_unordered(IN_FLIGHT)
        .try_for_each(async |reply| {
            let refused = reply.headers.is_some() || reply.payload.windows(7).any(|at| at == b"\"error\"");
            ensure!(!refused, "not stored: {:?} {:?}", reply.headers, reply.payload);
            Ok(())
        })
        .await?;
    Ok(count as f64 / begun.elapsed().as_secs_f64())
}
