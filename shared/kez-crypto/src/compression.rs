//! Zstandard (RFC 8878) as base64url behind a prefix, which strangers send, so what it becomes is bounded.

use data_encoding::BASE64URL_NOPAD;
use ruzstd::decoding::errors::{
    DecodeBlockContentError, DecompressBlockError, ExecuteSequencesError, FrameDecoderError,
};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use crate::Fault;

/// How much work goes into a text.
#[derive(Clone, Copy)]
pub(crate) enum Effort {
    /// As much as makes it shorter, since accounts have little room: a profile of 500 characters has to hold a claim.
    Short,
    /// Little, since a chain may be megabytes long.
    Fast,
}

/// The text `prefix` + base64url(zstd(bytes)), without padding characters.
pub(crate) fn to_text(prefix: &str, bytes: &[u8], effort: Effort) -> String {
    format!("{prefix}{}", BASE64URL_NOPAD.encode(&compress(bytes, effort)))
}

fn compress(bytes: &[u8], effort: Effort) -> Vec<u8> {
    let level = match effort {
        Effort::Short => 19,
        Effort::Fast => zstd::DEFAULT_COMPRESSION_LEVEL,
    };
    // libzstd fails only where it finds no memory. What ruzstd writes is longer and reads the same.
    zstd::bulk::compress(bytes, level).unwrap_or_else(|_| compress_to_vec(bytes, CompressionLevel::Fastest))
}

/// The bytes in a text that [`to_text`], or any other compressor, has made.
///
/// # Errors
/// [`Fault::TooLarge`] when they are more than `limit`, of which no more than one block (128 KiB) is written;
/// [`Fault::Malformed`] for everything that is not exactly one whole frame.
pub(crate) fn from_text(prefix: &str, text: &str, limit: usize) -> Result<Vec<u8>, Fault> {
    let encoded = text.strip_prefix(prefix).ok_or(Fault::Malformed)?;
    let compressed = BASE64URL_NOPAD.decode(encoded.as_bytes()).map_err(|_| Fault::Malformed)?;
    decompress(&compressed, limit)
}

fn decompress(compressed: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
    // RFC 8878, 3.1.1.1.1.4: a bit for features to come, which the decoder leaves to its caller.
    if compressed.get(4).is_some_and(|descriptor| descriptor & 8 != 0) {
        return Err(Fault::Malformed);
    }
    let mut rest = compressed;
    let mut decoder = FrameDecoder::new();
    decoder.init(&mut rest).map_err(|error| refusal(&error))?;
    let announced = usize::try_from(decoder.content_size()).map_err(|_| Fault::TooLarge)?;
    if announced > limit {
        return Err(Fault::TooLarge);
    }
    // The decoder makes room only as it writes, whatever window the frame asks for, and stops after the block with
    // which there are too many bytes.
    let bound = BlockDecodingStrategy::UptoBytes(limit.saturating_add(1));
    if !decoder.decode_blocks(&mut rest, bound).map_err(|error| refusal(&error))? {
        return Err(Fault::TooLarge);
    }
    let bytes = decoder.collect().unwrap_or_default();
    if bytes.len() > limit {
        return Err(Fault::TooLarge);
    }
    // Zero announces nothing. The decoder itself leaves all of this to its caller.
    let as_announced = announced == 0 || announced == bytes.len();
    let sum = decoder.get_checksum_from_data();
    let sum_holds = sum.is_none() || sum == decoder.get_calculated_checksum();
    if as_announced && sum_holds && rest.is_empty() { Ok(bytes) } else { Err(Fault::Malformed) }
}

