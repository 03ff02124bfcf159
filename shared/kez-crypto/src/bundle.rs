//! Bundles: a whole sigchain in one text, as lines of JSON or packed (protocol section 6).
//!
//! A bundle proves nothing by itself: hand its events to [`crate::Chain::append_downloaded`] one by one.

use crate::chain::{MAX_EVENT_BYTES, MAX_EVENTS};
use crate::compression::Effort;
use crate::{Fault, compression};

/// What a packed bundle begins with.
pub const PACKED: &str = "kez:zc1:";

/// The longest JSONL that is packed, in bytes. It is several times the longest chain of usual events, and far below
/// 10,000 events of 16 KiB each, so that few bytes from a stranger do not become hundreds of megabytes; such a chain
/// travels as JSONL.
pub const MAX_PACKED_BYTES: usize = 32 * 1024 * 1024;

/// Events as JSONL: each envelope on a line of its own.
pub fn to_lines<Event: AsRef<[u8]>>(events: impl IntoIterator<Item = Event>) -> Vec<u8> {
    let mut lines = Vec::new();
    for event in events {
        // In JSON, line ends are white space and never part of a text.
        lines.extend(event.as_ref().iter().map(|byte| if b"\r\n".contains(byte) { b' ' } else { *byte }));
        lines.push(b'\n');
    }
    lines
}

/// The events in JSONL, as they stand there. The last line may do without its end.
///
/// # Errors
/// [`Fault::TooLarge`] for more events than a chain may have, or a longer one than an event may be; [`Fault::Malformed`]
/// for an empty line.
pub fn from_lines(lines: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
    let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let mut events = Vec::new();
    for line in lines.split(|byte| *byte == b'\n') {
        if line.len() > MAX_EVENT_BYTES || u64::try_from(events.len()).is_ok_and(|count| count >= MAX_EVENTS)
        {
            return Err(Fault::TooLarge);
        }
        if line.trim_ascii().is_empty() {
            return Err(Fault::Malformed);
        }
        events.push(line.to_vec());
    }
    Ok(events)
}

/// JSONL as one text: `kez:zc1:` + base64url(zstd(JSONL)).
///
/// # Errors
/// [`Fault::TooLarge`] beyond [`MAX_PACKED_BYTES`], which [`unpack`] would refuse.
pub fn pack(lines: &[u8]) -> Result<String, Fault> {
    if lines.len() > MAX_PACKED_BYTES {
        return Err(Fault::TooLarge);
    }
    Ok(compression::to_text(PACKED, lines, Effort::Fast))
}

/// The JSONL in a packed bundle.
///
/// # Errors
/// [`Fault::TooLarge`] beyond [`MAX_PACKED_BYTES`], [`Fault::Malformed`] for everything that is not packed JSONL.
pub fn unpack(text: &str) -> Result<Vec<u8>, Fault> {
    compression::from_text(PACKED, text.trim(), MAX_PACKED_BYTES)
}

/// The events in a bundle of either form, as they stand there.
///
/// # Errors
/// Those of [`unpack`] and [`from_lines`].
pub fn read(bundle: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
    let trimmed = bundle.trim_ascii();
    if !trimmed.starts_with(PACKED.as_bytes()) {
        return from_lines(bundle);
    }
    let text = std::str::from_utf8(trimmed).map_err(|_| Fault::Malformed)?;
    from_lines(&unpack(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms() {
        let events = [b"{\"a\":1}".to_vec(), b"{\"b\":\r\n2}".to_vec()];
        let lines = to_lines(&events);
        assert_eq!(lines, b"{\"a\":1}\n{\"b\":  2}\n");
        let read_back = Ok(vec![b"{\"a\":1}".to_vec(), b"{\"b\":  2}".to_vec()]);
        assert_eq!(read(&lines), read_back);
        assert_eq!(read(lines.trim_ascii_end()), read_back);
        assert_eq!(read(format!(" {}\n", pack(&lines).unwrap()).as_bytes()), read_back);
        assert_eq!(read(b""), Ok(Vec::new()));
        assert_eq!(read(pack(b"").unwrap().as_bytes()), Ok(Vec::new()));
    }

    #[test]
    fn refuses_what_is_neither() {
        for text in [&b"{}\n\n{}"[..], b"\n\n", b" ", b"kez:zc1:", b"kez:zc1:{}", b"kez:zc1:\xff"] {
            assert_eq!(read(text), Err(Fault::Malformed), "{text:?}");
        }
        assert_eq!(unpack("kez:z1:"), Err(Fault::Malformed));
    }

    #[test]
    fn is_bounded() {
        let lines = |count: u64, length: usize| to_lines((0..count).map(|_| "x".repeat(length)));
        assert_eq!(from_lines(&lines(MAX_EVENTS, 1)).map(|events| events.len()), Ok(10_000));
        assert_eq!(from_lines(&lines(MAX_EVENTS + 1, 1)), Err(Fault::TooLarge));
        assert!(from_lines(&lines(1, MAX_EVENT_BYTES)).is_ok());
        assert_eq!(from_lines(&lines(1, MAX_EVENT_BYTES + 1)), Err(Fault::TooLarge));
        let most = vec![b'x'; MAX_PACKED_BYTES + 1];
        assert_eq!(pack(&most), Err(Fault::TooLarge));
        assert_eq!(unpack(&compression::to_text(PACKED, &most, Effort::Fast)), Err(Fault::TooLarge));
    }
}
