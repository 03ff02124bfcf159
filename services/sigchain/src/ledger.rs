//! Chains as they stand: read from the stream, verified once, kept in memory, and extended.
//!
//! What is kept may be behind the stream, since other replicas append too. The feed says when it is, as a rule; that is
//! for speed. What is right is decided by the stream: an event is stored only if the chain still ends where it was
//! judged to end, and whoever has to know asks for the [`Ledger::latest`].

mod known;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use async_nats::Client;
use futures_util::StreamExt;
use kez_contract::event::SIGCHAIN_FEED_ALL;
use kez_contract::sigchain::{Appended, EventPage, MAX_PAGE};
use kez_contract::{Code, Problem};
use kez_crypto::Primary;
use kez_crypto::chain::Unplaced;
use kez_service::batch::Refused;
use kez_service::{Fault, streams};
use moka::sync::Cache;
use tokio::sync::{Mutex, MutexGuard, Notify};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::store::{self, Store};
use known::Judgement;
pub use known::Known;

/// Bytes of chains that are kept at once; those that are asked for least are forgotten first.
const KEPT_BYTES: u64 = 64 * 1024 * 1024;
/// For so long a chain that the feed says nothing of is taken to be as it was.
const FRESH: Duration = Duration::from_secs(10);
/// So often, and so long apart, the stream is asked for what the feed has announced already.
const LOOKS: u32 = 40;
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);
/// Tries of an append while other replicas append to the same chain.
const TRIES: u32 = 8;

#[derive(Clone)]
pub struct Ledger {
    store: Store,
    kept: Cache<Primary, Arc<Kept>>,
    /// Something was appended, here or elsewhere.
    pub grown: Arc<Notify>,
    /// Ends with the last clone.
    _feed: Arc<JoinSet<()>>,
}

/// One chain in memory. Whoever appends holds it, so that events of this replica do not race each other.
struct Kept {
    known: Mutex<(Known, Option<Instant>)>,
    /// The stream holds at least this for the chain.
    announced: AtomicU64,
    /// What it takes, as it was counted last.
    bytes: AtomicU32,
}

impl Ledger {
    /// Starts to follow the feed.
    pub async fn follow(nats: &Client, store: Store) -> Result<Self> {
        let kept: Cache<Primary, Arc<Kept>> = Cache::builder()
            .max_capacity(KEPT_BYTES)
            .weigher(|_, kept: &Arc<Kept>| kept.bytes.load(Ordering::Relaxed))
            .build();
        let grown = Arc::new(Notify::new());
        let mut events = nats.subscribe(SIGCHAIN_FEED_ALL).await?;
        let (chains, news) = (kept.clone(), grown.clone());
        let mut feed = JoinSet::new();
        feed.spawn(async move {
            while let Some(event) = events.next().await {
                let chain = store::owner(&event.subject).and_then(|primary| chains.get(&primary));
                if let (Some(chain), Ok(sequence)) = (chain, streams::sequence(&event)) {
                    chain.announced.fetch_max(sequence, Ordering::Relaxed);
                }
                news.notify_waiters();
            }
        });
        Ok(Self { store, kept, grown, _feed: Arc::new(feed) })
    }

    /// What of `view` is wanted of the chain, as it stood within the last seconds.
    pub async fn current<T>(&self, primary: Primary, view: impl FnOnce(&Known) -> T) -> Result<T, Fault> {
        let kept = self.kept(primary);
        let held = self.read(&kept, false).await?;
        Ok(view(&held.0))
    }

    /// What of `view` is wanted of the chain, as the stream has it now.
    pub async fn latest<T>(&self, primary: Primary, view: impl FnOnce(&Known) -> T) -> Result<T, Fault> {
        let kept = self.kept(primary);
        let held = self.read(&kept, true).await?;
        Ok(view(&held.0))
    }

    /// What of `view` is wanted of the chain, with all that the stream holds of it up to a sequence. What this replica has
    /// appended itself it need not read.
    pub async fn up_to<T>(
        &self,
        primary: Primary,
        sequence: u64,
        view: impl FnOnce(&Known) -> T,
    ) -> Result<T, Fault> {
        let kept = self.kept(primary);
        kept.announced.fetch_max(sequence, Ordering::Relaxed);
        let mut held = kept.known.lock().await;
        if held.0.last_sequence() < sequence {
            self.refresh(&kept, &mut held, true).await?;
        }
        Ok(view(&held.0))
    }

