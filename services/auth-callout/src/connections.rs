//! Ending connections: the broker's own `KICK`.

use anyhow::Result;
use async_nats::Client;
use futures_util::StreamExt;
use kez_contract::sign_in::disconnect;
use kez_service::connections::{Connection, Connections};
use serde::Serialize;

/// Ends all connections of that name; how many there were.
pub async fn end_all(nats: &Client, name: &str) -> Result<usize> {
    let mut ended = 0;
    loop {
        let mut servers = Connections::new(nats).named(name).await?;
        let mut more = false;
        while let Some(named) = servers.next().await {
            more |= named.more;
            ended += end(nats, named.connections).await?;
        }
        if !more {
            return Ok(ended);
        }
    }
}

/// Ends these connections; how many they were. Whoever ended one before us has done the same.
pub async fn end(nats: &Client, connections: Vec<Connection>) -> Result<usize> {
    for connection in &connections {
        let body = serde_json::to_vec(&Kick { cid: connection.cid })?;
        // The broker does it only for those who want an answer. Nobody waits for it: who is still there is found at the
        // next look.
        let answer = nats.new_inbox();
        nats.publish_with_reply(disconnect(&connection.server_id), answer, body.into()).await?;
    }
    Ok(connections.len())
}

#[derive(Serialize)]
struct Kick {
    cid: u64,
}
