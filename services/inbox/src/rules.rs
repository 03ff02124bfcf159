//! The inbox's decisions, without its store.

use serde::{Deserialize, Serialize};

/// Where one device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Everything up to and including this sequence is on the device.
    pub seq: u64,
}

/// The sequence up to which every device has everything; 0 while no device is known.
pub fn held_by_all(cursors: &[Cursor]) -> u64 {
    cursors.iter().map(|cursor| cursor.seq).min().unwrap_or(0)
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
    fn nothing_is_held_by_all_until_the_last_device_has_it() {
        let at = |seq| Cursor { seq };
        assert_eq!(held_by_all(&[]), 0);
        assert_eq!(held_by_all(&[at(7)]), 7);
        assert_eq!(held_by_all(&[at(7), at(0), at(9)]), 0);
        assert_eq!(held_by_all(&[at(7), at(3), at(9)]), 3);
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
