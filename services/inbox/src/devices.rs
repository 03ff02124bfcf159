//! Whose devices mail is kept for: the sigchain's word, so that one that is lost for good holds nothing back.

use std::time::Duration;

use async_nats::Client;
use kez_contract::sigchain::{STANDING, Standing};
use kez_service::ask::ask_patiently;
use moka::sync::Cache;

/// Long enough for the acknowledgements of one visit. A revocation is heard of so much later, which only keeps mail longer.
const FRESH: Duration = Duration::from_secs(5);
/// Somebody waits for the acknowledgement meanwhile.
const PATIENCE: Duration = Duration::from_secs(1);
const REMEMBERED: u64 = 100_000;

/// Only those that count are remembered: who does not may be added now, and what comes from then on is theirs.
#[derive(Clone)]
pub struct Devices {
    nats: Client,
    counted: Cache<(String, String), ()>,
}

impl Devices {
    pub fn new(nats: &Client) -> Self {
        let counted = Cache::builder().max_capacity(REMEMBERED).time_to_live(FRESH).build();
        Self { nats: nats.clone(), counted }
    }

    /// Whether mail is kept until this device has it. The identity's own key counts always, and every device while the
    /// sigchain cannot be asked.
    pub async fn count(&self, primary: &str, device: &str) -> bool {
        let key = (primary.to_owned(), device.to_owned());
        if device == primary || self.counted.contains_key(&key) {
            return true;
        }
        let asked = Standing { primary: primary.to_owned(), device: Some(device.to_owned()) };
        let stands = ask_patiently(&self.nats, STANDING, &asked, PATIENCE).await;
        let counts = stands.map_or(true, |stands| stands.device_is_active);
        if counts {
            self.counted.insert(key, ());
        }
        counts
    }
}
