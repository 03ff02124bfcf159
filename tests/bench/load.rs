//! Load: sealed messages made beforehand, sent with so many in flight, and counted as they arrive live.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use async_nats::Client as Nats;
use bytes::Bytes;
use futures_util::StreamExt;
use kez::client::Client;
use kez::mail::write;
use kez_contract::event::LIVE;
use kez_crypto::{SecretKey, Timestamp};
use kez_service::Clock;
use tokio::sync::Notify;

/// A text that makes a sealed message of 1 KiB of ciphertext.
const TEXT: &str = "A message as people write them, a little longer than most, so that what is sealed comes to about a \
    kibibyte together with its signature and the padding that hides how long it was, which is what the peers are \
    measured with as well, and so that the figures can be laid side by side. Most are shorter, and cost less.";

/// Requests to send, sealed for real by `from[i]` to `to[i % to.len()]`, as they go over the wire.
pub fn seal_requests(from: &[SecretKey], to: &[SecretKey], count: usize) -> Vec<Bytes> {
    let now = Timestamp::from_unix(Clock::default().now());
    let pairs: Vec<_> = from.iter().zip(to).collect();
    let seal = |n: usize| {
        let (from, to) = pairs[n % pairs.len()];
        let (_, sealed) = write(&from.into(), &to.public(), TEXT, now).expect("sealing works");
        let envelope = String::from_utf8(sealed.canonical()).expect("JSON is text");
        Bytes::from(format!(r#"{{"to":"{}","envelope":{envelope}}}"#, to.public().identifier()))
    };
    // Half on each core.
    std::thread::scope(|scope| {
        let other = scope.spawn(|| (count / 2..count).map(seal).collect::<Vec<_>>());
        let mut requests: Vec<_> = (0..count / 2).map(seal).collect();
        requests.extend(other.join().expect("sealing works"));
        requests
    })
}

/// Counts what arrives live.
#[derive(Clone, Default)]
pub struct Arrivals {
    count: Arc<AtomicU64>,
    arrived: Arc<Notify>,
}

impl Arrivals {
    /// Subscribes each of these people to the own live mail.
    pub async fn listen(&self, people: &[Client]) -> Result<()> {
        for person in people {
            let mut live = person.nats().subscribe(LIVE.subject(&person.primary().to_hex())).await?;
            person.nats().flush().await?;
            let arrivals = self.clone();
            tokio::spawn(async move {
                while live.next().await.is_some() {
                    arrivals.count.fetch_add(1, Ordering::Relaxed);
                    arrivals.arrived.notify_one();
                }
            });
        }
        Ok(())
    }

    pub fn reset(&self) {
        self.count.store(0, Ordering::Relaxed);
    }

    /// Waits until so many have arrived.
    pub async fn until(&self, count: usize) -> Result<()> {
        while self.count.load(Ordering::Relaxed) < count as u64 {
            let more = tokio::time::timeout(Duration::from_secs(10), self.arrived.notified()).await;
            let here = self.count.load(Ordering::Relaxed);
            ensure!(more.is_ok() || here >= count as u64, "{here} of {count} messages arrived live");
        }
        Ok(())
    }
}

/// Publishes requests on each connection's subject with so many in flight in all, and answers how many a second were
/// acknowledged, all of them counted, each reply checked.
pub async fn drive(
    connections: &[(Nats, String)],
    requests: Vec<Bytes>,
    in_flight: usize,
    stored: fn(&async_nats::Message) -> bool,
) -> Result<Instant> {
    let requests = Arc::new(requests);
    let next = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let workers: Vec<_> = (0..in_flight)
        .map(|worker| {
            let (nats, subject) = connections[worker % connections.len()].clone();
            let (requests, next) = (requests.clone(), next.clone());
            tokio::spawn(async move {
                loop {
                    let index = usize::try_from(next.fetch_add(1, Ordering::Relaxed))?;
                    let Some(request) = requests.get(index) else { return anyhow::Ok(()) };
                    let reply = nats.request(subject.clone(), request.clone()).await?;
                    ensure!(stored(&reply), "not stored: {:?} {:?}", reply.headers, reply.payload);
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await??;
    }
    Ok(begun)
}
