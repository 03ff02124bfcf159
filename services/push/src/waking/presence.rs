//! Who is connected, as the broker tells it: every connection that begins or ends, and now and then all that there are.
//!
//! What is told may be wrong for a while, since news get lost. Whoever believes that somebody is connected asks again
//! (`held`); whoever believes wrongly that somebody is not makes one push too many.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_nats::Message;
use kez_contract::sign_in::{is_waking_connection, whose_connection};
use kez_service::connections::Connection;
use serde::Deserialize;

/// How the broker says that the client itself has ended its connection.
const CLOSED_BY_CLIENT: &str = "Client Closed";
/// So many lists in a row have to stay away before nothing counts as known: the broker answers a list that is asked for at a
/// bad moment too late.
const LOST_LISTS: u32 = 3;

/// What is known of who is connected.
#[derive(Default)]
pub struct Presence {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whose connection it is, by server and number.
    connections: HashMap<(String, u64), String>,
    /// How many connections people have.
    people: HashMap<String, u32>,
    /// Whether a list has ever come, and not too many that were asked for since then have stayed away.
    known: bool,
    /// Lists that were asked for since the last one that has come.
    lost: u32,
    /// What has happened while a list was on its way.
    meanwhile: Option<Vec<Change>>,
}

/// A connection began or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    connection: (String, u64),
    pub primary: String,
    pub ended: Option<End>,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    ByClient,
    /// It broke, perhaps some time before the broker noticed.
    Otherwise,
}

impl Presence {
    /// Takes note of a change.
    pub fn note(&self, change: Change) {
        let mut state = self.lock();
        if let Some(meanwhile) = &mut state.meanwhile {
            meanwhile.push(change.clone());
        }
        state.apply(change);
    }

    /// Whether somebody has a connection, as far as is known.
    pub fn is_online(&self, primary: &str) -> bool {
        let state = self.lock();
        state.known && state.people.contains_key(primary)
    }

    /// A list is about to be asked for: what happens from now on is not in it for sure.
    pub fn begin_list(&self) {
        self.lock().meanwhile = Some(Vec::new());
    }

    /// Whether anything is known of anybody.
    pub fn is_known(&self) -> bool {
        self.lock().known
    }

