//! Streams: declared in nats/streams.json, made at the first start, and read without a consumer but for one.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use async_nats::{Client, Message};
use futures_util::StreamExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::Fault;

const DECLARED: &str = include_str!("../../../nats/streams.json");
/// "stream name already in use with a different configuration".
const DIFFERENT_CONFIGURATION: u64 = 10058;
const NOT_FOUND: u64 = 10059;
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// The configuration of a stream as nats/streams.json has it under `key`, for a stream of that name.
pub fn declared(key: &str, name: &str) -> Result<Value> {
    let declared: Map<String, Value> = serde_json::from_str(DECLARED).context("nats/streams.json")?;
    let mut config = declared.get(key).cloned().with_context(|| format!("nats/streams.json: no {key}"))?;
    config["name"] = name.into();
    Ok(config)
}

/// Makes the stream of that configuration, or brings it up to date.
pub async fn prepare(nats: &Client, config: &Value) -> Result<()> {
    let name = config["name"].as_str().unwrap_or_default();
    let mut reply: ApiReply = api(nats, &format!("STREAM.CREATE.{name}"), config).await?;
    if reply.error.as_ref().is_some_and(|error| error.err_code == DIFFERENT_CONFIGURATION) {
        reply = api(nats, &format!("STREAM.UPDATE.{name}"), config).await?;
    }
    match reply.error {
        Some(error) => bail!("the stream {name} cannot be made: {}", error.description),
        None => Ok(()),
    }
}

/// Makes the durable consumer of that configuration and name on a stream, or brings it up to date.
pub async fn prepare_consumer(nats: &Client, stream: &str, config: &Value) -> Result<()> {
    let name = config["name"].as_str().unwrap_or_default();
    let body = json!({ "stream_name": stream, "config": config });
    let reply: ApiReply = api(nats, &format!("CONSUMER.CREATE.{stream}.{name}"), &body).await?;
    match reply.error {
        Some(error) => bail!("the consumer {name} of {stream} cannot be made: {}", error.description),
        None => Ok(()),
    }
}

/// The metadata of a stream; none while there is no such stream.
pub async fn metadata(nats: &Client, name: &str) -> Result<Option<Map<String, Value>>> {
    let reply: ApiReply = api(nats, &format!("STREAM.INFO.{name}"), &json!({})).await?;
    match reply.error {
        Some(error) if error.err_code == NOT_FOUND => Ok(None),
        Some(error) => bail!("cannot look at the stream {name}: {}", error.description),
        None => Ok(Some(reply.config.metadata)),
    }
}

/// Asks JetStream: a call of its API, named without what all of them begin with.
pub async fn api<Reply: DeserializeOwned>(nats: &Client, call: &str, body: &Value) -> Result<Reply> {
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

/// What a direct get has found.
pub struct Read {
    pub messages: Vec<Message>,
    /// How many more there are.
    pub pending: u64,
}

/// A batched direct get (ADR-31): messages until the server says that there are no more. Any replica of the stream may
/// answer, also one that has not heard of the latest messages.
pub async fn direct_get(nats: &Client, stream: &str, request: &Value) -> Result<Read, Fault> {
    let inbox = nats.new_inbox();
    let mut replies = nats.subscribe(inbox.clone()).await?;
    let subject = format!("$JS.API.DIRECT.GET.{stream}");
    nats.publish_with_reply(subject, inbox, serde_json::to_vec(request)?.into()).await?;
    let mut messages = Vec::new();
    loop {
        let reply = tokio::time::timeout(READ_TIMEOUT, replies.next()).await.map_err(|_| store_gone())?;
        let Some(message) = reply else { return Err(store_gone()) };
        match message.status.map(|status| status.as_u16()) {
            None => messages.push(message),
            Some(404) => return Ok(Read { messages, pending: 0 }),
            Some(204) => {
                let pending = header(&message, "Nats-Num-Pending").and_then(|n| n.parse().ok()).unwrap_or(0);
                return Ok(Read { messages, pending });
            }
            Some(503) => return Err(store_gone()),
            Some(other) => return Err(anyhow!("direct get was refused with {other}").into()),
        }
    }
}

/// The sequence of a message that a stream has stored: one that was read from it, or that it has republished.
pub fn sequence(message: &Message) -> Result<u64> {
    header(message, "Nats-Sequence")
        .and_then(|sequence| sequence.parse().ok())
        .context("a stored message has no sequence")
}

/// A header's text.
pub fn header<'m>(message: &'m Message, name: &str) -> Option<&'m str> {
    message.headers.as_ref().and_then(|headers| headers.get(name)).map(|value| value.as_str())
}

fn store_gone() -> Fault {
    Fault::unavailable("the store does not answer")
}
