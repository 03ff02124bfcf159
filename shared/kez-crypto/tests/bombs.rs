//! Few bytes that say they are many: refused with little memory and time. Alone in its process, whose memory it reads.

#![expect(clippy::unwrap_used, reason = "what cannot be set up ends its test")]

use std::fs;
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use kez_crypto::encoding::{COMPACT, decode, find};
use kez_crypto::{Fault, bundle};

/// A block of Zstandard (RFC 8878, 3.1.1.2) that says one byte 128 KiB times.
fn run(is_last: bool) -> Vec<u8> {
    let header = ((128 << 10) << 3 | 1 << 1 | u32::from(is_last)).to_le_bytes();
    vec![header[0], header[1], header[2], b'{']
}

/// A compressed block (RFC 8878, 3.1.1.3) of 3,000 times one literal and the longest match there is, 128 KiB: 393 MB.
fn matches() -> Vec<u8> {
    let count = 3000u16;
    let [high, low] = count.to_be_bytes();
    // One byte for all literals, and one code for all sequences: literal length 1, offset as before, match length 52,
    // which is 65,539 and what the next 16 bits say.
    let literals = [1 | 1 << 2 | (count << 4) as u8, (count >> 4) as u8, b'{'];
    let sequences = [high + 128, low, 0b0101_0100, 1, 0, 52];
    let bits = [vec![0xff; 2 * usize::from(count)], vec![1]].concat();
    let body = [&literals[..], &sequences, &bits].concat();
    let header = ((body.len() as u32) << 3 | 2 << 1 | 1).to_le_bytes();
    [&header[..3], &body].concat()
}

/// A frame whose window is 8 MiB and which does not say how long it is.
fn bomb(blocks: Vec<u8>) -> String {
    BASE64URL_NOPAD.encode(&[vec![0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3], blocks].concat())
}

/// The most memory that this process has ever had, in bytes; 0 where the system does not say.
fn most_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[test]
fn bombs_are_too_large() {
    // 5,000 blocks are 655 MB in 27 KB of text.
    let long = bomb([vec![run(false); 5000].concat(), run(true)].concat());
    let (before, start) = (most_memory(), Instant::now());
    assert!(long.len() < 28_000);
    assert_eq!(decode(&format!("{COMPACT}{long}")), Err(Fault::TooLarge));
    assert_eq!(find(&format!("me: {COMPACT}{long}.")), [Err(Fault::TooLarge)]);
    assert!(most_memory() - before < 8 << 20, "{} bytes", most_memory() - before);
    // A bundle may be larger, and so may what is written before it is refused.
    assert_eq!(bundle::unpack(&format!("{}{long}", bundle::PACKED)), Err(Fault::TooLarge));
    assert!(most_memory() - before < 128 << 20, "{} bytes", most_memory() - before);
    // No single block becomes more than a block may.
    let dense = bomb(matches());
    assert_eq!(decode(&format!("{COMPACT}{dense}")), Err(Fault::TooLarge));
    assert_eq!(bundle::unpack(&format!("{}{dense}", bundle::PACKED)), Err(Fault::TooLarge));
    assert!(most_memory() - before < 128 << 20, "{} bytes", most_memory() - before);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    println!("bombs: {} bytes, {:?}", most_memory() - before, start.elapsed());
}
