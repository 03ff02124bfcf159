//! Sign-ins over WebSocket: through the auth callout, beside keys that stand in nats-server's configuration.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use async_nats::ConnectOptions;
use futures_util::stream::{self, StreamExt};
use kez::client::{Client, Connection};
use kez_crypto::SecretKey;
use kez_service::random;
use tempfile::TempDir;

use crate::bed::{AT_ONCE, Bed, SERVER, free_port};
use crate::report::{Goal, Row, median};

const PEOPLE: usize = 1_000;
const SIGN_INS: usize = 3_000;

pub async fn measure(runs: usize) -> Result<Vec<Row>> {
    let bed = Bed::start(&[]).await?;
    let people = bed.register(PEOPLE).await?;
    let fixed = Static::start(&people).await?;
    let (mut ours, mut raw) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        raw.push(rate(&people, |secret| fixed.connect(secret)).await?);
        ours.push(rate(&people, |secret| callout(&bed, secret)).await?);
    }
    Ok(vec![Row::new("sign-in", "/s", median(ours), Some(median(raw)), Goal::TimesRaw(0.45))])
}

/// A session: the client makes a key and signs for it, the callout verifies both signatures.
async fn callout(bed: &Bed, secret: SecretKey) -> Result<async_nats::Client> {
    let client = Client::connect(Connection::new(&bed.websocket, SERVER, &secret)).await?;
    Ok(client.nats().clone())
}

/// Connections a second, 64 at a time, held until all are made.
async fn rate<Connect, Connected>(people: &[SecretKey], connect: Connect) -> Result<f64>
where
    Connect: Fn(SecretKey) -> Connected,
    Connected: Future<Output = Result<async_nats::Client>>,
{
    let begun = Instant::now();
    let secrets = people.iter().cycle().take(SIGN_INS).cloned();
    let held: Vec<_> = stream::iter(secrets).map(connect).buffer_unordered(AT_ONCE).collect().await;
    let seconds = begun.elapsed().as_secs_f64();
    held.into_iter().collect::<Result<Vec<_>>>()?;
    Ok(SIGN_INS as f64 / seconds)
}

/// A nats-server that knows everyone by its configuration.
struct Static {
    child: Child,
    websocket: String,
    _folder: TempDir,
}

impl Static {
    async fn start(people: &[SecretKey]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let [listen, websocket] = [free_port()?, free_port()?];
        let users: String =
            people.iter().map(|secret| format!("{{ nkey: {} }}\n", secret.public().nkey())).collect();
        let config = format!(
            "listen: \"{listen}\"\nwebsocket {{ listen: \"{websocket}\", no_tls: true }}\n\
             authorization {{ users: [\n{users}] }}\n"
        );
        let file = folder.path().join("static.conf");
        std::fs::write(&file, config)?;
        let child = Command::new("nats-server").arg("-c").arg(&file).stderr(Stdio::null()).spawn()?;
        let server = Self { child, websocket: format!("ws://{websocket}"), _folder: folder };
        let first = people.first().context("somebody")?;
        let deadline = Instant::now() + Duration::from_secs(10);
        while let Err(error) = server.connect(first.clone()).await {
            anyhow::ensure!(Instant::now() < deadline, "{error:#}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(server)
    }

    /// The same work on the client's side as a session: a key, two signatures.
    async fn connect(&self, secret: SecretKey) -> Result<async_nats::Client> {
        let fresh = SecretKey::from_seed(random::bytes());
        let session = secret.sign(fresh.public().nkey().as_bytes());
        std::hint::black_box(session);
        let nkey = secret.public().nkey();
        let options = ConnectOptions::with_auth_callback(move |nonce| {
            let mut auth = async_nats::Auth::new();
            auth.nkey = Some(nkey.clone());
            auth.signature = Some(secret.sign(&nonce).to_vec());
            async move { Ok(auth) }
        });
        Ok(options.connect(&self.websocket).await?)
    }
}

impl Drop for Static {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
