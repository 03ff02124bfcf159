//! Finding people: in the database, or, while it does not answer, in what was read from it before.

use std::sync::Arc;
use std::time::Duration;

use kez_contract::Code;
use kez_crypto::{Handle, PublicKey};
use kez_service::{Clock, Fault};
use moka::sync::Cache;

use crate::store::{Person, Store};

/// Bytes of people who are remembered at once; those who are asked for least are forgotten first.
const REMEMBERED_BYTES: u64 = 16 * 1024 * 1024;
/// How long somebody is remembered for when the database does not answer.
const REMEMBERED_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// For so many seconds [`Directory::resolve_handle`] asks nobody: whom a handle belongs to does not change.
const FRESH_SECONDS: i64 = 60;

#[derive(Clone)]
pub struct Directory {
    store: Store,
    clock: Clock,
    /// Under the handle and under the 64 digits of the primary, which is longer than any handle.
    read: Cache<String, Read>,
}

#[derive(Clone)]
struct Read {
    person: Arc<Person>,
    at: i64,
}

impl Directory {
    pub fn new(store: Store, clock: Clock) -> Self {
        let read = Cache::builder()
            .max_capacity(REMEMBERED_BYTES)
            .weigher(|key: &String, read: &Read| weight(key, &read.person))
            .time_to_live(REMEMBERED_FOR)
            .build();
        Self { store, clock, read }
    }

    pub async fn by_handle(&self, handle: &Handle) -> Result<Option<Arc<Person>>, Fault> {
        self.noted(handle.as_str(), self.store.person_by_handle(handle.as_str()).await)
    }

    pub async fn by_primary(&self, primary: &PublicKey) -> Result<Option<Arc<Person>>, Fault> {
        self.noted(&primary.to_hex(), self.store.person_by_primary(primary).await)
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

    /// Remembers somebody as they now stand in the database.
    pub fn remember(&self, person: Person) -> Arc<Person> {
        let read = Read { person: Arc::new(person), at: self.clock.now() };
        self.read.insert(read.person.handle.clone(), read.clone());
        self.read.insert(read.person.primary.to_hex(), read.clone());
        read.person
    }

    /// Remembers an answer of the database; without one, answers with what is remembered.
    fn noted(&self, key: &str, found: Result<Option<Person>, Fault>) -> Result<Option<Arc<Person>>, Fault> {
        match found {
            Ok(found) => Ok(found.map(|person| self.remember(person))),
            Err(Fault::Refused(problem)) if problem.code == Code::Unavailable => match self.read.get(key) {
                Some(read) => Ok(Some(read.person)),
                None => Err(Fault::Refused(problem)),
            },
            Err(fault) => Err(fault),
        }
    }

    fn fresh(&self, key: &str) -> Option<Arc<Person>> {
        let read = self.read.get(key)?;
        (0..FRESH_SECONDS).contains(&(self.clock.now() - read.at)).then_some(read.person)
    }
}

/// About as many bytes as an entry takes.
fn weight(key: &str, person: &Person) -> u32 {
    let proofs: usize = person.proofs.iter().map(|subject| subject.len() + size_of::<String>()).sum();
    u32::try_from(size_of::<Read>() + size_of::<Person>() + key.len() + person.handle.len() + proofs)
        .unwrap_or(u32::MAX)
}
