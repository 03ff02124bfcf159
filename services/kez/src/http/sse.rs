//! Server-sent events, as far as a mailbox's stream uses them: `id`, `data`, comments (WHATWG HTML, section 9.2).

/// Reads events from bytes as they come, however they are cut.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// A line that has not ended yet.
    rest: Vec<u8>,
    id: Option<String>,
    data: Vec<String>,
}

/// One event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) id: Option<String>,
    pub(super) data: String,
}

impl Events {
    /// The events that end in these bytes.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for byte in bytes {
            if *byte != b'\n' {
                self.rest.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.rest);
            let line = String::from_utf8_lossy(&line);
            events.extend(self.line(line.strip_suffix('\r').unwrap_or(&line)));
        }
        events
    }

    /// How much of an unfinished event is held.
    pub(super) fn held(&self) -> usize {
        self.rest.len() + self.data.iter().map(String::len).sum::<usize>()
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            let id = self.id.take();
            return (!data.is_empty()).then(|| Event { id, data: data.join("\n") });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.id = Some(value.to_owned()),
            "data" => self.data.push(value.to_owned()),
            // A comment keeps the connection alive.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STREAM: &[u8] =
        b": hello\n\nid: 7\ndata: {\"a\":1}\n\nevent: mail\nid:8\r\ndata:x\r\ndata: y\r\n\r\n: bye\n\n";

    fn events() -> Vec<Event> {
        let event = |id: &str, data: &str| Event { id: Some(id.to_owned()), data: data.to_owned() };
        vec![event("7", "{\"a\":1}"), event("8", "x\ny")]
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(cuts in prop::collection::vec(0..STREAM.len(), 0..6)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut reader = Events::default();
            let mut found = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([STREAM.len()]) {
                found.extend(reader.read(&STREAM[from..cut]));
                from = cut;
            }
            prop_assert_eq!(found, events());
            prop_assert_eq!(reader.held(), 0);
        }
    }
}
