//! Who mail can be for: the registry's answers, kept for a minute and dropped as soon as the registry says otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use async_nats::Client;
use futures_util::StreamExt;
use kez_contract::event::REGISTRY_FEED;
use kez_contract::registry::{RESOLVE, Resolve, Resolved};
use kez_contract::{Code, Problem};
use kez_service::ask;
use moka::future::Cache;
use tokio::task::JoinSet;

/// People remembered at once.
const REMEMBERED: u64 = 100_000;
const FRESH: Duration = Duration::from_secs(60);
/// `handle@server` with the longest handle and the longest domain.
const LONGEST_NAME: usize = 32 + 1 + 253;

#[derive(Clone)]
pub struct People {
    nats: Client,
    known: Cache<String, Resolved>,
    /// How much the feed has said so far.
    news: Arc<AtomicU64>,
    /// Ends with the last clone, and with it the connection that it listens on.
    _feed: Arc<JoinSet<()>>,
}

impl People {
    /// Starts to follow the registry's feed.
    pub async fn follow(nats: &Client) -> Result<Self> {
        let known: Cache<String, Resolved> = Cache::builder()
            .max_capacity(REMEMBERED)
            .time_to_live(FRESH)
            .support_invalidation_closures()
            .build();
        let mut facts = nats.subscribe(REGISTRY_FEED.pattern()).await?;
        let (people, news) = (known.clone(), Arc::new(AtomicU64::new(0)));
        let heard = news.clone();
        let mut feed = JoinSet::new();
        feed.spawn(async move {
            while let Some(fact) = facts.next().await {
                heard.fetch_add(1, Ordering::SeqCst);
                if let Some(primary) = REGISTRY_FEED.owner(&fact.subject).map(str::to_owned) {
                    // Whatever name it was found under.
                    let forgotten = people.invalidate_entries_if(move |_, person| person.primary == primary);
                    if forgotten.is_err() {
                        people.invalidate_all();
                    }
                }
            }
        });
        Ok(Self { nats: nats.clone(), known, news, _feed: Arc::new(feed) })
    }

    /// The registered person of that handle (`alice`, `alice@server`) or primary (`ed25519:<hex>`).
    pub async fn resolve(&self, who: &str) -> Result<Resolved, Problem> {
        if who.is_empty() || who.len() > LONGEST_NAME {
            return Err(Problem::new(Code::Malformed, "not a handle and not a key"));
        }
        if let Some(person) = self.known.get(who).await {
            return Ok(person);
        }
        let before = self.news.load(Ordering::SeqCst);
        let person = ask(&self.nats, RESOLVE, &Resolve { who: who.to_owned() }).await?;
        self.known.insert(who.to_owned(), person.clone()).await;
        // The answer may be older than news that came while it was on its way, such as that a handle has moved.
        if self.news.load(Ordering::SeqCst) != before {
            self.known.invalidate(who).await;
        }
        Ok(person)
    }
}