    /// Verifies an event against the end of its chain and stores it there.
    pub async fn append(&self, event: Unplaced) -> Result<Appended, Fault> {
        let kept = self.kept(event.primary());
        let mut held = kept.known.lock().await;
        let mut raced = false;
        // What is kept may be behind: then the stream refuses what is judged by it to follow, and whatever is judged not to is
        // judged again on what was just read.
        let mut just_read = false;
        for _ in 0..TRIES {
            let known = &mut held.0;
            match known.judge(&event)? {
                Judgement::Stored(head) => return Ok(Appended { created: false, event: head }),
                Judgement::Refused(fault) if just_read => return Err(refused(fault, raced, known)),
                Judgement::Refused(_) => just_read = self.refresh(&kept, &mut held, true).await?,
                Judgement::Follows(chain) => {
                    match self
                        .store
                        .put(&event.primary(), known.last_sequence(), event.to_json().to_vec().into())
                        .await
                    {
                        Ok(sequence) => {
                            let head = known.take(chain, &event, sequence);
                            held.1 = Some(Instant::now());
                            self.weigh(&kept, &held.0);
                            return Ok(Appended { created: true, event: head });
                        }
                        Err(Refused::Conflict) => {
                            // What was never read is no race.
                            raced = held.1.is_some();
                            just_read = self.refresh(&kept, &mut held, true).await?;
                        }
                        Err(refused) => {
                            // It may have been stored all the same.
                            held.1 = None;
                            tracing::warn!(reason = %refused, "an event was not stored");
                            return Err(Fault::unavailable(
                                "the store did not confirm; send the same event again",
                            ));
                        }
                    }
                }
            }
        }
        Err(Fault::unavailable("others are appending to this chain; try again"))
    }

    /// The events of a chain from number `since` on, as they are stored.
    pub async fn events(&self, primary: Primary, since: u64, limit: u32) -> Result<EventPage, Fault> {
        // From the start, nothing has to be known of the chain; readers verify it themselves.
        let after = if since == 0 {
            Some(0)
        } else {
            self.current(primary, |known| known.sequence_before(since)).await?
        };
        let part = match after {
            Some(after) => self.store.events_after(&primary, after, limit).await?,
            None => store::Part { events: Vec::new(), more: false },
        };
        let last = match part.events.last() {
            Some(last) if !part.more => Some(last.clone()),
            _ => self.store.last(&primary).await?,
        };
        let head = last.map(|last| Unplaced::parse(&last.event).map(|event| known::head_of(&event)));
        Ok(EventPage {
            head: head.transpose().map_err(|fault| anyhow::anyhow!("a stored event is broken: {fault}"))?,
            events: part
                .events
                .iter()
                .map(|stored| store::document(&stored.event))
                .collect::<Result<_, _>>()?,
            more: part.more,
        })
    }

    /// The stream itself.
    pub fn store(&self) -> &Store {
        &self.store
    }

    fn kept(&self, primary: Primary) -> Arc<Kept> {
        self.kept.get_with(primary, || {
            Arc::new(Kept {
                known: Mutex::new((Known::new(primary), None)),
                announced: AtomicU64::new(0),
                bytes: AtomicU32::new(1024),
            })
        })
    }

    async fn read<'k>(
        &self,
        kept: &'k Arc<Kept>,
        anew: bool,
    ) -> Result<MutexGuard<'k, (Known, Option<Instant>)>, Fault> {
        let mut held = kept.known.lock().await;
        self.refresh(kept, &mut held, anew).await?;
        Ok(held)
    }

    /// Reads what the stream has beyond what is known, if that is asked for or may be. Says whether it did.
    async fn refresh(
        &self,
        kept: &Arc<Kept>,
        held: &mut (Known, Option<Instant>),
        anew: bool,
    ) -> Result<bool, Fault> {
        let (known, read_at) = held;
        let announced = kept.announced.load(Ordering::Relaxed) > known.last_sequence();
        let fresh = read_at.is_some_and(|at| at.elapsed() < FRESH);
        if fresh && !anew && !announced {
            return Ok(false);
        }
        let now = Instant::now();
        for look in 0..=LOOKS {
            loop {
                let part = self.store.events_after(&known.primary(), known.last_sequence(), MAX_PAGE).await?;
                part.events.iter().for_each(|stored| known.read(stored));
                if !part.more {
                    break;
                }
            }
            // A replica of the stream that is behind may have answered.
            if kept.announced.load(Ordering::Relaxed) <= known.last_sequence() || look == LOOKS {
                break;
            }
            sleep(BETWEEN_LOOKS).await;
        }
        *read_at = Some(now);
        self.weigh(kept, known);
        Ok(true)
    }

    /// Has the cache count a chain anew when it has grown much.
    fn weigh(&self, kept: &Arc<Kept>, known: &Known) {
        let bytes = u32::try_from(known.bytes()).unwrap_or(u32::MAX);
        if bytes / 2 > kept.bytes.load(Ordering::Relaxed) {
            kept.bytes.store(bytes, Ordering::Relaxed);
            self.kept.insert(known.primary(), kept.clone());
        }
    }
}

/// Why an event is not taken; if it came too late, with where the chain now ends.
fn refused(fault: kez_crypto::Fault, raced: bool, known: &Known) -> Fault {
    use kez_crypto::Fault::{WrongPrev, WrongSeq};
    if !matches!(fault, WrongSeq | WrongPrev) {
        return Fault::named(fault.code(), fault.to_string());
    }
    let problem = if raced {
        Problem::new(Code::Conflict, "another event was appended at the same moment; sign again on top of it")
    } else {
        Problem::new(Code::named(fault.code()).unwrap_or(Code::Conflict), fault.to_string())
    };
    Fault::Refused(Problem { current: known.head(), ..problem })
}