fn refusal(error: &FrameDecoderError) -> Fault {
    use FrameDecoderError::{FailedToReadBlockBody, WindowSizeTooBig};
    match error {
        WindowSizeTooBig { .. }
        | FailedToReadBlockBody(DecodeBlockContentError::DecompressBlockError(
            DecompressBlockError::ExecuteSequencesError(ExecuteSequencesError::TooManyBytesGenerated {
                ..
            }),
        )) => Fault::TooLarge,
        _ => Fault::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 16 * 1024;

    /// A frame with a window of 128 KiB, without a size or a checksum, of these blocks.
    fn frame(blocks: &[Vec<u8>]) -> Vec<u8> {
        [vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38], blocks.concat()].concat()
    }

    /// A block that says one byte `length` times.
    fn run(length: u32, is_last: bool) -> Vec<u8> {
        let header = (length << 3 | 1 << 1 | u32::from(is_last)).to_le_bytes();
        vec![header[0], header[1], header[2], b'x']
    }

    #[test]
    fn says_what_was_said() {
        for length in [0, 1, 15, 255, 1000, LIMIT] {
            let bytes: Vec<u8> = (0..length).map(|place| (place * place % 251) as u8).collect();
            for effort in [Effort::Short, Effort::Fast] {
                let text = to_text("p:", &bytes, effort);
                assert_eq!(from_text("p:", &text, LIMIT).as_ref(), Ok(&bytes));
                assert_eq!(from_text("q:", &text, LIMIT), Err(Fault::Malformed));
            }
        }
    }

    #[test]
    fn stops_at_the_limit() {
        for (length, fault) in [(LIMIT, None), (LIMIT + 1, Some(Fault::TooLarge))] {
            assert_eq!(from_text("", &to_text("", &vec![b'x'; length], Effort::Fast), LIMIT).err(), fault);
            assert_eq!(decompress(&frame(&[run(length as u32, true)]), LIMIT).err(), fault);
        }
        // Many blocks that are each within the limit.
        let blocks: Vec<_> = (0..17).map(|block| run(1024, block == 16)).collect();
        assert_eq!(decompress(&frame(&blocks), LIMIT), Err(Fault::TooLarge));
        assert_eq!(decompress(&frame(&blocks), LIMIT + 1024).map(|bytes| bytes.len()), Ok(LIMIT + 1024));
    }

    #[test]
    fn believes_no_announcement() {
        // A single segment that announces 1 TiB, then 2 bytes; and one that announces 2 and holds 3.
        let huge = [&[0x28, 0xb5, 0x2f, 0xfd, 0xe0][..], &(1u64 << 40).to_le_bytes(), &run(2, true)].concat();
        assert_eq!(decompress(&huge, LIMIT), Err(Fault::TooLarge));
        for (length, expected) in [(2, Ok(2)), (3, Err(Fault::Malformed)), (1, Err(Fault::Malformed))] {
            let small = [&[0x28, 0xb5, 0x2f, 0xfd, 0x20, 2][..], &run(length, true)].concat();
            assert_eq!(decompress(&small, LIMIT).map(|bytes| bytes.len()), expected, "{length}");
        }
    }

    #[test]
    fn is_one_whole_frame() {
        // With a checksum, which libzstd leaves out unless it is asked for one.
        let whole = compress_to_vec(&b"hello hello hello"[..], CompressionLevel::Fastest);
        assert!(decompress(&whole, LIMIT).is_ok());
        for length in 0..whole.len() {
            let cut = whole.get(..length).unwrap();
            assert_eq!(decompress(cut, LIMIT), Err(Fault::Malformed), "{length}");
        }
        for text in [[&whole[..], b"x"].concat(), whole.repeat(2), b"hello".to_vec(), frame(&[run(1, false)])]
        {
            assert_eq!(decompress(&text, LIMIT), Err(Fault::Malformed));
        }
        let mut of_the_future = whole.clone();
        *of_the_future.get_mut(4).unwrap() |= 8;
        assert_eq!(decompress(&of_the_future, LIMIT), Err(Fault::Malformed));
        let mut wrong_sum = whole.clone();
        *wrong_sum.last_mut().unwrap() ^= 1;
        assert_eq!(decompress(&wrong_sum, LIMIT), Err(Fault::Malformed));
    }
}
