//! The forms in which a claim is published: JSON, a compact text, a Markdown fence, TXT pieces (protocol sections 6, 7).
//!
//! Two texts may hold the same claim, for every compressor writes another one: never compare texts, compare what
//! [`decode`] finds in them.

mod search;

use crate::compression::Effort;
use crate::{Fault, compression, json};
pub use search::{MAX_FOUND, find};

/// What a compact text begins with.
pub const COMPACT: &str = "kez:z1:";

/// The longest claim, as the text of its envelope, in bytes.
pub const MAX_ENVELOPE_BYTES: usize = 16 * 1024;

/// The longest text around one claim, in bytes: more than [`MAX_ENVELOPE_BYTES`] take in any form.
const MAX_TEXT_BYTES: usize = 2 * MAX_ENVELOPE_BYTES;

/// The longest piece of a TXT record, in bytes (RFC 1035, 3.3).
const MAX_PIECE_BYTES: usize = 255;

/// The info string of a Markdown fence.
const INFO: &str = "kez";

/// The compact text of an envelope: `kez:z1:` + base64url(zstd(envelope)).
pub fn compact(envelope: &[u8]) -> String {
    compression::to_text(COMPACT, envelope, Effort::Short)
}

/// An envelope as a Markdown fence whose info string is `kez` (`CommonMark` 4.5).
pub fn markdown(envelope: &[u8]) -> String {
    format!("```{INFO}\n{}\n```\n", String::from_utf8_lossy(envelope))
}

/// A text in pieces of at most 255 bytes, as the strings of one TXT record, which are read as if they stood together
/// (RFC 7208, 3.3).
pub fn txt_pieces(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    for character in text.chars() {
        if piece.len() + character.len_utf8() > MAX_PIECE_BYTES {
            pieces.push(std::mem::take(&mut piece));
        }
        piece.push(character);
    }
    pieces.push(piece);
    pieces
}

/// The envelope's text in any one of its forms, with white space around it or none. Whether it is a claim, and whose,
/// is for [`crate::Claim::parse`] to say.
///
/// # Errors
/// [`Fault::TooLarge`] when the envelope is longer than [`MAX_ENVELOPE_BYTES`] or the text twice that;
/// [`Fault::Malformed`] when it is none of the forms, or holds anything but one object in strict JSON.
pub fn decode(text: &str) -> Result<Vec<u8>, Fault> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(Fault::TooLarge);
    }
    let text = text.trim();
    match search::whole_fence(text) {
        Some(inside) => unfenced(inside),
        None => unfenced(text),
    }
}

/// The envelope's text in a JSON or compact text.
fn unfenced(text: &str) -> Result<Vec<u8>, Fault> {
    let text = text.trim();
    let envelope = if text.starts_with(COMPACT) {
        compression::from_text(COMPACT, text, MAX_ENVELOPE_BYTES)?
    } else {
        text.into()
    };
    if envelope.len() > MAX_ENVELOPE_BYTES {
        return Err(Fault::TooLarge);
    }
    if json::parse(&envelope)?.is_object() { Ok(envelope) } else { Err(Fault::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENVELOPE: &[u8] = br#"{"kez":"claim","payload":{"a":"b c"},"signature":{}}"#;

    #[test]
    fn reads_every_form() {
        let text = String::from_utf8_lossy(ENVELOPE);
        let compact = compact(ENVELOPE);
        for form in [
            text.to_string(),
            compact.clone(),
            markdown(ENVELOPE),
            format!("\n  {compact} \r\n"),
            format!("~~~~ kez \r\n{compact}\r\n~~~~~\r\n"),
            format!("   ```kez\n\n{text}\n\n  ```   "),
            txt_pieces(&compact).concat(),
        ] {
            assert_eq!(decode(&form), Ok(ENVELOPE.into()), "{form}");
        }
    }

    #[test]
    fn refuses_every_other_text() {
        let text = String::from_utf8_lossy(ENVELOPE);
        for form in [
            "",
            "kez:z1:",
            "[]",
            "\"kez\"",
            &format!("{text}{text}"),
            &format!("{}=", compact(ENVELOPE)),
            &format!("{}\n{}", compact(ENVELOPE), compact(ENVELOPE)),
            &compact(ENVELOPE).replace("z1", "z2"),
            &compact(b"[]"),
            &compact(b"\xff"),
            &compact(compact(ENVELOPE).as_bytes()),
            &markdown(markdown(ENVELOPE).as_bytes()),
            &markdown(ENVELOPE).replace("kez\n", "json\n"),
            &markdown(ENVELOPE).replace("\n```\n", "\n``\n"),
            &format!("````kez\n{text}\n```"),
            &format!("```kez\n{text}\n```\nand more"),
        ] {
            assert_eq!(decode(form), Err(Fault::Malformed), "{form}");
        }
    }

    #[test]
    fn is_bounded() {
        let padded = |length: usize| format!("{{{}}}", " ".repeat(length - 2)).into_bytes();
        let (longest, too_long) = (padded(MAX_ENVELOPE_BYTES), padded(MAX_ENVELOPE_BYTES + 1));
        for form in [compact, markdown, |envelope: &[u8]| String::from_utf8_lossy(envelope).into_owned()] {
            assert_eq!(decode(&form(&longest)), Ok(longest.clone()));
            assert_eq!(decode(&form(&too_long)), Err(Fault::TooLarge));
        }
        assert_eq!(decode(&" ".repeat(MAX_TEXT_BYTES + 1)), Err(Fault::TooLarge));
    }

    #[test]
    fn pieces_are_short_and_whole() {
        for (text, lengths) in [
            (String::new(), vec![0]),
            ("x".repeat(255), vec![255]),
            ("x".repeat(256), vec![255, 1]),
            ("ü".repeat(128), vec![254, 2]),
        ] {
            let pieces = txt_pieces(&text);
            assert_eq!(pieces.iter().map(String::len).collect::<Vec<_>>(), lengths);
            assert_eq!(pieces.concat(), text);
        }
    }
}
