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

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use async_nats::Client;
use futures_util::{StreamExt, stream};
use kez_contract::Problem;
use kez_contract::sign_in::{connection_name, whose_connection};
use kez_crypto::PublicKey;
use tokio::sync::{Notify, Semaphore};
use tokio::time::sleep;

use crate::connections::{Connection, Connections};
use crate::devices::Devices;
use crate::people::{People, Registration};

/// Pauses before each look at somebody: at once, again for a service that had not heard of it yet, and again after the
/// longest that a sign-in can take (1.9 s, nats/accounts.conf).
const LOOKS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(250), Duration::from_secs(3)];
/// The same for everybody.
const LOOKS_AT_ALL: [Duration; 2] = [Duration::ZERO, Duration::from_secs(3)];
/// Before somebody is looked at again of whom nothing could be learnt.
const RETRY: Duration = Duration::from_secs(2);
/// Looks at the same time.
const AT_ONCE: usize = 16;

#[derive(Clone)]
pub struct Farewell {
    people: People,
    devices: Devices,
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
            connections: Connections::new(nats),
            places: Arc::new(Semaphore::new(AT_ONCE)),
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
                    let name = connection_name(&primary.to_hex(), &device.to_hex());
                    self.report("device", self.connections.end_all(&name).await);
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

    /// Looks at everybody each time that there is doubt; does not return.
    pub async fn look_at_everybody(self) {
        loop {
            self.doubt.notified().await;
            for pause in LOOKS_AT_ALL {
                sleep(pause).await;
                self.people.doubt_all();
                self.devices.doubt_all();
                while let Err(error) = self.sweep().await {
                    tracing::warn!(
                        error = format!("{error:#}"),
                        "not everybody who is connected could be looked at"
                    );
                    sleep(RETRY).await;
                }
            }
        }
    }

    async fn sweep(&self) -> Result<()> {
        let mut people: BTreeMap<PublicKey, Vec<(PublicKey, Connection)>> = BTreeMap::new();
        for connection in self.connections.all().await? {
            let (primary, device) = whose_connection(&connection.name);
            // Whoever has another name was not let in by us.
            if let (Ok(primary), Ok(device)) = (PublicKey::from_hex(primary), PublicKey::from_hex(device)) {
                people.entry(primary).or_default().push((device, connection));
            }
        }
        let looks = people.into_iter().map(|(primary, theirs)| self.look_at_all_of(primary, theirs));
        let looks: Vec<_> = stream::iter(looks).buffer_unordered(AT_ONCE).collect().await;
        let undecided = looks.iter().filter(|look| look.is_err()).count();
        ensure!(undecided == 0, "{undecided} people could not be decided on");
        Ok(())
    }

    /// Ends those of somebody's connections that they may not have any more.
    async fn look_at_all_of(&self, primary: PublicKey, theirs: Vec<(PublicKey, Connection)>) -> Result<()> {
        let rotated = self.primary_has_gone(primary).await?;
        let mut gone = BTreeSet::new();
        if !rotated {
            let devices: BTreeSet<PublicKey> = theirs.iter().map(|(device, _)| *device).collect();
            for device in devices {
                if self.device_has_gone(primary, device).await? {
                    gone.insert(device);
                }
            }
        }
        for (device, connection) in theirs {
            if rotated || gone.contains(&device) {
                self.report(
                    "key that was found out later",
                    self.connections.end(&connection).await.map(|()| 1),
                );
            }
        }
        Ok(())
    }

    async fn end_all_of(&self, primary: PublicKey) -> Result<usize> {
        let primary = primary.to_hex();
        let all = self.connections.all().await?;
        let theirs: Vec<_> =
            all.into_iter().filter(|connection| whose_connection(&connection.name).0 == primary).collect();
        for connection in &theirs {
            self.connections.end(connection).await?;
        }
        Ok(theirs.len())
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
