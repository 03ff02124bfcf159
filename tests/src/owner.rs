//! A person who keeps a sigchain: with devices, and perhaps with a successor.

use kez_crypto::{Chain, Op, PublicKey, SecretKey};
use kez_service::random;

use crate::chains::{Chains, add_device, revoke_device, rotate};
use crate::guest::{Credentials, Guest};
use crate::mesh::Mesh;
use crate::person::Person;

/// Somebody registered, and their sigchain as they know it.
pub struct Owner {
    pub person: Person,
    pub chains: Chains,
    chain: Chain,
}

impl Owner {
    /// Registers somebody whose sigchain begins with devices of these names.
    pub async fn enter<const N: usize>(
        mesh: &Mesh,
        handle: &str,
        names: [&str; N],
    ) -> (Self, [SecretKey; N]) {
        let (person, chains) = (mesh.person(handle).await, Chains::of(mesh).await);
        let devices = names.map(|_| SecretKey::from_seed(random::bytes()));
        let mut owner = Self { chain: Chain::new(person.key()), person, chains };
        for (device, name) in devices.iter().zip(names) {
            owner.add(device, name).await;
        }
        (owner, devices)
    }

    pub fn key(&self) -> PublicKey {
        self.person.key()
    }

    pub async fn add(&mut self, device: &SecretKey, name: &str) {
        self.append(&add_device(self.key(), device, name)).await;
    }

    pub async fn revoke(&mut self, device: &SecretKey) {
        self.append(&revoke_device(device)).await;
    }

    pub async fn rotate(&mut self, successor: &SecretKey) {
        self.append(&rotate(self.key(), successor)).await;
    }

    async fn append(&mut self, op: &Op) {
        self.chains.append(&mut self.chain, op, &self.person.secret).await.unwrap();
    }

    /// A bare connection of one of the devices.
    pub async fn guest(&self, url: &str, device: &SecretKey) -> Guest {
        Guest::enter(url, self.key(), Credentials::on_device(self.key(), device)).await.expect("it is let in")
    }
}
