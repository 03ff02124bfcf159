//! Sends: acknowledged when flushed, delivered live over WebSocket, beside raw publishes flushed one by one.

use anyhow::Result;
use bytes::Bytes;
use kez_contract::inbox::{SEND, mailbox_subject};

use crate::bed::Bed;
use crate::load::{Arrivals, drive, seal_requests};
use crate::report::{Goal, Row, median};

const PEOPLE: usize = 64;
const MESSAGES: usize = 60_000;
const RAW_MESSAGES: usize = 15_000;

/// Both with 512 in flight and with 64 senders of one message each.
pub async fn measure(runs: usize) -> Result<Vec<Row>> {
    let bench = Senders::start().await?;
    let mut rows = Vec::new();
    for (in_flight, times) in [(512, 3.0), (PEOPLE, 2.0)] {
        let (mut ours, mut raw) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            raw.push(bench.raw(in_flight).await?);
            ours.push(bench.ours(in_flight).await?);
        }
        let name = format!("send-{in_flight}");
        rows.push(Row::new(&name, "/s", median(ours), Some(median(raw)), Goal::TimesRaw(times)));
    }
    Ok(rows)
}

/// People who send over NATS to people who listen over WebSocket.
pub struct Senders {
    pub bed: Bed,
    pub secrets: Vec<kez_crypto::SecretKey>,
    pub arrivals: Arrivals,
    senders: Vec<(async_nats::Client, String)>,
    /// The inbox's own connection and the mailboxes it writes, for the raw limit.
    mailboxes: Vec<(async_nats::Client, String)>,
    _listeners: Vec<kez::client::Client>,
}

impl Senders {
    pub async fn start() -> Result<Self> {
        let bed = Bed::start(&[]).await?;
        let secrets = bed.register(PEOPLE).await?;
        let senders = bed.connect(&bed.nats, &secrets).await?;
        let listeners = bed.connect(&bed.websocket, &secrets).await?;
        let arrivals = Arrivals::default();
        arrivals.listen(&listeners).await?;
        let subject = |client: &kez::client::Client| {
            let primary = client.primary().to_hex();
            (client.nats().clone(), SEND.subject(&primary, &primary))
        };
        let inbox = bed.user("inbox").await?;
        let mailboxes =
            secrets.iter().map(|secret| (inbox.clone(), mailbox_subject(&secret.public().to_hex())));
        Ok(Self {
            senders: senders.iter().map(subject).collect(),
            mailboxes: mailboxes.collect(),
            bed,
            secrets,
            arrivals,
            _listeners: listeners,
        })
    }

    /// Sealed requests, each person to the next.
    pub fn requests(&self, count: usize) -> Vec<Bytes> {
        let mut to = self.secrets.clone();
        to.rotate_left(1);
        seal_requests(&self.secrets, &to, count)
    }

    /// Messages a second: acknowledged to the sender and delivered to the recipient.
    pub async fn ours(&self, in_flight: usize) -> Result<f64> {
        let requests = self.requests(MESSAGES);
        self.arrivals.reset();
        let begun = drive(&self.senders, requests, in_flight, |reply| reply.headers.is_none()).await?;
        self.arrivals.until(MESSAGES).await?;
        Ok(MESSAGES as f64 / begun.elapsed().as_secs_f64())
    }

    /// Publishes a second straight into the stream, each flushed by itself, and delivered to the same people.
    pub async fn raw(&self, in_flight: usize) -> Result<f64> {
        let payload = self.requests(1).swap_remove(0);
        self.arrivals.reset();
        let acknowledged =
            |reply: &async_nats::Message| !reply.payload.windows(7).any(|at| at == b"\"error\"");
        let begun = drive(&self.mailboxes, vec![payload; RAW_MESSAGES], in_flight, acknowledged).await?;
        self.arrivals.until(RAW_MESSAGES).await?;
        Ok(RAW_MESSAGES as f64 / begun.elapsed().as_secs_f64())
    }
}
