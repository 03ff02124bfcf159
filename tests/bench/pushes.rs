//! Pushes: ten thousand people who sleep, a message each; and how soon one is woken when little happens.
//!
//! The push service is a process of its own; the rest of the mesh, the push network and the load are this one. Raw is a
//! client of this process that posts to the same network, as many at once, with nothing to decide or to write down.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use kez_contract::inbox::SEND;
use kez_contract::push::COLLAPSE_SECONDS;
use kez_contract::registry::{Register, WEB_REGISTER};
use kez_crypto::{Handle, Registration, SecretKey, Timestamp};
use kez_reach::{Reach, Variables, Ways};
use kez_service::{Clock, ask, random};
use tests::accounts::HERE;
use tests::mesh::SERVER;
use tests::push::{Sleeper, settled, subscribe_as};
use tests::{Mesh, Person, PushNetwork, operator};
use tokio::time::Instant;
use url::Url;

use crate::bed::beside_us;
use crate::load::{drive, seal_requests};
use crate::report::{Goal, Row, median, percentile};

const PEOPLE: usize = 10_000;
/// As many as the push service has.
const IN_FLIGHT: usize = 32;
const SENDS_IN_FLIGHT: usize = 256;
/// People who register and subscribe at once while this is set up.
const AT_ONCE: usize = 8;
/// Of single messages, so far apart.
const SINGLE: usize = 200;
const APART: Duration = Duration::from_millis(25);
const UNLIMITED: &str = "--person-sends-per-minute=1000000000";

pub async fn measure(runs: usize) -> Result<Vec<Row>> {
    let (mut seconds, mut raw, mut memory, mut soon) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..runs {
        let bench = Sleepers::start().await?;
        raw.push(bench.raw().await?);
        seconds.push(bench.all_at_once().await?);
        let peak = bench.push.peak()?;
        // As much again, to see whether it grows.
        bench.network.forget();
        bench.all_at_once().await?;
        memory.push(bench.push.peak()?);
        eprintln!("  push service: {peak:.1} MB, after as much again {:.1} MB", bench.push.peak()?);
        soon.push(bench.one_by_one().await?);
    }
    Ok(vec![
        Row::new("push-10000", "s", median(seconds), Some(median(raw)), Goal::AtMost(10.0)),
        Row::new("push-memory", "MB", median(memory), None, Goal::AtMost(60.0)),
        Row::new("push-p50", "ms", median(soon), None, Goal::AtMost(50.0)),
    ])
}

/// People who sleep, each with a phone, and somebody who writes to them.
struct Sleepers {
    network: PushNetwork,
    mesh: Mesh,
    push: PushService,
    sleepers: Vec<Sleeper>,
    writer: Person,
}

impl Sleepers {
    async fn start() -> Result<Self> {
        let network = PushNetwork::start().await;
        let mut flags = tests::push::as_push(&[]);
        flags.push(("inbox", UNLIMITED));
        let mut mesh = Mesh::with(&flags).await;
        // The one that the mesh has would share the work.
        mesh.push.take().context("a push service runs")?.stop().await?;
        let push = PushService::start(&mesh, &network)?;
        operator::until_replicas(&mesh.user("operator").await, "push", 1).await;
        let (sleepers, writer) = (Vec::new(), mesh.person("writer").await);
        let mut bench = Self { network, mesh, push, sleepers, writer };
        bench.sleepers = bench.register().await?;
        Ok(bench)
    }

    async fn register(&self) -> Result<Vec<Sleeper>> {
        let gateway = self.mesh.user("gateway").await;
        let people = stream::iter(0..PEOPLE).map(|number| {
            let gateway = &gateway;
            async move {
                let (handle, secret) = (format!("p{number:05}"), SecretKey::from_seed(random::bytes()));
                let now = Timestamp::from_unix(Clock::default().now());
                let envelope = Registration::create(&Handle::parse(&handle)?, SERVER, now, &secret);
                let envelope = serde_json::value::RawValue::from_string(String::from_utf8(envelope)?)?;
                ask(gateway, WEB_REGISTER, &Register { envelope }).await?;
                let sleeper = Sleeper { secret, handle };
                let endpoint = self.network.endpoint(&sleeper.handle);
                subscribe_as(gateway, &self.mesh, &sleeper, &endpoint).await?;
                anyhow::Ok(sleeper)
            }
        });
        let people: Vec<_> = people.buffer_unordered(AT_ONCE).collect().await;
        people.into_iter().collect()
    }

