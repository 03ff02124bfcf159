//! Finding people: in the database, or, while it does not answer, in what was read from it before.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::Client;
use kez_contract::Code;
use kez_crypto::{Handle, PublicKey};
use kez_service::{Clock, Fault};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::rules;
use crate::store::{Person, Store};

/// Bytes of people who are remembered at once; those who are asked for least are forgotten first.
const REMEMBERED_BYTES: u64 = 16 * 1024 * 1024;
/// Keys that are remembered to have moved; those that moved first are forgotten first.
const REMEMBERED_MOVES: u64 = 100_000;
/// How long somebody is remembered for when the database does not answer.
const REMEMBERED_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// For so many seconds [`Directory::resolve_handle`] asks nobody: whom a handle belongs to changes only when it moves, and
/// replicas tell each other.
const FRESH_SECONDS: i64 = 60;

#[derive(Clone)]
pub struct Directory {
    store: Store,
    clock: Clock,
    nats: Client,
    /// Under the handle and under the 64 digits of the primary, which is longer than any handle.
    read: Cache<String, Read>,
    /// What is still being read of these keys is older than their move.
    moved: Cache<PublicKey, ()>,
}

#[derive(Clone)]
struct Read {
    person: Arc<Person>,
    at: Moment,
}

/// When something was read, and on which connection: what other replicas said between two connections was not heard.
#[derive(Clone, Copy)]
struct Moment {
    seconds: i64,
    connection: u64,
}

impl Directory {
    pub fn new(nats: &Client, store: Store, clock: Clock) -> Self {
        let read = Cache::builder()
            .max_capacity(REMEMBERED_BYTES)
            .weigher(|key: &String, read: &Read| weight(key, &read.person))
            .time_to_live(REMEMBERED_FOR)
            .build();
        let moved = Cache::builder()
            .max_capacity(REMEMBERED_MOVES)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_live(REMEMBERED_FOR)
            .build();
        Self { store, clock, nats: nats.clone(), read, moved }
    }

    pub async fn by_handle(&self, handle: &Handle) -> Result<Option<Arc<Person>>, Fault> {
        let at = self.moment();
        self.noted(handle.as_str(), at, self.store.person_by_handle(handle.as_str()).await)
    }

    /// Also says whether the key had a handle that moved to its successor.
    pub async fn by_primary(&self, primary: &PublicKey) -> Result<Option<Arc<Person>>, Fault> {
        if self.moved.contains_key(primary) {
            return Err(rules::rotated());
        }
        let at = self.moment();
        let found = self.noted(&primary.to_hex(), at, self.store.person_by_primary(primary).await)?;
        if found.is_none() && self.has_moved(primary).await? {
            return Err(rules::rotated());
        }
        Ok(found)
    }

    /// Like [`Self::by_handle`], without asking the database for what it answered a moment ago.
    pub async fn resolve_handle(&self, handle: &Handle) -> Result<Option<Arc<Person>>, Fault> {
        match self.fresh(handle.as_str()) {
            Some(person) => Ok(Some(person)),
            None => self.by_handle(handle).await,
        }
    }

    /// Like [`Self::by_primary`], without asking the database for what it answered a moment ago.
    pub async fn resolve_primary(&self, primary: &PublicKey) -> Result<Option<Arc<Person>>, Fault> {
        match self.fresh(&primary.to_hex()) {
            Some(person) => Ok(Some(person)),
            None => self.by_primary(primary).await,
        }
    }

    /// Whether that key had a handle that moved to its successor.
    pub async fn has_moved(&self, primary: &PublicKey) -> Result<bool, Fault> {
        if self.moved.contains_key(primary) {
            return Ok(true);
        }
        let moved = self.store.has_moved(primary).await?;
        if moved {
            self.moved.insert(*primary, ());
        }
        Ok(moved)
    }

    /// Remembers somebody as they now stand in the database.
    pub fn remember(&self, person: Person) -> Arc<Person> {
        self.remember_from(person, self.moment())
    }

    /// The handle has moved away from that key: what was read of either, or is being read, counts no more.
    pub fn forget(&self, primary: PublicKey, handle: &str) {
        self.moved.insert(primary, ());
        self.read.invalidate(&primary.to_hex());
        self.read.invalidate(handle);
    }

    fn remember_from(&self, person: Person, at: Moment) -> Arc<Person> {
        let read = Read { person: Arc::new(person), at };
        self.read.insert(read.person.handle.clone(), read.clone());
        self.read.insert(read.person.primary.to_hex(), read.clone());
        read.person
    }

    /// Remembers an answer of the database; without one, answers with what is remembered.
    fn noted(
        &self,
        key: &str,
        at: Moment,
        found: Result<Option<Person>, Fault>,
    ) -> Result<Option<Arc<Person>>, Fault> {
        match found {
            Ok(found) => Ok(found.map(|person| self.remember_from(person, at))),
            Err(Fault::Refused(problem)) if problem.code == Code::Unavailable => match self.remembered(key) {
                Some(read) => Ok(Some(read.person)),
                None => Err(Fault::Refused(problem)),
            },
            Err(fault) => Err(fault),
        }
    }

    fn fresh(&self, key: &str) -> Option<Arc<Person>> {
        let (read, now) = (self.remembered(key)?, self.moment());
        let fresh = read.at.connection == now.connection
            && (0..FRESH_SECONDS).contains(&(now.seconds - read.at.seconds));
        fresh.then_some(read.person)
    }

    fn remembered(&self, key: &str) -> Option<Read> {
        self.read.get(key).filter(|read| !self.moved.contains_key(&read.person.primary))
    }

    fn moment(&self) -> Moment {
        let connection = self.nats.statistics().connects.load(Ordering::Relaxed);
        Moment { seconds: self.clock.now(), connection }
    }
}

/// About as many bytes as an entry takes.
fn weight(key: &str, person: &Person) -> u32 {
    let proofs: usize = person.proofs.iter().map(|subject| subject.len() + size_of::<String>()).sum();
    u32::try_from(size_of::<Read>() + size_of::<Person>() + key.len() + person.handle.len() + proofs)
        .unwrap_or(u32::MAX)
}
