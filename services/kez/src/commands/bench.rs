//! `kez bench`: a quick look at how fast a server is, from here.

use std::time::Duration;

use clap::Args;
use data_encoding::HEXLOWER;
use futures_util::{StreamExt, TryStreamExt};
use kez_crypto::Sealed;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::chains::Memory;
use crate::client::{Client, Follow};
use crate::failure::{Exit, Failure};
use crate::output::{Output, table};
use crate::server::ServerArgs;

/// How long a message may take to be seen.
const LOST_AFTER: Duration = Duration::from_secs(10);

/// Measure a server from here: how long until a message is stored and seen, and how many a second
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez bench\n  kez bench --messages 500 --in-flight 64 --server-url https://kez.lat\n\n\
    Somebody new, bench-…, is registered and writes to themselves; their mail is removed afterwards, the handle stays. \
    A server limits how much one person sends a minute (600 unless configured otherwise). One run on one machine is an \
    impression, not a measurement: ./justw bench measures."
)]
pub struct BenchArgs {
    /// Messages sent one after the other, then as many again at once
    #[arg(long, value_name = "COUNT", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    messages: u32,

    /// Sends that wait for their answer at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1024))]
    in_flight: u32,

    /// Bytes of each text
    #[arg(long, value_name = "BYTES", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    size: u32,

    #[command(flatten)]
    pub output: Output,

    #[command(flatten)]
    server: ServerArgs,
}

pub async fn run(args: BenchArgs) -> Result<(), Failure> {
    let client = args.server.connect_as_nobody(&Memory::default()).await?;
    client.register(&format!("bench-{}", HEXLOWER.encode(&kez_service::random::bytes::<6>()))).await?;
    let mut mail = client.follow(0).await?;
    let text = "x".repeat(args.size as usize);
    let (mut stored, mut seen) = (Vec::new(), Vec::new());
    for _ in 0..args.messages {
        let (to_stored, to_seen) = one(&client, &mut mail, &text).await?;
        stored.push(to_stored);
        seen.push(to_seen);
    }
    let rate = burst(&client, &text, args.messages, args.in_flight as usize).await?;
    drop(mail);
    client.ack(last(&client).await?).await?;
    print(&args, &mut stored, &mut seen, rate)
}

/// Sends a message to oneself: how long until it was stored, and until it was seen.
async fn one(client: &Client, mail: &mut Follow, text: &str) -> Result<(Duration, Duration), Failure> {
    let sealed = seal(client, text)?;
    let begun = Instant::now();
    let sending = async {
        let sent = client.deliver(&client.primary(), &sealed).await?;
        Ok::<_, Failure>((sent.seq, begun.elapsed()))
    };
    let seeing = async {
        let received = timeout(LOST_AFTER, mail.next()).await.ok().flatten();
        received.map(|received| (received.seq, begun.elapsed())).ok_or_else(lost)
    };
    let ((sent, stored), (received, seen)) = tokio::try_join!(sending, seeing)?;
    if sent == received { Ok((stored, seen)) } else { Err(lost()) }
}

/// Sends a second, with so many in flight. Sealing is not counted: it is done before.
async fn burst(client: &Client, text: &str, messages: u32, in_flight: usize) -> Result<f64, Failure> {
    let sealed: Vec<Sealed> = (0..messages).map(|_| seal(client, text)).collect::<Result<_, _>>()?;
    let begun = Instant::now();
    let me = client.primary();
    futures_util::stream::iter(&sealed)
        .map(|sealed| client.deliver(&me, sealed))
        .buffer_unordered(in_flight)
        .try_for_each(|_| std::future::ready(Ok(())))
        .await?;
    Ok(f64::from(messages) / begun.elapsed().as_secs_f64())
}

fn seal(client: &Client, text: &str) -> Result<Sealed, Failure> {
    Ok(client.seal(&client.primary(), text)?.1)
}

/// The last sequence of the mailbox.
async fn last(client: &Client) -> Result<u64, Failure> {
    let mut since = 0;
    loop {
        let page = client.fetch(since, kez_contract::inbox::MAX_PAGE).await?;
        if !page.more || page.next <= since {
            return Ok(page.next.max(since));
        }
        since = page.next;
    }
}

fn lost() -> Failure {
    Failure::new(
        Exit::Failed,
        "lost",
        format!("a message was not seen within {} s of being sent", LOST_AFTER.as_secs()),
    )
}

fn print(args: &BenchArgs, stored: &mut [Duration], seen: &mut [Duration], rate: f64) -> Result<(), Failure> {
    let (stored, seen) = (Percentiles::of(stored), Percentiles::of(seen));
    let value = json!({
        "messages": args.messages,
        "bytes": args.size,
        "stored_ms": stored.value(),
        "seen_ms": seen.value(),
        "in_flight": args.in_flight,
        "sends_per_second": rate,
    });
    args.output.item(&value, || {
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        let rows = [
            row(["", "p50", "p99", "longest"]),
            [vec!["sent and stored".to_owned()], stored.cells()].concat(),
            [vec!["sent and seen".to_owned()], seen.cells()].concat(),
        ];
        format!(
            "{}\n\n{rate:.0} sends/s with {} in flight ({} messages of {} bytes, each way)",
            table(&rows),
            args.in_flight,
            args.messages,
            args.size
        )
    })
}

struct Percentiles {
    p50: Duration,
    p99: Duration,
    longest: Duration,
}

impl Percentiles {
    /// By nearest rank.
    fn of(samples: &mut [Duration]) -> Self {
        samples.sort_unstable();
        let at = |percent: usize| {
            let rank = (samples.len() * percent).div_ceil(100).max(1);
            samples.get(rank - 1).copied().unwrap_or_default()
        };
        Self { p50: at(50), p99: at(99), longest: at(100) }
    }

    fn value(&self) -> Value {
        json!({ "p50": milliseconds(self.p50), "p99": milliseconds(self.p99), "longest": milliseconds(self.longest) })
    }

    fn cells(&self) -> Vec<String> {
        [self.p50, self.p99, self.longest].map(|time| format!("{:.2} ms", milliseconds(time))).to_vec()
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples_that_were_there() {
        let mut samples: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        let Percentiles { p50, p99, longest } = Percentiles::of(&mut samples);
        assert_eq!([p50, p99, longest], [100, 198, 200].map(Duration::from_millis));
        assert_eq!(Percentiles::of(&mut [Duration::from_millis(7)]).p50, Duration::from_millis(7));
    }
}
