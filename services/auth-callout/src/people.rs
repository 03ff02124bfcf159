//! Who is registered: the registry's word, kept for a minute.

use std::time::Duration;

use async_nats::Client;
use kez_contract::registry::{RESOLVE, Resolve};
use kez_contract::{Code, Problem};
use kez_crypto::PublicKey;
use kez_service::ask;

use crate::remembered::Remembered;

const FRESH: Duration = Duration::from_secs(60);

/// What the registry knows of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    Registered,
    /// The key may register.
    Unknown,
    /// Its handle has moved to a successor: it may do nothing any more.
    Rotated,
}

/// Only those who are registered are remembered: who is not may register now and sign in again at once.
#[derive(Clone)]
pub struct People {
    nats: Client,
    registered: Remembered<PublicKey>,
}

impl People {
    pub fn new(nats: &Client) -> Self {
        Self { nats: nats.clone(), registered: Remembered::new(FRESH) }
    }

    /// What the registry says of this person, or said within the last minute. Without the registry, only those
    /// remembered are known.
    pub async fn registration(&self, person: PublicKey) -> Result<Registration, Problem> {
        if self.registered.is_good(&person, &person) {
            return Ok(Registration::Registered);
        }
        let asked = self.registered.asking(&person);
        let registration = self.registration_now(person).await?;
        if registration == Registration::Registered {
            self.registered.keep(person, asked);
        }
        Ok(registration)
    }

    /// What the registry says of this person now.
    pub async fn registration_now(&self, person: PublicKey) -> Result<Registration, Problem> {
        match ask(&self.nats, RESOLVE, &Resolve { who: person.identifier() }).await {
            Ok(_) => Ok(Registration::Registered),
            Err(problem) => match problem.code {
                Code::NotFound | Code::UnknownRecipient => Ok(Registration::Unknown),
                Code::KeyRotated => Ok(Registration::Rotated),
                _ => Err(problem),
            },
        }
    }

    /// There is news of this person: what was known is older.
    pub fn doubt(&self, person: PublicKey) {
        self.registered.doubt(person);
    }

    /// News of anyone may have been missed.
    pub fn doubt_all(&self) {
        self.registered.doubt_all();
    }
}
