//! Mail for people who seem to be connected: kept until a list of the broker's, asked for after it came, says that they are.
//!
//! Of one person the newest alone is kept, and is not acknowledged meanwhile, so that none is lost with this replica.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::mail::Mail;
use super::presence::Presence;

/// A connection that breaks so soon after mail was skipped for it may have been broken then: the broker finds out with its
/// third ping, thirty seconds apart.
const BROKEN_SINCE: Duration = Duration::from_secs(120);

#[derive(Default)]
pub struct Held {
    held: Mutex<HashMap<String, Mail>>,
    /// The last mail of whom nobody was woken for.
    skipped: Mutex<HashMap<String, (Mail, Instant)>>,
    some: Notify,
}

/// What a list has decided.
#[derive(Default)]
pub struct Decided {
    /// Their owners are connected.
    pub online: Vec<Mail>,
    pub offline: Vec<Mail>,
}

impl Held {
    /// Keeps mail. The older one of two of the same person is given back, for nothing is to be done for it any more.
    pub fn keep(&self, mail: Mail) -> Option<Mail> {
        let mut held = lock(&self.held);
        if held.get(&mail.primary).is_some_and(|kept| kept.sequence > mail.sequence) {
            return Some(mail);
        }
        let before = held.insert(mail.primary.clone(), mail);
        self.some.notify_one();
        before
    }

    /// Waits until some is kept.
    pub async fn some(&self) {
        while lock(&self.held).is_empty() {
            self.some.notified().await;
        }
    }

    /// Takes what is kept of somebody who is not connected any more.
    pub fn take(&self, primary: &str) -> Option<Mail> {
        lock(&self.held).remove(primary)
    }

    /// Takes all that a list decides on that was asked for at that moment.
    pub fn decide(&self, asked: Instant, presence: &Presence) -> Decided {
        let mut decided = Decided::default();
        let mut held = lock(&self.held);
        let mut skipped = lock(&self.skipped);
        skipped.retain(|_, (_, at)| at.elapsed() < BROKEN_SINCE);
        for (_, mail) in
            held.extract_if(|_, mail| mail.arrived <= asked || !presence.is_online(&mail.primary))
        {
            if presence.is_online(&mail.primary) {
                skipped.insert(mail.primary.clone(), (mail.answered(), Instant::now()));
                decided.online.push(mail);
            } else {
                decided.offline.push(mail);
            }
        }
        decided
    }

    /// Takes all that is kept.
    pub fn drain(&self) -> Vec<Mail> {
        lock(&self.held).drain().map(|(_, mail)| mail).collect()
    }

    /// A connection of theirs broke: the mail that was skipped for it, once.
    pub fn broken(&self, primary: &str) -> Option<Mail> {
        let (mail, at) = lock(&self.skipped).remove(primary)?;
        (at.elapsed() < BROKEN_SINCE).then_some(mail)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
