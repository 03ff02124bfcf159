//! What is measured: `kez up` in a process of its own, on a private nats-server, and people who use it.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use async_nats::Client as Nats;
use futures_util::stream::{self, StreamExt};
use kez::client::{Client, Connection};
use kez::up::keys::Keys;
use kez::up::mesh::connect_as;
use kez_contract::registry::{Register, WEB_REGISTER};
use kez_crypto::{Handle, Registration, SecretKey, Timestamp};
use kez_service::{Clock, ask, random};
use tempfile::TempDir;

/// The domain of the mesh that is measured.
pub const SERVER: &str = "kez.test";
const READY: Duration = Duration::from_secs(30);
/// Sign-ins and registrations made at once while a benchmark is set up.
pub const AT_ONCE: usize = 64;

/// A running mesh.
pub struct Bed {
    folder: TempDir,
    up: Child,
    pub nats: String,
    pub websocket: String,
    pub http: String,
    pub keys: Keys,
}

impl Bed {
    /// Starts `kez up` with no limits on how much anyone sends or asks, and with more variables.
    pub async fn start(variables: &[(&str, &str)]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let [http, nats, websocket] = [free_port()?, free_port()?, free_port()?];
        let unlimited = "1000000000";
        let keys = Keys::open(&folder.path().join("data/keys"))?;
        let log = std::fs::File::create(folder.path().join("up.log"))?;
        let up = Command::new(beside_us("kez")?)
            .arg("up")
            .args(["--data", &folder.path().join("data").display().to_string(), "--server", SERVER])
            .args(["--listen", &http, "--nats-listen", &nats, "--websocket-listen", &websocket])
            .env("KEZ_PERSON_SENDS_PER_MINUTE", unlimited)
            .env("KEZ_PERSON_FETCHES_PER_MINUTE", unlimited)
            .env("KEZ_PERSON_APPENDS_PER_MINUTE", unlimited)
            .env("KEZ_SENDS_PER_MINUTE", unlimited)
            .env("KEZ_REQUESTS_PER_ADDRESS", unlimited)
            .env("KEZ_MAILBOX_MESSAGES", unlimited)
            .env("KEZ_LOG", "warn")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut bed = Self {
            keys,
            folder,
            up,
            nats: format!("nats://{nats}"),
            websocket: format!("ws://{websocket}"),
            http: format!("http://{http}"),
        };
        bed.until_ready().await?;
        Ok(bed)
    }

    async fn until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + READY;
        loop {
            let log = std::fs::read_to_string(self.folder.path().join("up.log"))?;
            if log.contains("Kez is up") {
                return Ok(());
            }
            if let Some(status) = self.up.try_wait()? {
                bail!("kez up ended with {status}: {log}");
            }
            ensure!(Instant::now() < deadline, "kez up is not ready: {log}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Megabytes that our processes hold: the proportional set size of `kez up`, nats-server not counted.
    pub fn memory(&self) -> Result<f64> {
        let rollup = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.up.id()))?;
        let line = rollup.lines().find(|line| line.starts_with("Pss:")).context("no Pss")?;
        let kilobytes: f64 = line.split_whitespace().nth(1).context("no figure")?.parse()?;
        Ok(kilobytes / 1024.0)
    }

    /// One of the mesh's own users of the broker.
    pub async fn user(&self, user: &'static str) -> Result<Nats> {
        connect_as(user, &self.nats, &self.keys).await
    }

    /// Registers people without connecting them.
    pub async fn register(&self, count: usize) -> Result<Vec<SecretKey>> {
        let gateway = self.user("gateway").await?;
        let people: Vec<SecretKey> = (0..count).map(|_| SecretKey::from_seed(random::bytes())).collect();
        let registrations = stream::iter(people.iter().enumerate()).map(|(n, secret)| {
            let gateway = &gateway;
            async move {
                let now = Timestamp::from_unix(Clock::default().now());
                let envelope =
                    Registration::create(&Handle::parse(&format!("p{n:05}"))?, SERVER, now, secret);
                let envelope = serde_json::value::RawValue::from_string(String::from_utf8(envelope)?)?;
                ask(gateway, WEB_REGISTER, &Register { envelope }).await?;
                anyhow::Ok(())
            }
        });
        let mut registrations = registrations.buffer_unordered(AT_ONCE);
        while let Some(registered) = registrations.next().await {
            registered?;
        }
        drop(registrations);
        Ok(people)
    }

    /// Connects people, over NATS or over WebSocket.
    pub async fn connect(&self, url: &str, people: &[SecretKey]) -> Result<Vec<Client>> {
        let clients: Vec<_> = stream::iter(people)
            .map(|secret| Client::connect(Connection::new(url, SERVER, secret)))
            .buffered(AT_ONCE)
            .collect()
            .await;
        Ok(clients.into_iter().collect::<Result<_, _>>()?)
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        // `kez up` stops its broker before it ends.
        let pid = i32::try_from(self.up.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.up.wait();
    }
}

/// The command that was built with this one.
pub fn beside_us(name: &str) -> Result<std::path::PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    ensure!(path.exists(), "{} is missing: cargo build --release --bins", path.display());
    Ok(path)
}

/// An address that was free a moment ago.
pub fn free_port() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
