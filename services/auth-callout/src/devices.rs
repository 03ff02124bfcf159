//! Which devices speak for somebody: the word of the primary's sigchain, kept for seconds.

use std::time::Duration;

use async_nats::Client;
use kez_contract::Problem;
use kez_contract::sigchain::{STANDING, Standing};
use kez_crypto::PublicKey;
use kez_service::ask;

use crate::remembered::Remembered;

/// Long enough for the connections that a device makes one after the other.
const FRESH: Duration = Duration::from_secs(5);

/// Only those that are active are remembered: who is not may be added now and sign in at once.
#[derive(Clone)]
pub struct Devices {
    nats: Client,
    active: Remembered<(PublicKey, PublicKey)>,
}

impl Devices {
    pub fn new(nats: &Client) -> Self {
        Self { nats: nats.clone(), active: Remembered::new(FRESH) }
    }

    /// Whether the device is active in the sigchain of the primary, or was within the last seconds. Who signs in with
    /// the primary itself needs no sigchain.
    pub async fn speaks_for(&self, primary: PublicKey, device: PublicKey) -> Result<bool, Problem> {
        if device == primary || self.active.is_good(&primary, &(primary, device)) {
            return Ok(true);
        }
        let asked = self.active.asking(&primary);
        let active = self.is_active_now(primary, device).await?;
        if active {
            self.active.keep((primary, device), asked);
        }
        Ok(active)
    }

    /// Whether the device is active in the sigchain of the primary now.
    pub async fn is_active_now(&self, primary: PublicKey, device: PublicKey) -> Result<bool, Problem> {
        let asked = Standing { primary: primary.to_hex(), device: Some(device.to_hex()) };
        Ok(ask(&self.nats, STANDING, &asked).await?.device_is_active)
    }

    /// There is news of this primary: what was known of its devices is older.
    pub fn doubt(&self, primary: PublicKey) {
        self.active.doubt(primary);
    }

    /// News of anyone may have been missed.
    pub fn doubt_all(&self) {
        self.active.doubt_all();
    }
}
