//! Answers of other services, kept for a while and not beyond the news that contradict them.

use std::hash::Hash;
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
    good: Cache<K, ()>,
    /// Of these, nothing is believed that may have been answered before the news: for as long as such an answer lasts.
    news: Cache<PublicKey, ()>,
}

impl<K: Eq + Hash + Send + Sync + 'static> Remembered<K> {
    /// Answers are believed for as long as `fresh`.
    pub fn new(fresh: Duration) -> Self {
        let news = Cache::builder()
            .max_capacity(MOST)
            .time_to_live(fresh + ANSWER)
            // The other policy keeps those out that were not asked for often, and news must come in.
            .eviction_policy(EvictionPolicy::lru());
        Self { good: Cache::builder().max_capacity(MOST).time_to_live(fresh).build(), news: news.build() }
    }

    /// Whether the answer about `person` is still known to be good.
    pub fn is_good(&self, person: &PublicKey, key: &K) -> bool {
        self.good.contains_key(key) && !self.news.contains_key(person)
    }

    /// Keeps a good answer.
    pub fn keep(&self, key: K) {
        self.good.insert(key, ());
    }

    /// What was answered about this person, and what is being answered, counts no more.
    pub fn doubt(&self, person: PublicKey) {
        self.news.insert(person, ());
    }

    /// What was answered about anyone counts no more.
    pub fn doubt_all(&self) {
        self.good.invalidate_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_outlive_every_answer_that_was_given_before() {
        let [alice, bob] = [1, 2].map(|byte| PublicKey::from_bytes([byte; 32]));
        let remembered = Remembered::new(Duration::from_secs(60));
        for person in [alice, bob] {
            assert!(!remembered.is_good(&person, &person));
            remembered.keep(person);
            assert!(remembered.is_good(&person, &person));
        }
        remembered.doubt(alice);
        assert!(!remembered.is_good(&alice, &alice));
        // An answer that was on its way when the news came.
        remembered.keep(alice);
        assert!(!remembered.is_good(&alice, &alice));
        assert!(remembered.is_good(&bob, &bob));
        remembered.doubt_all();
        assert!(!remembered.is_good(&bob, &bob));
    }

    #[test]
    fn many_news_come_in_all_the_same() {
        let remembered = Remembered::<PublicKey>::new(Duration::from_secs(60));
        let key = |number: u64| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_le_bytes());
            PublicKey::from_bytes(bytes)
        };
        for number in 0..MOST + 10_000 {
            remembered.doubt(key(number));
        }
        remembered.news.run_pending_tasks();
        let last = key(MOST + 9_999);
        remembered.keep(last);
        assert!(!remembered.is_good(&last, &last));
    }
}
