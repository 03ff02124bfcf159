//! Claims that stand anywhere in a longer text, such as a README or a profile.

use serde::de::IgnoredAny;

use super::{COMPACT, INFO, MAX_ENVELOPE_BYTES, unfenced};
use crate::Fault;

/// The most claims that [`find`] looks at in one text.
pub const MAX_FOUND: usize = 64;

/// An envelope's members. JSON that begins with one of them is meant to be an envelope.
const MEMBERS: [&str; 3] = ["\"kez\"", "\"payload\"", "\"signature\""];

/// Every claim in a text, whatever stands around it: envelopes in JSON, compact texts and fences whose info string is
/// `kez`, in their order. What is meant to be one and is not is an error, so that "there but broken" is told apart from
/// "absent". Looks at the first [`MAX_FOUND`], each at most [`MAX_ENVELOPE_BYTES`] long.
pub fn find(text: &str) -> Vec<Result<Vec<u8>, Fault>> {
    let mut found = Vec::new();
    let mut rest = text;
    while found.len() < MAX_FOUND {
        let Some(next) = next(rest) else { break };
        found.push(next.envelope);
        rest = next.rest;
    }
    found
}

/// The inside of a text that is one fence with the info string `kez` and nothing else (`CommonMark` 4.5).
pub(super) fn whole_fence(text: &str) -> Option<&str> {
    let fence = Fence::open(text)?;
    let (inside, after) = fence.close()?;
    after.is_empty().then_some(inside)
}

/// Something that is meant to be a claim, and the text after it.
struct Found<'a> {
    envelope: Result<Vec<u8>, Fault>,
    rest: &'a str,
}

fn next(text: &str) -> Option<Found<'_>> {
    let fence = fence_start(text).map(|start| (start, fenced as fn(&str) -> Found<'_>));
    let compact = text.find(COMPACT).map(|start| (start, compact as fn(&str) -> Found<'_>));
    let object = object_start(text).map(|start| (start, object as fn(&str) -> Found<'_>));
    let (start, read) = [fence, compact, object].into_iter().flatten().min_by_key(|(start, _)| *start)?;
    text.get(start..).map(read)
}

/// Where the first line stands that opens a fence.
fn fence_start(text: &str) -> Option<usize> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if Fence::open(line).is_some() {
            return Some(start);
        }
        start += line.len();
    }
    None
}

/// Where the first object begins whose first member is an envelope's.
fn object_start(text: &str) -> Option<usize> {
    let is_envelope = |start: &usize| {
        let inside = text.get(start + 1..).unwrap_or_default().trim_start();
        MEMBERS.iter().any(|member| inside.starts_with(member))
    };
    text.match_indices('{').map(|(start, _)| start).find(is_envelope)
}

fn fenced(text: &str) -> Found<'_> {
    let fence = Fence::open(text).and_then(|fence| fence.close());
    // A fence that nobody closes goes on to the end.
    let first_line = text.find('\n').map_or(text.len(), |end| end + 1);
    let (inside, rest) = fence.unwrap_or((text.get(first_line..).unwrap_or_default(), ""));
    Found { envelope: unfenced(inside), rest }
}

fn compact(text: &str) -> Found<'_> {
    let is_inside = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    let after = text.get(COMPACT.len()..).unwrap_or_default();
    let length = after.find(|character| !is_inside(character)).unwrap_or(after.len());
    let (text, rest) = text.split_at_checked(COMPACT.len() + length).unwrap_or((text, ""));
    let is_short = text.len() <= 2 * MAX_ENVELOPE_BYTES;
    Found { envelope: if is_short { unfenced(text) } else { Err(Fault::TooLarge) }, rest }
}

fn object(text: &str) -> Found<'_> {
    let near = text.get(..text.floor_char_boundary(MAX_ENVELOPE_BYTES + 1)).unwrap_or_default();
    let mut values = serde_json::Deserializer::from_str(near).into_iter::<IgnoredAny>();
    let read = values.next();
    let length = values.byte_offset();
    match (read, text.split_at_checked(length)) {
        (Some(Ok(_)), Some((object, rest))) => Found { envelope: unfenced(object), rest },
        (read, _) => {
            let is_cut =
                near.len() < text.len() && read.is_some_and(|read| read.is_err_and(|error| error.is_eof()));
            let fault = if is_cut { Fault::TooLarge } else { Fault::Malformed };
            Found { envelope: Err(fault), rest: text.get(1..).unwrap_or_default() }
        }
    }
}

/// An opened fence: how it is to be closed, and all that follows its first line.
struct Fence<'a> {
    mark: char,
    length: usize,
    rest: &'a str,
}

