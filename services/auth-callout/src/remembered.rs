//! Answers of other services, kept for a while and not beyond the news that contradict them.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kez_crypto::PublicKey;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

/// Answers, and people of whom there is news, kept at once.
const MOST: u64 = 100_000;
/// Longer than a question takes that was asked before the news.
const ANSWER: Duration = Duration::from_secs(5);

/// Good answers about people. Bad ones are asked for again each time, since they may have become good.
#[derive(Clone)]
pub struct Remembered<K: Eq + Hash> {
    /// Each with when it was asked for.
    good: Cache<K, Asked>,
    /// The number of the last news of each, kept for as long as there may be answers that are older.
    news: Cache<PublicKey, u64>,
    count: Arc<AtomicU64>,
    /// The number of the last news that may be of anyone.
    of_all: Arc<AtomicU64>,
}

/// After which news something was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    of_person: u64,
    of_all: u64,
}

impl<K: Eq + Hash + Send + Sync + 'static> Remembered<K> {
    /// Answers are believed for as long as `fresh`.
    pub fn new(fresh: Duration) -> Self {
        let news = Cache::builder()
            .max_capacity(MOST)
            .time_to_live(fresh + ANSWER)
            // The other policy keeps those out that were not asked for often, and news must come in.
            .eviction_policy(EvictionPolicy::lru());
        Self {
            good: Cache::builder().max_capacity(MOST).time_to_live(fresh).build(),
            news: news.build(),
            count: Arc::default(),
            of_all: Arc::default(),
        }
    }

    /// Whether there is a good answer about `person` that is younger than all news.
    pub fn is_good(&self, person: &PublicKey, key: &K) -> bool {
        self.good.get(key) == Some(self.asking(person))
    }

    /// To be called before `person` is asked about.
    pub fn asking(&self, person: &PublicKey) -> Asked {
        let of_person = self.news.get(person).unwrap_or_default();
        Asked { of_person, of_all: self.of_all.load(Ordering::SeqCst) }
    }

    /// Keeps a good answer.
    pub fn keep(&self, key: K, asked: Asked) {
        self.good.insert(key, asked);
    }

    /// What was asked about this person before now counts no more.
    pub fn doubt(&self, person: PublicKey) {
        self.news.insert(person, self.count.fetch_add(1, Ordering::SeqCst) + 1);
    }

    /// What was asked about anyone before now counts no more.
    pub fn doubt_all(&self) {
        self.of_all.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_before_the_news_counts_no_more() {
        let [alice, bob] = [1, 2].map(|byte| PublicKey::from_bytes([byte; 32]));
        let remembered = Remembered::new(Duration::from_secs(60));
        for person in [alice, bob] {
            assert!(!remembered.is_good(&person, &person));
            remembered.keep(person, remembered.asking(&person));
            assert!(remembered.is_good(&person, &person));
        }
        let before = remembered.asking(&alice);
        remembered.doubt(alice);
        assert!(!remembered.is_good(&alice, &alice));
        // An answer that was on its way when the news came, then one that was asked for after it.
        remembered.keep(alice, before);
        assert!(!remembered.is_good(&alice, &alice));
        remembered.keep(alice, remembered.asking(&alice));
        assert!(remembered.is_good(&alice, &alice) && remembered.is_good(&bob, &bob));

        let before = remembered.asking(&bob);
        remembered.doubt_all();
        remembered.keep(bob, before);
        assert!(!remembered.is_good(&alice, &alice) && !remembered.is_good(&bob, &bob));
    }

    #[test]
    fn many_news_come_in_all_the_same() {
        let remembered = Remembered::<PublicKey>::new(Duration::from_secs(60));
        let key = |number: u64| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_le_bytes());
            PublicKey::from_bytes(bytes)
        };
        let last = key(MOST + 9_999);
        remembered.keep(last, remembered.asking(&last));
        for number in 0..MOST + 10_000 {
            remembered.doubt(key(number));
        }
        remembered.news.run_pending_tasks();
        assert!(!remembered.is_good(&last, &last));
    }
}
