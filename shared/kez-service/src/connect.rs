//! The connection of a service to the broker.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use async_nats::connection::State;
use async_nats::{Client, ConnectOptions, Event};
use bytes::Bytes;
use futures_util::StreamExt;

use crate::config::NatsConfig;

/// How long a broker may take to react.
const BROKER_PATIENCE: Duration = Duration::from_secs(2);

/// Connects as `service`, with replies on `_INBOX_<service>`, and keeps reconnecting for ever once it was connected.
pub async fn connect(service: &str, config: &NatsConfig) -> Result<Client> {
    let seed = read_seed(config)?;
    let name = service.to_owned();
    ConnectOptions::with_nkey(seed)
        .name(service)
        .custom_inbox_prefix(format!("_INBOX_{service}"))
        .ping_interval(Duration::from_secs(5))
        .request_timeout(Some(Duration::from_secs(5)))
        .subscription_capacity(64 * 1024)
        .client_capacity(8 * 1024)
        .reconnect_delay_callback(delay)
        .event_callback(move |event| {
            let service = name.clone();
            async move { report(&service, &event) }
        })
        .connect(servers(&config.url)?)
        .await
        .with_context(|| format!("cannot connect to NATS at {} (KEZ_NATS_URL)", config.url))
}

/// Waits until the broker has acted on everything that was said on this connection before: sends are with whom they are
/// for, subscriptions are in force or gone, and what came in for them has been handed over.
pub async fn settled(nats: &Client) -> Result<()> {
    ensure!(nats.connection_state() == State::Connected, "the broker is gone");
    let here = nats.new_inbox();
    let mut echo = nats.subscribe(here.clone()).await?;
    nats.publish(here, Bytes::new()).await?;
    match tokio::time::timeout(BROKER_PATIENCE, echo.next()).await {
        Ok(Some(_)) => Ok(()),
        _ => bail!("the broker does not answer"),
    }
}

/// Several URLs may be given, separated by commas.
fn servers(urls: &str) -> Result<Vec<async_nats::ServerAddr>> {
    urls.split(',')
        .map(|url| url.trim().parse().with_context(|| format!("KEZ_NATS_URL: {url} is not a NATS URL")))
        .collect()
}

fn read_seed(config: &NatsConfig) -> Result<String> {
    let path = config.seed_file.display();
    let seed = std::fs::read_to_string(&config.seed_file)
        .with_context(|| format!("cannot read the nkey seed in {path} (KEZ_NATS_SEED_FILE)"))?;
    let seed = seed.trim();
    ensure!(
        nkeys::KeyPair::from_seed(seed).is_ok(),
        "{path} (KEZ_NATS_SEED_FILE) does not hold an nkey seed"
    );
    Ok(seed.to_owned())
}

/// Back-off with jitter, so that a broker that comes back is not met by everyone at once.
fn delay(attempts: usize) -> Duration {
    let [jitter] = crate::random::bytes::<1>();
    let exponent = u32::try_from(attempts.min(6)).unwrap_or(6);
    Duration::from_millis((20 << exponent) + u64::from(jitter))
}

fn report(service: &str, event: &Event) {
    match event {
        Event::Connected => tracing::debug!(service, "connected to the broker"),
        Event::Disconnected => tracing::warn!(service, "the broker is gone; reconnecting"),
        Event::SlowConsumer(_) => tracing::error!(service, "messages were dropped: this replica is too slow"),
        // What it refused names a subject, and a subject may name a person.
        Event::ServerError(error) => {
            tracing::warn!(service, "the broker refused something");
            tracing::debug!(service, %error, "refused");
        }
        other => tracing::debug!(service, event = %other, "connection"),
    }
}
