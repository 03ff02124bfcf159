//! What is announced without being asked: live mail and public facts.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::{Document, registry::Record};

/// A subject on which something is announced, one subject a person.
pub struct Event<Body> {
    pattern: &'static str,
    body: PhantomData<fn() -> Body>,
}

impl<Body> Event<Body> {
    pub const fn new(pattern: &'static str) -> Self {
        Self { pattern, body: PhantomData }
    }

    /// The subject with its wildcard: everybody's.
    pub const fn pattern(&self) -> &'static str {
        self.pattern
    }

    /// The subject of one person (64 lower-case hex digits).
    pub fn subject(&self, primary: &str) -> String {
        format!("{}{primary}", self.pattern.trim_end_matches('*'))
    }

    /// Whose subject this is, when it is one of this event's.
    pub fn owner<'s>(&self, subject: &'s str) -> Option<&'s str> {
        subject.strip_prefix(self.pattern.trim_end_matches('*')).filter(|owner| !owner.contains('.'))
    }
}

/// A sealed message, the moment it is stored: the stored bytes, republished by the stream itself with the headers
/// `Nats-Sequence` (its own sequence) and `Nats-Last-Sequence` (that of the message before it in the same mailbox, 0
/// for the first). At most once: who finds a gap fetches.
pub const LIVE: Event<Document> = Event::new("kez.live.*");

/// A registration, a new profile, or that a handle has moved to a successor.
pub const REGISTRY_FEED: Event<RegistryFact> = Event::new("kez.feed.registry.*");

/// An event of any sigchain, the moment it is stored: the stored bytes, republished by the stream itself with the headers
/// `Nats-Sequence` and `Nats-Last-Sequence` (that of the event before it in the same chain). At most once, and readers
/// verify each.
pub const SIGCHAIN_FEED_ALL: &str = "kez.feed.sigchain.*.*";

/// The feed of one chain, whose primary is `<system>:<name>`.
pub fn sigchain_feed(system: &str, name: &str) -> String {
    format!("kez.feed.sigchain.{system}.{name}")
}

/// Every public feed: anyone signed in may follow them.
pub const FEED_ALL: &str = "kez.feed.>";

/// What the registry announces: `{"fact": "registered", "record", "envelope"}`, `{"fact": "rotated", "record", "envelope"}` or
/// `{"fact": "profile", "updated_at"}`. Readers verify the envelope, not the sender; of a profile, which may be long and is of
/// interest to few, they hear that there is another one and ask for it.
///
/// `rotated` stands under the key that has lost its handle, and holds the registration of the successor, who has it now; that
/// the two are one identity is said by the `rotate` event that ends the sigchain of the former.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case", try_from = "Announced")]
pub enum RegistryFact {
    Registered {
        record: Record,
        envelope: Document,
    },
    Rotated {
        record: Record,
        envelope: Document,
    },
    /// RFC 3339, UTC, whole seconds, as the profile says it.
    Profile {
        updated_at: String,
    },
}

/// A fact as it is read: serde cannot read the text of a [`Document`] inside an enum that is told by a member.
#[derive(Deserialize)]
struct Announced {
    fact: String,
    record: Option<Record>,
    envelope: Option<Document>,
    updated_at: Option<String>,
}

impl TryFrom<Announced> for RegistryFact {
    type Error = &'static str;

    fn try_from(announced: Announced) -> Result<Self, Self::Error> {
        let Announced { fact, record, envelope, updated_at } = announced;
        match (fact.as_str(), record, envelope, updated_at) {
            ("registered", Some(record), Some(envelope), None) => Ok(Self::Registered { record, envelope }),
            ("rotated", Some(record), Some(envelope), None) => Ok(Self::Rotated { record, envelope }),
            ("profile", None, None, Some(updated_at)) => Ok(Self::Profile { updated_at }),
            _ => Err("no fact that this version knows"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_name_their_owner() {
        assert_eq!(LIVE.subject("aa"), "kez.live.aa");
        assert_eq!(LIVE.owner("kez.live.aa"), Some("aa"));
        assert_eq!(LIVE.owner("kez.live.aa.bb"), None);
        assert_eq!(LIVE.owner("kez.feed.aa"), None);
    }

    #[test]
    fn facts_are_read_as_they_were_written() {
        let record =
            r#"{"handle":"a","fqhn":"a@b","primary":"c","sigchain_url":"d","registered_at":"e","proofs":[]}"#;
        for text in [
            r#"{"fact":"profile","updated_at":"2026-11-20T08:00:00Z"}"#.to_owned(),
            format!(r#"{{"fact":"registered","record":{record},"envelope":{{"n":1.0}}}}"#),
            format!(r#"{{"fact":"rotated","record":{record},"envelope":{{"n":2}}}}"#),
        ] {
            let fact: RegistryFact = serde_json::from_str(&text).unwrap();
            assert_eq!(serde_json::to_string(&fact).unwrap(), text);
        }
        for text in [
            r#"{"fact":"registered","envelope":{}}"#,
            r#"{"fact":"profile","envelope":{}}"#,
            r#"{"fact":"other","envelope":{}}"#,
            "{}",
        ] {
            assert!(serde_json::from_str::<RegistryFact>(text).is_err(), "{text}");
        }
    }
}
