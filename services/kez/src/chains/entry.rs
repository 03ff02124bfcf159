//! What an event says, for showing it: read without checking, which was done before.

use kez_contract::Document;
use serde::Serialize;
use serde_json::Value;

/// An event of a chain that was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub seq: u64,
    pub created_at: String,
    pub op: String,
    /// The account, device or successor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What a device is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Entry {
    pub fn read(event: &Document) -> Self {
        let event: Value = serde_json::from_str(event.get()).unwrap_or_default();
        let text = |path: &str| event.pointer(path).and_then(Value::as_str).map(str::to_owned);
        Self {
            seq: event.pointer("/payload/seq").and_then(Value::as_u64).unwrap_or_default(),
            created_at: text("/payload/created_at").unwrap_or_default(),
            op: text("/payload/op").unwrap_or_default(),
            subject: text("/payload/payload/subject")
                .or_else(|| text("/payload/payload/device"))
                .or_else(|| text("/payload/payload/successor")),
            name: text("/payload/payload/name"),
        }
    }

    /// Whether this version of Kez knows what it does.
    pub fn is_known(&self) -> bool {
        matches!(self.op.as_str(), "add" | "revoke" | "add_device" | "rotate")
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::claiming;
    use super::*;

    #[test]
    fn an_event_is_told() {
        let chain = claiming(&["a", "b"]);
        let told = Entry::read(&chain.events()[1]);
        assert_eq!((told.seq, told.op.as_str(), told.name.as_deref()), (1, "add", None));
        assert_eq!(
            (told.subject.as_deref(), told.created_at.as_str()),
            (Some("github:b"), "2027-01-15T08:00:00Z")
        );
        assert!(told.is_known());
    }
}
