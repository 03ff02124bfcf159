//! What the tables say of one chain.

use std::collections::BTreeMap;

use crate::ledger::Known;

/// A chain's state, as rows hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub primary: String,
    /// Events that it has come from; of two snapshots the one with more is newer.
    pub length: i64,
    /// Empty while there is no event.
    pub head: String,
    pub successor: Option<String>,
    /// Active claims, each with the stream's sequence of its event.
    pub claims: BTreeMap<String, i64>,
    /// Active devices, each with its name.
    pub devices: BTreeMap<String, String>,
}

impl Snapshot {
    pub fn of(known: &Known) -> Self {
        let chain = known.chain();
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Self {
            primary: known.primary().to_string(),
            length: number(chain.length()),
            head: chain.head().unwrap_or_default(),
            successor: chain.successor().map(|successor| successor.identifier()),
            claims: known
                .claims()
                .map(|(subject, sequence)| (subject.as_str().to_owned(), number(sequence)))
                .collect(),
            devices: chain.devices().map(|(key, name)| (key.identifier(), name.to_owned())).collect(),
        }
    }
}