    /// Seconds from the first message until the last push has come.
    async fn all_at_once(&self) -> Result<f64> {
        let begun = self.send(&self.sleepers.iter().collect::<Vec<_>>()).await?;
        self.network.heard_in_all(PEOPLE).await;
        let seconds = begun.elapsed().as_secs_f64();
        settled(&self.mesh.user("push").await).await;
        // Whoever was pushed to just now is not pushed to again.
        tokio::time::sleep(Duration::from_secs(u64::from(COLLAPSE_SECONDS) + 1)).await;
        Ok(seconds)
    }

    /// Milliseconds from the moment that a message is sent until its push has come: the median.
    async fn one_by_one(&self) -> Result<f64> {
        self.network.forget();
        let mut figures = Vec::with_capacity(SINGLE);
        for sleeper in self.sleepers.iter().take(SINGLE) {
            let begun = self.send(&[sleeper]).await?;
            let push = self.network.heard(&sleeper.handle, 1).await.remove(0);
            figures.push((push.at - begun).as_secs_f64() * 1000.0);
            tokio::time::sleep(APART).await;
        }
        Ok(percentile(&mut figures, 50))
    }

    /// Sends everybody a message that was sealed before; when the first was sent.
    async fn send(&self, to: &[&Sleeper]) -> Result<Instant> {
        let to: Vec<SecretKey> = to.iter().map(|sleeper| sleeper.secret.clone()).collect();
        let requests = seal_requests(&vec![self.writer.secret.clone(); to.len()], &to, to.len());
        let subject = SEND.subject(&self.writer.hex(), &self.writer.hex());
        let connection = (self.writer.client.nats().clone(), subject);
        let in_flight = SENDS_IN_FLIGHT.min(to.len());
        Ok(drive(&[connection], requests, in_flight, |reply| reply.headers.is_none()).await?.into())
    }

    /// Seconds that as many posts take, on as many connections.
    async fn raw(&self) -> Result<f64> {
        let reach = Reach::new(&Ways {
            resolvers: vec![self.network.accounts.names.address()],
            networks: vec![IpNet::from(HERE)],
            ca_file: self.network.accounts.settings().ca_file,
            patience: Duration::from_secs(10),
            variables: Variables { resolvers: "", ca_file: "" },
        })?;
        let url = Url::parse(&self.network.endpoint("raw"))?;
        let begun = Instant::now();
        let posts = (0..IN_FLIGHT).map(|_| post(&reach, &url, PEOPLE.div_ceil(IN_FLIGHT)));
        join_all(posts).await.into_iter().collect::<Result<Vec<()>>>()?;
        let seconds = begun.elapsed().as_secs_f64();
        self.network.forget();
        Ok(seconds)
    }
}

/// Posts so many times on one connection.
async fn post(reach: &Reach, url: &Url, times: usize) -> Result<()> {
    let socket = TokioIo::new(reach.open(url).await?);
    let (mut sender, connection) = http1::handshake(socket).await?;
    let driver = tokio::spawn(connection);
    for _ in 0..times {
        let request = Request::post(url.path())
            .header("host", "push.test")
            .header("ttl", "86400")
            .header("content-length", "0")
            .body(Empty::<Bytes>::new())?;
        sender.ready().await?;
        let response = sender.send_request(request).await?;
        ensure!(response.status() == 201, "a push was refused");
        response.into_body().collect().await?;
    }
    driver.abort();
    Ok(())
}

/// The push service as a process of its own.
struct PushService(Child);

impl PushService {
    fn start(mesh: &Mesh, network: &PushNetwork) -> Result<Self> {
        let child = Command::new(beside_us("kez-push")?)
            .args(["--nats-url", &mesh.plan.nats_url, "--database-url", &mesh.plan.push_database_url])
            .args(["--vapid-contact", &mesh.plan.vapid_contact])
            .arg("--nats-seed-file")
            .arg(mesh.keys.seed_file("push"))
            .arg("--vapid-key-file")
            .arg(mesh.keys.vapid_file())
            .args(network.flags())
            .env("KEZ_LOG", "warn")
            .stdin(Stdio::null())
            .spawn()?;
        Ok(Self(child))
    }

    /// The most memory that it ever held, in megabytes.
    fn peak(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).context("no VmHWM")?;
        let kilobytes: f64 = line.split_whitespace().nth(1).context("no figure")?.parse()?;
        Ok(kilobytes / 1024.0)
    }
}

impl Drop for PushService {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
