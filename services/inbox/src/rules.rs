//! The inbox's decisions, without its store.

use serde::{Deserialize, Serialize};

/// Where one device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Everything up to and including this sequence is on the device.
    pub seq: u64,
}

/// The devices that have less than everything up to `own`, the furthest behind first.
pub fn behind(own: u64, mut cursors: Vec<(String, Cursor)>) -> Vec<(String, Cursor)> {
    cursors.retain(|(_, cursor)| cursor.seq < own);
    cursors.sort_by_key(|(_, cursor)| cursor.seq);
    cursors
}

/// Which of `streams` streams (a power of two up to 256) keeps a logical shard, 0 to 255. Each keeps a run of shards.
pub fn stream_of(shard: u8, streams: u16) -> u16 {
    let shards_each = 256 / streams.max(1);
    u16::from(shard) / shards_each
}

/// The logical shards that a stream keeps.
pub fn shards_of(stream: u16, streams: u16) -> impl Iterator<Item = u8> {
    (0..=u8::MAX).filter(move |shard| stream_of(*shard, streams) == stream)
}

/// A person's logical shard: the first byte of the primary.
pub fn shard(primary: &str) -> Option<u8> {
    u8::from_str_radix(primary.get(..2)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_furthest_behind_comes_first() {
        let device = |name: &str, seq| (name.to_owned(), Cursor { seq });
        let all = || vec![device("a", 7), device("b", 0), device("c", 9), device("d", 3)];
        assert_eq!(behind(7, all()), [device("b", 0), device("d", 3)]);
        assert_eq!(behind(0, all()), []);
        assert_eq!(behind(7, Vec::new()), []);
    }

    #[test]
    fn every_shard_has_one_stream() {
        for streams in [1, 2, 16, 256] {
            let kept: Vec<u8> = (0..streams).flat_map(|stream| shards_of(stream, streams)).collect();
            assert_eq!(kept, (0..=u8::MAX).collect::<Vec<_>>());
        }
        assert_eq!(stream_of(0x7f, 2), 0);
        assert_eq!(stream_of(0x80, 2), 1);
    }

    #[test]
    fn a_shard_is_the_first_byte() {
        assert_eq!(shard("ff00"), Some(255));
        assert_eq!(shard("f"), None);
        assert_eq!(shard("zz"), None);
    }
}
