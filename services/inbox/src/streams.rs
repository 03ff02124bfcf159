//! The streams that the inbox needs, as nats/streams.json declares them, made at the first start.

use anyhow::{Result, bail};
use async_nats::Client;
use kez_contract::inbox::{MAILBOXES, shard_subjects};
use kez_contract::push::CONSUMER;
use kez_service::streams;
use serde_json::{Value, json};

use crate::config::Settings;
use crate::rules;

/// The stream of cursors.
pub const CURSORS: &str = "KEZ_CURSOR";

/// How many streams there are stands in each of them, so that no start can choose another number.
const STREAMS_KEY: &str = "kez-inbox-streams";

/// The name of the `n`th mailbox stream.
pub fn mailboxes(n: u16) -> String {
    format!("KEZ_INBOX_{n}")
}

/// Makes the streams, or checks that they are as they should be.
pub async fn prepare(nats: &Client, settings: &Settings) -> Result<()> {
    check_number(nats, settings.inbox_streams).await?;
    for n in 0..settings.inbox_streams {
        let mut config = streams::declared("inbox", &mailboxes(n))?;
        config["subjects"] = subjects(n, settings.inbox_streams).into();
        config["max_msgs_per_subject"] = settings.mailbox_messages.get().into();
        config["num_replicas"] = settings.stream_replicas.into();
        config["metadata"] = json!({ STREAMS_KEY: settings.inbox_streams.to_string() });
        streams::prepare(nats, &config).await?;
        streams::prepare_consumer(nats, &mailboxes(n), &streams::declared(CONSUMER, CONSUMER)?).await?;
    }
    // Another replica may have made them at the same moment, and may have been told another number.
    check_number(nats, settings.inbox_streams).await?;
    let mut config = streams::declared("cursor", CURSORS)?;
    config["num_replicas"] = settings.stream_replicas.into();
    streams::prepare(nats, &config).await
}

fn subjects(n: u16, streams: u16) -> Vec<String> {
    match streams {
        1 => vec![MAILBOXES.to_owned()],
        _ => rules::shards_of(n, streams).map(shard_subjects).collect(),
    }
}

async fn check_number(nats: &Client, wanted: u16) -> Result<()> {
    let Some(metadata) = streams::metadata(nats, &mailboxes(0)).await? else { return Ok(()) };
    let stands = metadata.get(STREAMS_KEY).and_then(Value::as_str).unwrap_or("1");
    if stands != wanted.to_string() {
        bail!(
            "mail is spread over {stands} streams here, and KEZ_INBOX_STREAMS says {wanted}: a cursor is a stream's \
             sequence, so the number cannot change. Set KEZ_INBOX_STREAMS={stands}, or start with an empty NATS store"
        );
    }
    Ok(())
}
