//! Whoever may not be connected any more is disconnected.
//!
//! Promised, while a replica of the callout is connected to the broker and the sigchain service and the registry answer:
//! - A device that its owner revokes has lost its connections within a second. So has the key that has lost its handle to a
//!   successor, with all its devices, once the registry has said so.
//! - A sign-in that was being decided at that moment does not outlive it by more than a few seconds: everything is looked
//!   at again after the longest that a sign-in can take.
//! - What happened while no replica listened is found out when one does: at its start, when it has been away from the broker,
//!   when the feed shows that something was missed, and every five minutes in any case.
//! - Nobody is disconnected on the feed's word: it says who is to be looked at, and the services that know decide. As long as
//!   they do not answer, connections stay, and are looked at again.
//! - Other devices, and the primary, notice nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::Client;
use futures_util::{StreamExt, stream};
use kez_contract::Problem;
use kez_contract::sign_in::whose_connection;
use kez_crypto::PublicKey;
use kez_service::connections::{Connection, Connections, NOBODY};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{sleep, timeout};

use crate::connections::{end, end_all};
use crate::devices::Devices;
use crate::people::{People, Registration};
use crate::rules::Person;

/// Longer than any sign-in takes (1.9 s, nats/accounts.conf).
const SIGN_IN: Duration = Duration::from_secs(3);
/// Pauses before each look at somebody: at once, again for a service that had not heard of it yet, and again when every
/// sign-in has ended that was being decided then.
const LOOKS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(250), SIGN_IN];
/// Before somebody is looked at again of whom nothing could be learnt.
const RETRY: Duration = Duration::from_secs(2);
/// Devices and keys that are looked at at the same time, most of which wait for the broker's servers.
const LOOKS_AT_ONCE: usize = 128;
/// People that are looked at at the same time when everybody is.
const PEOPLE_AT_ONCE: usize = 16;

/// Somebody's connections by device.
type Theirs = BTreeMap<PublicKey, Vec<Connection>>;

#[derive(Clone)]
pub struct Farewell {
    people: People,
    devices: Devices,
    nats: Client,
    connections: Connections,
    places: Arc<Semaphore>,
    /// Anybody may have lost a right unnoticed.
    doubt: Arc<Notify>,
}

impl Farewell {
    pub fn new(nats: &Client, people: People, devices: Devices) -> Self {
        Self {
            people,
            devices,
            nats: nats.clone(),
            connections: Connections::new(nats),
            places: Arc::new(Semaphore::new(LOOKS_AT_ONCE)),
            doubt: Arc::default(),
        }
    }

    /// Something may have been missed: everybody is looked at.
    pub fn doubt_all(&self) {
        self.doubt.notify_one();
    }

    /// A device may have been revoked.
    pub async fn look_at_device(self, primary: PublicKey, device: PublicKey) {
        for pause in LOOKS {
            sleep(pause).await;
            let Ok(_place) = self.places.acquire().await else { return };
            match self.device_has_gone(primary, device).await {
                Ok(true) => {
                    for name in Person::connection_names(&primary, &device) {
                        self.report("device", end_all(&self.nats, &name).await);
                    }
                }
                Ok(false) => {}
                Err(_) => self.doubt_all(),
            }
        }
    }

    /// A key may have lost its handle to a successor.
    pub async fn look_at_primary(self, primary: PublicKey) {
        for pause in LOOKS {
            sleep(pause).await;
            let Ok(_place) = self.places.acquire().await else { return };
            match self.primary_has_gone(primary).await {
                Ok(true) => self.report("key that was rotated", self.end_all_of(primary).await),
                Ok(false) => {}
                Err(_) => self.doubt_all(),
            }
        }
    }

    /// Looks at everybody each time that there is doubt, and again when every sign-in has ended that was being decided then;
    /// does not return.
    pub async fn look_at_everybody(self) {
        loop {
            self.doubt.notified().await;
            self.sweep_until_done().await;
            while timeout(SIGN_IN, self.doubt.notified()).await.is_ok() {
                self.sweep_until_done().await;
            }
            self.sweep_until_done().await;
        }
    }

    async fn sweep_until_done(&self) {
        loop {
            self.people.doubt_all();
            self.devices.doubt_all();
            match self.sweep().await {
                Ok(()) => return,
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::warn!(error, "not everybody who is connected could be looked at");
                }
            }
            sleep(RETRY).await;
        }
    }

    async fn sweep(&self) -> Result<()> {
        let mut people: BTreeMap<PublicKey, Theirs> = BTreeMap::new();
        for connection in self.connections.all().await? {
            let (primary, device) = whose_connection(&connection.name);
            // Whoever has another name was not let in by us.
            if let (Ok(primary), Ok(device)) = (PublicKey::from_hex(primary), PublicKey::from_hex(device)) {
                people.entry(primary).or_default().entry(device).or_default().push(connection);
            }
        }
        let looks = people.into_iter().map(|(primary, theirs)| self.look_at_all_of(primary, theirs));
        let decided: Vec<bool> = stream::iter(looks).buffer_unordered(PEOPLE_AT_ONCE).collect().await;
        let undecided = decided.iter().filter(|decided| !**decided).count();
        ensure!(undecided == 0, "{undecided} people could not be decided on");
        Ok(())
    }

    /// Ends those of somebody's connections that they may not have any more. False: something could not be decided on.
    async fn look_at_all_of(&self, primary: PublicKey, theirs: Theirs) -> bool {
        let rotated = self.primary_has_gone(primary).await;
        let mut decided = rotated.is_ok();
        for (device, connections) in theirs {
            let gone = match rotated {
                Ok(true) => Ok(true),
                _ => self.device_has_gone(primary, device).await,
            };
            match gone {
                Ok(true) => self.report("key that was found out later", end(&self.nats, connections).await),
                Ok(false) => {}
                Err(_) => decided = false,
            }
        }
        decided
    }

    async fn end_all_of(&self, primary: PublicKey) -> Result<usize> {
        let primary = primary.to_hex();
        let mut servers = self.connections.by_server().await?;
        let mut ended = None;
        while let Some(connected) = servers.next().await {
            let mut theirs = connected?;
            theirs.retain(|connection| whose_connection(&connection.name).0 == primary);
            ended = Some(ended.unwrap_or(0) + end(&self.nats, theirs).await?);
        }
        ended.context(NOBODY)
    }

    async fn primary_has_gone(&self, primary: PublicKey) -> Result<bool, Problem> {
        Ok(self.people.registration_now(primary).await? == Registration::Rotated)
    }

    async fn device_has_gone(&self, primary: PublicKey, device: PublicKey) -> Result<bool, Problem> {
        Ok(device != primary && !self.devices.is_active_now(primary, device).await?)
    }

    fn report(&self, what: &str, ended: Result<usize>) {
        match ended {
            Ok(0) => {}
            Ok(connections) => tracing::info!(connections, "disconnected a {what}"),
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "a {what} could not be disconnected");
                self.doubt_all();
            }
        }
    }
}
