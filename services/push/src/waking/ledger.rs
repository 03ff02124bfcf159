//! What came of pushes: written down many at a time, and only then is the mail answered that they were made for.

use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::sleep;

use super::Waking;
use super::mail::Mail;
use crate::store::Push;

/// Messages whose pushes are written down at once.
const AT_ONCE: usize = 256;
/// A database that does not answer is asked again after that.
const RETRY: Duration = Duration::from_secs(1);
/// So often at most when the service is to stop.
const LAST_TRIES: usize = 3;

/// A push is over.
pub struct Entry {
    pub push: Push,
    /// It was the last for its message.
    pub last: Option<Finished>,
}

/// All pushes for a message are over.
pub struct Finished {
    pub mail: Mail,
    /// When it has to be judged again, by the broker's clock.
    pub again_at: Option<i64>,
    /// Given back when all is written down.
    pub _room: OwnedSemaphorePermit,
}

/// Begins to write, until nobody has anything to tell any more.
pub fn open(waking: &Waking) -> mpsc::Sender<Entry> {
    let (ledger, mut told) = mpsc::channel(AT_ONCE);
    let waking = waking.clone();
    waking.tasks.clone().spawn(async move {
        let mut entries = Vec::with_capacity(AT_ONCE);
        while told.recv_many(&mut entries, AT_ONCE).await > 0 {
            write(&waking, &entries).await;
            for Finished { mail, again_at, .. } in entries.drain(..).filter_map(|entry: Entry| entry.last) {
                match again_at {
                    None => mail.done(&waking.nats).await,
                    Some(then) => mail.again(&waking.nats, until(then, waking.clock.now())).await,
                }
            }
        }
    });
    ledger
}

/// How long it is until then.
pub fn until(then: i64, now: i64) -> Duration {
    Duration::from_millis(u64::try_from(then.saturating_sub(now)).unwrap_or(0).max(1))
}

/// Has the database take it. What cannot be written is found out from the mail when it is delivered again.
async fn write(waking: &Waking, entries: &[Entry]) {
    let pushes: Vec<Push> = entries.iter().map(|entry| entry.push).collect();
    let mut tries = 0;
    while waking.store.record(&pushes).await.is_err() {
        tries += 1;
        if waking.stopping.is_cancelled() && tries >= LAST_TRIES {
            tracing::warn!("what came of the last pushes could not be written down");
            return;
        }
        sleep(RETRY).await;
    }
}
