//! What every sign-in needs: our keys, the people who are registered, their devices, and the time.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, ensure};
use async_nats::Client;
use kez_crypto::Timestamp;
use kez_service::Clock;
use kez_service::random;
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;

use crate::config::Settings;
use crate::devices::Devices;
use crate::farewell::Farewell;
use crate::issuer::Issuer;
use crate::news;
use crate::people::People;
use crate::sealing::Sealing;

/// An account's type in an nkey.
const ACCOUNT: u8 = 0;
/// A curve key's type in an nkey.
const CURVE: u8 = 23 << 3;

#[derive(Clone)]
pub struct App {
    pub keys: Arc<Keys>,
    pub people: People,
    pub devices: Devices,
    /// Ends with the last clone.
    _news: Arc<JoinSet<()>>,
    clock: Clock,
    /// Drawn at start, so that what is logged of a key cannot be matched with another process's log.
    salt: [u8; 16],
}

/// Who we are to nats-server and to those who sign in.
pub struct Keys {
    /// The domain that sessions must name.
    pub server: String,
    pub issuer: Issuer,
    pub sealing: Sealing,
}

impl App {
    pub async fn new(nats: &Client, settings: Settings, clock: Clock) -> Result<Self> {
        let issuer = read_seed(&settings.issuer_seed_file, ACCOUNT)
            .context("KEZ_AUTH_ISSUER_SEED_FILE must name a file that holds an account seed (SA…)")?;
        let xkey = read_seed(&settings.xkey_seed_file, CURVE)
            .context("KEZ_AUTH_XKEY_SEED_FILE must name a file that holds a curve seed (SX…)")?;
        let keys = Keys {
            server: settings.server,
            issuer: Issuer::new(issuer, i64::from(settings.session_hours) * 60 * 60)?,
            sealing: Sealing::new(xkey),
        };
        let (people, devices) = (People::new(nats), Devices::new(nats));
        let farewell = Farewell::new(nats, people.clone(), devices.clone());
        let news = news::follow(nats, people.clone(), devices.clone(), farewell).await?;
        Ok(Self { keys: Arc::new(keys), people, devices, _news: news, clock, salt: random::bytes() })
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.clock.now())
    }

    /// Tells one key from another in this process's log, and says nothing else of it.
    pub fn pseudonym(&self, key: &str) -> String {
        let hash = Sha256::new().chain_update(self.salt).chain_update(key).finalize();
        hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}

fn read_seed(path: &Path, wanted: u8) -> Result<[u8; 32]> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (kind, seed) =
        nkeys::decode_seed(text.trim()).map_err(|error| anyhow!("{}: {error}", path.display()))?;
    ensure!(kind == wanted, "{} holds the seed of another kind of key", path.display());
    Ok(seed)
}
