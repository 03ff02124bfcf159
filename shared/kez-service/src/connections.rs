//! Who is connected as a person, as the broker knows it: `CONNZ` of the account EDGE.
//!
//! Every server of the broker answers for itself, and nobody knows how many there are: what is found is given as it comes.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::{Client, Message};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use kez_contract::sign_in::CONNECTIONS;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

/// Servers that have not answered after this long are not waited for.
pub const ANSWERS: Duration = Duration::from_millis(500);
/// Connections that a server lists in one answer: about 450 bytes each.
const PAGE: usize = 1024;
/// Why nothing is known of connections.
pub const NOBODY: &str = "the broker does not say who is connected";
/// Of a single name it lists more, since the next page could be asked for only when no other server is waited for any more.
const PAGE_OF_ONE: usize = 16 * PAGE;
/// Connections that two pages have in common, which shows that nobody is missing between them.
const OVERLAP: usize = 64;

/// Asks the broker; for those whom it lets ask.
#[derive(Clone)]
pub struct Connections {
    nats: Client,
}

/// One connection of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    pub server_id: String,
    /// Its number on that server.
    pub cid: u64,
    /// As the answer to its sign-in has named it.
    pub name: String,
}

/// Connections of one name, on one server.
pub struct Named {
    pub connections: Vec<Connection>,
    /// Whether there may be more than are listed.
    pub more: bool,
}

impl Connections {
    pub fn new(nats: &Client) -> Self {
        Self { nats: nats.clone() }
    }

    /// The connections of one name, server by server as they answer.
    pub async fn named(&self, name: &str) -> Result<impl Stream<Item = Named> + Unpin + use<>> {
        let asked = Listing { user: Some(name), limit: PAGE_OF_ONE, ..Listing::default() };
        let pages = self.list(&asked).await?;
        Ok(pages
            .map(|page| Named { more: page.connections.len() == PAGE_OF_ONE, connections: page.connections }))
    }

    /// Everybody's connections, server by server as they answer.
    pub async fn by_server(&self) -> Result<impl Stream<Item = Result<Vec<Connection>>> + Unpin + use<'_>> {
        let first_pages = self.list(&Listing::default()).await?;
        Ok(Box::pin(first_pages.then(|page| self.all_of_server(page))))
    }

    /// Everybody's connections on every server.
    pub async fn all(&self) -> Result<Vec<Connection>> {
        let by_server: Vec<_> = self.by_server().await?.try_collect().await?;
        ensure!(!by_server.is_empty(), NOBODY);
        Ok(by_server.concat())
    }

    /// A server lists connections in the order in which they were made, so what ends meanwhile moves up those behind it: a
    /// page that does not begin with one that is known already is asked for again from further up.
    async fn all_of_server(&self, first: Page) -> Result<Vec<Connection>> {
        let (server, mut found) = (first.server, first.connections);
        let mut more = found.len() == PAGE;
        let (mut offset, mut overlap) = (PAGE, OVERLAP);
        while more {
            let start = offset.saturating_sub(overlap);
            let asked = Listing {
                offset: start,
                server_name: Some(&server),
                exact_match: true,
                ..Listing::default()
            };
            let page = self.list(&asked).await?.next().await;
            let page = page.context("a server of the broker does not say who else is connected")?.connections;
            let last = found.last().map_or(0, |last| last.cid);
            if start > 0 && page.first().is_none_or(|first| first.cid > last) {
                overlap *= 2;
                continue;
            }
            more = page.len() == PAGE;
            found.extend(page.into_iter().filter(|connection| connection.cid > last));
            (offset, overlap) = (start + PAGE, OVERLAP);
        }
        Ok(found)
    }

    /// Asks every server, and gives their answers as they come.
    async fn list(&self, asked: &Listing<'_>) -> Result<impl Stream<Item = Page> + Unpin + use<>> {
        let inbox = self.nats.new_inbox();
        let answers = self.nats.subscribe(inbox.clone()).await?;
        let body = serde_json::to_vec(asked)?;
        self.nats.publish_with_reply(CONNECTIONS, inbox, body.into()).await?;
        let until = Instant::now() + ANSWERS;
        let pages = stream::unfold(answers, move |mut answers| async move {
            let answer = timeout_at(until, answers.next()).await.ok()??;
            Some((read(&answer), answers))
        });
        Ok(Box::pin(pages.filter_map(std::future::ready)))
    }
}

/// One server's answer; none if it is no list.
fn read(answer: &Message) -> Option<Page> {
    let Ok(Answer { server, data: Some(data) }) = serde_json::from_slice(&answer.payload) else {
        tracing::error!("a server of the broker refuses to say who is connected");
        return None;
    };
    let connections = data.connections.into_iter().map(|listed| Connection {
        server_id: server.id.clone(),
        cid: listed.cid,
        name: listed.authorized_user,
    });
    Some(Page { connections: connections.collect(), server: server.name })
}

/// A part of what one server lists.
struct Page {
    server: String,
    connections: Vec<Connection>,
}

/// What is asked of `CONNZ`.
#[derive(Serialize)]
struct Listing<'a> {
    /// Otherwise it does not say whose connections they are.
    auth: bool,
    limit: usize,
    offset: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_name: Option<&'a str>,
    /// Or every server whose name begins so would answer.
    exact_match: bool,
}

impl Default for Listing<'_> {
    fn default() -> Self {
        Self { auth: true, limit: PAGE, offset: 0, user: None, server_name: None, exact_match: false }
    }
}

#[derive(Deserialize)]
struct Answer {
    server: Server,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Server {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    connections: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    cid: u64,
    #[serde(default)]
    authorized_user: String,
}