    /// The list has come, or none did. Answers whether that decides on anybody: one that stays away does not, and what the
    /// news said stays, until it is one too many; then nothing is known.
    pub fn end_list(&self, list: Option<Vec<Connection>>) -> bool {
        let mut state = self.lock();
        let meanwhile = state.meanwhile.take().unwrap_or_default();
        let Some(list) = list else {
            state.lost = state.lost.saturating_add(1);
            state.known &= state.lost < LOST_LISTS;
            return state.lost >= LOST_LISTS;
        };
        (state.known, state.lost) = (true, 0);
        state.connections.clear();
        state.people.clear();
        for connection in list {
            if is_waking_connection(&connection.name) {
                continue;
            }
            let primary = whose_connection(&connection.name).0.to_owned();
            let connection = (connection.server_id, connection.cid);
            state.apply(Change { connection, primary, ended: None });
        }
        for change in meanwhile {
            state.apply(change);
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn apply(&mut self, change: Change) {
        let before = match change.ended {
            None => {
                *self.people.entry(change.primary.clone()).or_default() += 1;
                self.connections.insert(change.connection, change.primary)
            }
            Some(_) => self.connections.remove(&change.connection),
        };
        let Some(before) = before else { return };
        if let Some(number) = self.people.get_mut(&before) {
            *number -= 1;
            if *number == 0 {
                self.people.remove(&before);
            }
        }
    }
}

impl Change {
    /// Reads what the broker says when a connection of a person begins or ends; none for a connection at which nobody sits.
    pub fn read(message: &Message) -> Option<Self> {
        let told: Told = serde_json::from_slice(&message.payload).ok()?;
        if told.client.user.is_empty() || is_waking_connection(&told.client.user) {
            return None;
        }
        let ended = told.reason.map(|reason| match reason.as_str() {
            CLOSED_BY_CLIENT => End::ByClient,
            _ => End::Otherwise,
        });
        let primary = whose_connection(&told.client.user).0.to_owned();
        Some(Self { connection: (told.server.id, told.client.id), primary, ended })
    }
}

/// An event of the broker's (`io.nats.server.advisory.v1.client_connect`, `…_disconnect`). Where the client is stands in it,
/// too, and is not read.
#[derive(Deserialize)]
struct Told {
    server: Server,
    client: Client,
    /// Of an end alone.
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Server {
    id: String,
}

#[derive(Deserialize)]
struct Client {
    id: u64,
    #[serde(default)]
    user: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(cid: u64, name: &str, ended: Option<End>) -> Change {
        let primary = whose_connection(name).0.to_owned();
        Change { connection: ("S".to_owned(), cid), primary, ended }
    }

    fn list(connections: &[(u64, &str)]) -> Option<Vec<Connection>> {
        let connection = |(cid, name): &(u64, &str)| Connection {
            server_id: "S".to_owned(),
            cid: *cid,
            name: (*name).to_owned(),
        };
        Some(connections.iter().map(connection).collect())
    }

    fn listed(connections: &[(u64, &str)]) -> Presence {
        let presence = Presence::default();
        presence.begin_list();
        presence.end_list(list(connections));
        presence
    }

    #[test]
    fn without_a_list_nobody_is_online() {
        let presence = Presence::default();
        presence.note(change(1, "alice", None));
        assert!(!presence.is_online("alice"));
        presence.begin_list();
        assert!(presence.end_list(list(&[(1, "alice")])));
        assert!(presence.is_online("alice"));
    }

    #[test]
    fn a_list_that_stays_away_decides_on_nobody_until_it_is_one_too_many() {
        let presence = Presence::default();
        for lost in 1..=LOST_LISTS {
            presence.begin_list();
            assert_eq!(presence.end_list(None), lost == LOST_LISTS);
            assert!(!presence.is_known());
        }
        // One that comes makes up for all that were lost.
        for _ in 0..2 {
            presence.begin_list();
            presence.end_list(list(&[(1, "alice")]));
            for _ in 1..LOST_LISTS {
                presence.begin_list();
                presence.note(change(2, "bob", None));
                assert!(!presence.end_list(None));
                assert!(presence.is_known() && presence.is_online("alice") && presence.is_online("bob"));
            }
        }
        presence.begin_list();
        assert!(presence.end_list(None));
        assert!(!presence.is_known() && !presence.is_online("alice") && !presence.is_online("bob"));
    }

    #[test]
    fn whoever_has_a_connection_left_is_online() {
        let presence = listed(&[(1, "alice.phone")]);
        presence.note(change(2, "alice.desk", None));
        presence.note(change(1, "alice.phone", Some(End::ByClient)));
        assert!(presence.is_online("alice"));
        presence.note(change(2, "alice.desk", Some(End::Otherwise)));
        assert!(!presence.is_online("alice"));
    }

    #[test]
    fn news_that_come_twice_count_once() {
        let presence = listed(&[(1, "alice")]);
        presence.note(change(1, "alice", None));
        presence.note(change(1, "alice", Some(End::ByClient)));
        assert!(!presence.is_online("alice"));
        presence.note(change(1, "alice", Some(End::ByClient)));
        presence.note(change(2, "alice", None));
        assert!(presence.is_online("alice"));
    }

    #[test]
    fn what_happens_while_a_list_is_on_its_way_is_newer() {
        let presence = listed(&[]);
        presence.begin_list();
        presence.note(change(1, "alice", Some(End::ByClient)));
        presence.note(change(2, "bob", None));
        presence.end_list(list(&[(1, "alice")]));
        assert!(!presence.is_online("alice"));
        assert!(presence.is_online("bob"));
    }

    #[test]
    fn a_list_knows_better() {
        let presence = listed(&[(1, "alice")]);
        presence.begin_list();
        presence.end_list(list(&[(2, "bob")]));
        assert!(!presence.is_online("alice"));
        assert!(presence.is_online("bob"));
    }
}
