//! The streams that the inbox needs, as nats/streams.json declares them, made at the first start.

use anyhow::{Context, Result, bail, ensure};
use async_nats::Client;
use kez_contract::inbox::{MAILBOXES, shard_subjects};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::config::Settings;
use crate::rules;

/// The stream of cursors.
pub const CURSORS: &str = "KEZ_CURSOR";

const DECLARED: &str = include_str!("../../../nats/streams.json");
/// How many streams there are stands in each of them, so that no start can choose another number.
const STREAMS_KEY: &str = "kez-inbox-streams";
/// "stream name already in use with a different configuration".
const DIFFERENT_CONFIGURATION: u64 = 10058;
const NOT_FOUND: u64 = 10059;

/// The name of the `n`th mailbox stream.
pub fn mailboxes(n: u16) -> String {
    format!("KEZ_INBOX_{n}")
}

/// Makes the streams, or checks that they are as they should be.
pub async fn prepare(nats: &Client, settings: &Settings) -> Result<()> {
    let declared: Map<String, Value> = serde_json::from_str(DECLARED).context("nats/streams.json")?;
    check_number(nats, settings.inbox_streams).await?;
    for n in 0..settings.inbox_streams {
        let mut config = declared.get("inbox").cloned().context("nats/streams.json: no inbox")?;
        config["name"] = mailboxes(n).into();
        config["subjects"] = subjects(n, settings.inbox_streams).into();
        config["max_msgs_per_subject"] = settings.mailbox_messages.get().into();
        config["num_replicas"] = settings.stream_replicas.into();
        config["metadata"] = json!({ STREAMS_KEY: settings.inbox_streams.to_string() });
        put(nats, &config).await?;
    }
    // Another replica may have made them at the same moment, and may have been told another number.
    check_number(nats, settings.inbox_streams).await?;
    let mut config = declared.get("cursor").cloned().context("nats/streams.json: no cursor")?;
    config["name"] = CURSORS.into();
    config["num_replicas"] = settings.stream_replicas.into();
    put(nats, &config).await
}

fn subjects(n: u16, streams: u16) -> Vec<String> {
    match streams {
        1 => vec![MAILBOXES.to_owned()],
        _ => rules::shards_of(n, streams).map(shard_subjects).collect(),
    }
}

async fn check_number(nats: &Client, wanted: u16) -> Result<()> {
    let reply = api(nats, &format!("STREAM.INFO.{}", mailboxes(0)), &json!({})).await?;
    if let Some(error) = reply.error {
        ensure!(error.err_code == NOT_FOUND, "cannot look at the mailbox streams: {}", error.description);
        return Ok(());
    }
    let stands = reply.config.metadata.get(STREAMS_KEY).and_then(Value::as_str).unwrap_or("1");
    if stands != wanted.to_string() {
        bail!(
            "mail is spread over {stands} streams here, and KEZ_INBOX_STREAMS says {wanted}: a cursor is a stream's \
             sequence, so the number cannot change. Set KEZ_INBOX_STREAMS={stands}, or start with an empty NATS store"
        );
    }
    Ok(())
}

async fn put(nats: &Client, config: &Value) -> Result<()> {
    let name = config["name"].as_str().unwrap_or_default();
    let mut reply = api(nats, &format!("STREAM.CREATE.{name}"), config).await?;
    if reply.error.as_ref().is_some_and(|error| error.err_code == DIFFERENT_CONFIGURATION) {
        reply = api(nats, &format!("STREAM.UPDATE.{name}"), config).await?;
    }
    match reply.error {
        Some(error) => bail!("the stream {name} cannot be made: {}", error.description),
        None => Ok(()),
    }
}

async fn api(nats: &Client, call: &str, body: &Value) -> Result<ApiReply> {
    let reply = nats
        .request(format!("$JS.API.{call}"), serde_json::to_vec(body)?.into())
        .await
        .context("JetStream does not answer: is it enabled for the account MESH?")?;
    Ok(serde_json::from_slice(&reply.payload)?)
}

#[derive(Deserialize)]
struct ApiReply {
    error: Option<ApiError>,
    #[serde(default)]
    config: StreamConfig,
}

#[derive(Deserialize)]
struct ApiError {
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize, Default)]
struct StreamConfig {
    #[serde(default)]
    metadata: Map<String, Value>,
}
