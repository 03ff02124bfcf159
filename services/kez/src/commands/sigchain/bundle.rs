//! Events in a file: one a line, packed, or a single one however it is laid out.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use kez_contract::Document;
use kez_contract::sigchain::MAX_EVENT;
use kez_crypto::chain::MAX_EVENTS;
use kez_crypto::{Fault, Primary, bundle, json};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::chains::ChainFault;
use crate::failure::{Exit, Failure};

/// No chain is longer.
const LONGEST: u64 = MAX_EVENTS * (MAX_EVENT as u64 + 1);

/// The events in a file, or on standard input when it is called `-`. Nothing of them is verified.
pub(super) fn events(path: &Path) -> Result<Vec<Document>, Failure> {
    let unreadable = |error: std::io::Error| {
        let exit = if error.kind() == std::io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Failed };
        Failure::new(exit, "failed", format!("cannot read {}: {error}", path.display()))
    };
    let mut content = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().take(LONGEST + 1).read_to_end(&mut content)
    } else {
        File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut content))
    };
    read.map_err(unreadable)?;
    let events = parse(&content)?;
    if events.is_empty() {
        return Err(Failure::new(Exit::Failed, "malformed", "there are no events in it"));
    }
    Ok(events)
}

/// Whose chain the first event says it begins.
pub(super) fn owner(events: &[Document]) -> Result<Primary, ChainFault> {
    let broken = |fault| ChainFault::Broken { seq: 0, fault };
    let first = events.first().ok_or_else(|| broken(Fault::Malformed))?;
    let event = json::parse(first.get().as_bytes()).map_err(broken)?;
    let primary = event.pointer("/payload/primary").and_then(Value::as_str).unwrap_or_default();
    Primary::parse(primary).map_err(broken)
}

fn parse(content: &[u8]) -> Result<Vec<Document>, Failure> {
    if content.len() as u64 > LONGEST {
        return Err(Failure::new(Exit::Failed, Fault::TooLarge.code(), "no sigchain is as long as this"));
    }
    let is_one = content.len() <= MAX_EVENT && json::parse(content).is_ok_and(|event| event.is_object());
    let lines = if is_one { Ok(vec![content.to_vec()]) } else { bundle::read(content) };
    let lines = lines.map_err(|fault| Failure::new(Exit::Failed, fault.code(), fault.to_string()))?;
    let event = |(seq, line): (usize, Vec<u8>)| {
        let event = String::from_utf8(line).ok().and_then(|line| RawValue::from_string(line).ok());
        event.ok_or_else(|| ChainFault::Broken { seq: seq as u64, fault: Fault::Malformed }.into())
    };
    lines.into_iter().enumerate().map(event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::tests::{alice, claiming};

    #[test]
    fn a_bundle_is_read_in_every_form() {
        let chain = claiming(&["a", "b"]);
        let texts: Vec<&str> = chain.events().iter().map(|event| event.get()).collect();
        let lines = bundle::to_lines(&texts);
        let packed = bundle::pack(&lines).unwrap();
        for content in [lines.clone(), packed.clone().into_bytes(), format!("{packed}\n").into_bytes()] {
            let read = parse(&content).unwrap();
            assert_eq!(read.iter().map(|event| event.get()).collect::<Vec<_>>(), texts);
            assert_eq!(owner(&read), Ok(alice().public().into()));
        }
        let event: Value = serde_json::from_str(texts[0]).unwrap();
        let laid_out = serde_json::to_string_pretty(&event).unwrap();
        assert_eq!(parse(laid_out.as_bytes()).unwrap().len(), 1);
    }

    #[test]
    fn what_is_not_a_bundle_is_told_by_its_place() {
        let chain = claiming(&["a"]);
        let broken = format!("{}\nnonsense\n", chain.events()[0].get());
        let failure = parse(broken.as_bytes()).unwrap_err();
        assert_eq!((failure.code, failure.exit), ("malformed", Exit::Failed));
        assert!(failure.message.contains("event 1"), "{failure}");
        assert!(parse(b"kez:zc1:nonsense").is_err());
    }
}