impl<'a> Fence<'a> {
    /// Opens the fence with which the text begins, if its info string is `kez`.
    fn open(text: &'a str) -> Option<Self> {
        let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
        let (mark, length, info) = marks(line)?;
        (length >= 3 && info.trim() == INFO).then_some(Self { mark, length, rest })
    }

    /// What stands in the fence, and what after the line that closes it; none if no line does.
    fn close(&self) -> Option<(&'a str, &'a str)> {
        let mut end = 0;
        for line in self.rest.split_inclusive('\n') {
            let next = end + line.len();
            let closes = marks(line).is_some_and(|(mark, length, info)| {
                mark == self.mark && length >= self.length && info.trim().is_empty()
            });
            if closes {
                return self.rest.get(..end).zip(self.rest.get(next..));
            }
            end = next;
        }
        None
    }
}

/// The mark that a line repeats after at most three spaces, how often, and the text after it.
fn marks(line: &str) -> Option<(char, usize, &str)> {
    let unindented = line.trim_start_matches(' ');
    let mark = unindented.chars().next().filter(|mark| "`~".contains(*mark))?;
    let info = unindented.trim_start_matches(mark);
    (line.len() - unindented.len() <= 3).then_some((mark, unindented.len() - info.len(), info))
}

#[cfg(test)]
mod tests {
    use super::super::{compact, markdown};
    use super::*;

    const ENVELOPE: &str = r#"{"kez":"claim","payload":{"a":"b } c"},"signature":{"sig":""}}"#;

    fn found(text: &str) -> Vec<Result<String, Fault>> {
        find(text)
            .into_iter()
            .map(|found| found.map(|envelope| String::from_utf8(envelope).unwrap()))
            .collect()
    }

    #[test]
    fn finds_claims_wherever_they_stand() {
        let (compact, fence) = (compact(ENVELOPE.as_bytes()), markdown(ENVELOPE.as_bytes()));
        let pretty = "{\n \"signature\": {\"sig\": \"\"},\n \"kez\": \"claim\", \"payload\": {}\n}";
        for text in [
            ENVELOPE,
            &compact,
            &fence,
            &format!("Hello {{world}} — my claim: {ENVELOPE}."),
            &format!("<p>{compact}</p>"),
            &format!("see (kez {compact}), thank you"),
            &format!("# Me\n\n```rust\nfn main() {{}}\n```\n\n{fence}\nbye"),
            &format!("```json\n{ENVELOPE}\n```"),
            &format!("> ```kez\n> {ENVELOPE}\n> ```"),
            &format!("```kez {compact} ```"),
            &format!("~~~kez\n{compact}\n"),
        ] {
            assert_eq!(found(text), [Ok(ENVELOPE.to_owned())], "{text}");
        }
        let all = format!("{fence}{compact} {ENVELOPE}{pretty}\n{fence}");
        let claim = || Ok(ENVELOPE.to_owned());
        assert_eq!(found(&all), [claim(), claim(), claim(), Ok(pretty.into()), claim()]);
    }

    #[test]
    fn tells_broken_from_absent() {
        for text in ["", "hello", "{\"a\":1}", "kez:", "kez:z2:abc", "```kezx\n1\n```", "{", "{ \"ke\": 1 }"]
        {
            assert_eq!(found(text), [], "{text}");
        }
        let cut = ENVELOPE.get(..40).unwrap();
        for text in
            ["kez:z1:", "kez:z1:abc", "```kez\nhello\n```", "```kez\n```", "```kez", cut, "{\"kez\":1.5}"]
        {
            assert_eq!(found(text), [Err(Fault::Malformed)], "{text}");
        }
        let broken = format!("{cut} {ENVELOPE}");
        assert_eq!(found(&broken), [Err(Fault::Malformed), Ok(ENVELOPE.to_owned())]);
    }

    #[test]
    fn is_bounded_in_number_and_size() {
        assert_eq!(found(&format!("{ENVELOPE} ").repeat(MAX_FOUND + 1)).len(), MAX_FOUND);
        assert_eq!(found(&"{\"kez\":".repeat(100_000)).len(), MAX_FOUND);
        assert_eq!(found(&"{ ".repeat(500_000)), []);
        let long = format!("{{\"kez\":\"{}\"}}", "ü".repeat(MAX_ENVELOPE_BYTES));
        let endless = format!("kez:z1:{}", "A".repeat(1_000_000));
        let fence = format!("```kez\n{long}\n```\n");
        for text in [&long, &endless, &fence, &compact(long.as_bytes())] {
            assert_eq!(found(text), [Err(Fault::TooLarge)]);
        }
    }
}
