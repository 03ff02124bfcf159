//! Catching up: one person's hundred messages, scattered among a million of ten thousand people.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use kez::client::Client;
use kez_contract::inbox::{FETCH, Fetch, mailbox_subject};
use kez_crypto::SecretKey;
use kez_service::batch::{Entry, GroupCommit};
use kez_service::random;

use crate::bed::Bed;
use crate::load::seal_requests;
use crate::report::{Goal, Row, median, percentile};

const PEOPLE: usize = 10_000;
const EACH: usize = 100;
/// Messages that are really sealed; the million are these, again and again, each stored under an id of its own.
const SEALED: usize = 1_000;
const READERS: usize = 200;
const WARM: usize = 1_000;
const COLD: usize = 20;
const IDLE: Duration = Duration::from_secs(30);
const COLD_EVERY: Duration = Duration::from_millis(2_500);

pub async fn measure(streams: u16, runs: usize) -> Result<Vec<Row>> {
    let bed = Bed::start(&[("KEZ_INBOX_STREAMS", &streams.to_string())]).await?;
    let secrets = bed.register(PEOPLE).await?;
    fill(&bed, &secrets, streams).await?;
    let readers = bed.connect(&bed.nats, &secrets[..READERS]).await?;
    let (mut warm50, mut warm99) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let mut times = Vec::new();
        for n in 0..WARM {
            times.push(catch_up(&readers[n * 7 % READERS]).await?);
        }
        warm50.push(percentile(&mut times, 50));
        warm99.push(percentile(&mut times, 99));
    }
    tokio::time::sleep(IDLE).await;
    let mut cold = Vec::new();
    for n in 0..COLD {
        cold.push(catch_up(&readers[n * 7 % READERS]).await?);
        tokio::time::sleep(COLD_EVERY).await;
    }
    let name = |what: &str| format!("fetch-{streams}-{what}");
    Ok(vec![
        Row::new(&name("warm"), "ms", median(warm50), None, Goal::AtMost(10.0)),
        Row::new(&name("p99"), "ms", median(warm99), None, Goal::AtMost(150.0)),
        Row::new(&name("idle"), "ms", percentile(&mut cold, 50), None, Goal::AtMost(40.0)),
    ])
}

/// Milliseconds until all hundred are here.
async fn catch_up(reader: &Client) -> Result<f64> {
    let begun = Instant::now();
    let page = reader.call(&FETCH, &Fetch { since: 0, limit: 500 }).await?;
    let elapsed = begun.elapsed().as_secs_f64() * 1000.0;
    ensure!(page.messages.len() == EACH && !page.more, "{} messages, not {EACH}", page.messages.len());
    Ok(elapsed)
}

/// Stores a million sealed messages in random order, as the inbox itself would.
async fn fill(bed: &Bed, secrets: &[SecretKey], streams: u16) -> Result<()> {
    let inbox = bed.user("inbox").await?;
    // A batch is of one stream; each stream keeps a run of the primaries' first bytes.
    let commits: Vec<_> = (0..streams).map(|_| GroupCommit::start(inbox.clone(), 2)).collect();
    let commit_of = |secret: &SecretKey| {
        let first = usize::from(secret.public().as_bytes()[0]);
        commits[first * usize::from(streams) / 256].clone()
    };
    let envelopes: Vec<Bytes> = seal_requests(secrets, secrets, SEALED).iter().map(envelope).collect();
    let mut to: Vec<usize> = (0..PEOPLE * EACH).map(|n| n % PEOPLE).collect();
    shuffle(&mut to);
    let stores = to.into_iter().enumerate().map(|(n, person)| {
        let commit = commit_of(&secrets[person]);
        let entry = Entry {
            subject: mailbox_subject(&secrets[person].public().to_hex()),
            message_id: Some(format!("fill:{n}")),
            expected_last: None,
            mark: None,
            payload: envelopes[n % SEALED].clone(),
        };
        async move { commit.store(entry).await }
    });
    let mut stored = stream::iter(stores).buffer_unordered(4_096);
    while let Some(outcome) = stored.next().await {
        outcome?;
    }
    Ok(())
}

/// The sealed envelope in a request.
fn envelope(request: &Bytes) -> Bytes {
    let text = std::str::from_utf8(request).expect("JSON is text");
    let at = text.find("\"envelope\":").expect("a request has an envelope") + "\"envelope\":".len();
    request.slice(at..request.len() - 1)
}

/// Fisher and Yates, from a seed of the system's.
fn shuffle(items: &mut [usize]) {
    let mut state = u64::from_le_bytes(random::bytes());
    for i in (1..items.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(i, usize::try_from(state >> 33).unwrap_or(0) % (i + 1));
    }
}
