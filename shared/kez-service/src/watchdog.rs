//! A replica that cannot answer must end: while it lives, the broker goes on handing it its share of the calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Error, anyhow};
use async_nats::Client;
use async_nats::connection::State;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(1);
/// Looks without a sign of life before this replica counts as stuck. Looks are counted rather than seconds, so that a
/// process that was stopped as a whole, and goes on, is not ended for it.
const STUCK_AFTER: u32 = 5;
/// Looks without a connection before it is given up: a broker that restarts is back earlier.
const ALONE_AFTER: u32 = 30;

/// Waits until calls can no longer be answered, and says why.
pub(crate) async fn failure(nats: Client, permits: Arc<Semaphore>) -> Error {
    let connected = move || nats.connection_state() == State::Connected;
    watch(connected, permits, EVERY).await
}

async fn watch(
    connected: impl Fn() -> bool + Send + 'static,
    permits: Arc<Semaphore>,
    every: Duration,
) -> Error {
    let beats = Arc::new(AtomicU64::new(0));
    let (report, stuck) = oneshot::channel();
    // Both end with this future: the task with its set, the thread with the receiver of its report.
    let mut heart = JoinSet::new();
    heart.spawn(beat(connected, permits, beats.clone(), every));
    let thread = std::thread::Builder::new().name("watchdog".to_owned());
    if let Err(error) = thread.spawn(move || listen_for_beats(&beats, report, every)) {
        return Error::new(error).context("the watchdog cannot start");
    }
    tokio::select! {
        Some(Ok(reason)) = heart.join_next() => reason,
        _ = stuck => anyhow!("no call could be taken for {STUCK_AFTER} s: all that were taken hang, or the event loop does"),
    }
}

/// Beats for as long as another call could be taken; returns when the broker stays away.
async fn beat(
    connected: impl Fn() -> bool + Send,
    permits: Arc<Semaphore>,
    beats: Arc<AtomicU64>,
    every: Duration,
) -> Error {
    let mut alone = 0;
    while alone < ALONE_AFTER {
        tokio::time::sleep(every).await;
        if connected() {
            alone = 0;
            // The semaphore is fair: behind any load this waits for one call, and behind stuck ones for ever.
            drop(permits.acquire().await);
        } else {
            alone += 1;
        }
        beats.fetch_add(1, Ordering::Relaxed);
    }
    anyhow!("no connection to the broker for {ALONE_AFTER} s")
}

/// Runs on a thread of its own, since a task could not notice that tasks do not run.
fn listen_for_beats(beats: &AtomicU64, report: oneshot::Sender<()>, every: Duration) {
    let (mut heard, mut missed) = (0, 0);
    while missed < STUCK_AFTER {
        if report.is_closed() {
            return;
        }
        std::thread::sleep(every);
        let now = beats.load(Ordering::Relaxed);
        missed = if now == heard { missed + 1 } else { 0 };
        heard = now;
    }
    // Nobody listens any more: then nobody needs to be told.
    report.send(()).ok();
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    const SOON: Duration = Duration::from_millis(10);

    #[tokio::test]
    async fn taken_places_that_are_never_given_back_are_noticed() {
        let permits = Arc::new(Semaphore::new(1));
        let _taken = permits.clone().try_acquire_owned().unwrap();
        let reason = watch(|| true, permits, SOON).await;
        assert!(reason.to_string().contains("no call could be taken"), "{reason}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn an_event_loop_that_stands_still_is_noticed() {
        let (release, blocked) = std::sync::mpsc::channel::<()>();
        // Holds the only worker until the watchdog has spoken.
        let blocker = tokio::spawn(async move { blocked.recv() });
        let reason = watch(|| true, Arc::new(Semaphore::new(1)), SOON).await;
        release.send(()).unwrap();
        blocker.await.unwrap().unwrap();
        assert!(reason.to_string().contains("event loop"), "{reason}");
    }

    /// Time stands still here while there is anything to do, so that no busy machine makes a look late; the thread, whose
    /// time goes on, does not get as far as one look.
    #[tokio::test(start_paused = true)]
    async fn a_broker_that_stays_away_is_noticed() {
        let reason = watch(|| false, Arc::new(Semaphore::new(1)), EVERY).await;
        assert!(reason.to_string().contains("no connection"), "{reason}");
    }

    #[tokio::test(start_paused = true)]
    async fn load_and_short_outages_are_not_failures() {
        let permits = Arc::new(Semaphore::new(1));
        let looks = Arc::new(AtomicU32::new(0));
        let seen = looks.clone();
        // Away for all but one look of thirty, while the only place is always taken again by one of two.
        let connected = move || seen.fetch_add(1, Ordering::Relaxed) % ALONE_AFTER == ALONE_AFTER - 1;
        let load = async || {
            while looks.load(Ordering::Relaxed) < 4 * ALONE_AFTER {
                let _place = permits.acquire().await.unwrap();
                tokio::time::sleep(EVERY / 7).await;
            }
        };
        tokio::select! {
            reason = watch(connected, permits.clone(), EVERY) => panic!("{reason}"),
            _ = async { tokio::join!(load(), load()) } => {}
        }
    }
}
