//! Waking: what happens between a message that is stored and a push to the devices of a person who is not there.
//!
//! A message is acknowledged only when nothing is to be done for it any more, so what a replica leaves undone another does.
//! `arrivals` brings news of mail, `watch` knows who is connected, `desk` decides, and `ledger` writes down what came of it.

mod arrivals;
mod desk;
mod held;
mod ledger;
mod mail;
mod presence;
mod verdict;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use async_nats::Client;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::counts::Counts;
use crate::sender::Sender;
use crate::store::Store;
use crate::times::BrokerClock;
use held::Held;
use mail::Mail;
use presence::Presence;

/// Milliseconds that whoever pushes to a subscription has it alone. The broker waits as long for an answer.
const LEASE: i64 = 30_000;
/// Batches of mail that wait to be decided on.
const BATCHES: usize = 4;

/// What all parts of waking share.
#[derive(Clone)]
struct Waking {
    nats: Client,
    store: Store,
    sender: Sender,
    counts: Counts,
    clock: BrokerClock,
    presence: Arc<Presence>,
    held: Arc<Held>,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

/// Mail on its way to the desk.
#[derive(Debug)]
enum Work {
    /// Its owner may be connected.
    Arrived(Vec<Mail>),
    /// Its owner is not.
    Asleep(Vec<Mail>),
}

/// Begins to wake, and returns what ends it in good order: pushes that are on their way are waited for, what is left goes
/// to other replicas.
pub async fn start(
    nats: &Client,
    store: Store,
    sender: Sender,
    counts: Counts,
    clock: BrokerClock,
) -> Result<impl Future<Output = ()> + Send + Sync + 'static> {
    let waking = Waking {
        nats: nats.clone(),
        store,
        sender,
        counts,
        clock,
        presence: Arc::default(),
        held: Arc::default(),
        stopping: CancellationToken::new(),
        tasks: TaskTracker::new(),
    };
    let (to_desk, work) = mpsc::channel(BATCHES);
    let changes = watch::changes(nats).await?;
    let (stopping, tasks) = (waking.stopping.clone(), waking.tasks.clone());
    let ledger = ledger::open(&waking);
    tasks.spawn(watch::follow(waking.clone(), changes, to_desk.clone()));
    tasks.spawn(desk::serve(waking.clone(), work, ledger));
    tasks.spawn(async move {
        watch::first_list(&waking).await;
        tokio::join!(watch::lists(&waking, &to_desk), arrivals::follow(&waking, &to_desk));
    });
    Ok(async move {
        stopping.cancel();
        tasks.close();
        tasks.wait().await;
    })
}

impl Waking {
    /// Waits, and answers whether there is reason to go on.
    async fn pause(&self, time: Duration) -> bool {
        self.stopping.run_until_cancelled(tokio::time::sleep(time)).await.is_some()
    }
}
