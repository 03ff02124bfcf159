//! The link to the broker: opened once with a clear error, then kept for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::{Client as Nats, ConnectErrorKind, ConnectOptions, Event, ServerAddr};
use kez_contract::Problem;
use kez_contract::endpoint::rights;
use tokio::sync::{broadcast, watch};

use super::Connection;
use super::sign_in::{SignIn, Signer};

/// How long a new sign-in may take before it counts as an outage.
const SIGN_IN: Duration = Duration::from_secs(10);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectFault {
    #[error("{0} is not a NATS URL: it begins with nats://, tls://, ws:// or wss://")]
    Address(String),
    #[error("no server answers at {url}: {cause}")]
    Unreachable { url: String, cause: String },
    /// A broker tells nobody which of the two it was.
    #[error("the server at {0} refused this sign-in, or its sign-in service is not running")]
    Refused(String),
    #[error("a device signs in with a session: the plain way is for the identity's own key")]
    PlainDevice,
}

/// What is known of the link while it lives.
pub(super) struct Link {
    /// How often the connection was made.
    connects: watch::Sender<u64>,
    /// What the broker said that we may not do.
    violations: broadcast::Sender<String>,
    /// The next connect is the first one, or is asked for: it need not wait.
    at_once: AtomicBool,
}

/// Connects once, with this person's inbox for replies.
pub(super) async fn open(connection: &Connection) -> Result<(Nats, Arc<Link>), ConnectFault> {
    let servers = servers(&connection.url)?;
    if connection.sign_in == SignIn::Plain && connection.me.as_device().is_some() {
        return Err(ConnectFault::PlainDevice);
    }
    let [primary, device] = [connection.me.primary(), connection.me.key().public()].map(|key| key.to_hex());
    let signer = Arc::new(Signer::new(connection));
    let link = Arc::new(Link {
        connects: watch::Sender::new(0),
        violations: broadcast::Sender::new(64),
        at_once: AtomicBool::new(true),
    });
    let (waiting, told) = (link.clone(), link.clone());
    let nats = ConnectOptions::with_auth_callback(move |nonce| {
        let signer = signer.clone();
        async move { signer.answer(&nonce) }
    })
    .name("kez")
    .custom_inbox_prefix(rights::inbox_prefix(&primary, &device))
    .request_timeout(Some(super::PATIENCE))
    .ping_interval(Duration::from_secs(20))
    .reconnect_delay_callback(move |attempts| waiting.delay(attempts))
    .event_callback(move |event| {
        told.note(&event);
        std::future::ready(())
    })
    .connect(servers)
    .await
    .map_err(|error| fault(&connection.url, &error))?;
    // Followers look again after each connect; this first one is not one of those.
    let mut connects = link.connects.subscribe();
    if connects.wait_for(|count| *count > 0).await.is_err() {
        return Err(ConnectFault::Refused(connection.url.clone()));
    }
    Ok((nats, link))
}

impl Link {
    /// Changes whenever mail may have been missed: after each connect, and when this client was too slow.
    pub(super) fn disturbances(&self) -> watch::Receiver<u64> {
        self.connects.subscribe()
    }

    /// Ends when the broker says that this subject is not ours to use.
    pub(super) fn violation_of(&self, subject: &str) -> impl Future<Output = ()> + Send + use<> {
        let mut violations = self.violations.subscribe();
        let quoted = format!("\"{subject}\"");
        async move {
            loop {
                match violations.recv().await {
                    Ok(text) if text.contains(&quoted) => return,
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                }
            }
        }
    }

    pub(super) async fn reconnect(&self, nats: &Nats) -> Result<(), Problem> {
        let lost = |_| Problem::unavailable("the connection is closed");
        let mut connects = self.disturbances();
        let before = nats.statistics().connects.load(Ordering::Relaxed);
        self.at_once.store(true, Ordering::Relaxed);
        nats.force_reconnect().await.map_err(|_| Problem::unavailable("the connection is closed"))?;
        let renewed = connects.wait_for(|_| nats.statistics().connects.load(Ordering::Relaxed) > before);
        match tokio::time::timeout(SIGN_IN, renewed).await {
            Ok(renewed) => renewed.map(|_| ()).map_err(lost),
            Err(_) => Err(Problem::unavailable("the server does not let this connection sign in again")),
        }
    }

    fn delay(&self, attempts: usize) -> Duration {
        if self.at_once.swap(false, Ordering::Relaxed) { Duration::ZERO } else { delay(attempts) }
    }

    fn note(&self, event: &Event) {
        match event {
            Event::Connected | Event::SlowConsumer(_) => self.connects.send_modify(|count| *count += 1),
            // Nobody may be waiting for it.
            Event::ServerError(error) => drop(self.violations.send(error.to_string())),
            _ => {}
        }
    }
}

/// Back-off with jitter, so that a broker that comes back is not met by everyone at once: up to 8 s.
pub(super) fn delay(attempts: usize) -> Duration {
    let exponent = u32::try_from(attempts.min(6)).unwrap_or(6);
    let longest = 125_u64 << exponent;
    let jitter = u64::from(u16::from_le_bytes(kez_service::random::bytes()));
    Duration::from_millis(longest / 4 + jitter * (longest - longest / 4) / u64::from(u16::MAX))
}

fn servers(urls: &str) -> Result<Vec<ServerAddr>, ConnectFault> {
    let parse = |url: &str| {
        let known = ["nats://", "tls://", "ws://", "wss://"].iter().any(|scheme| url.starts_with(scheme));
        url.parse().ok().filter(|_| known).ok_or_else(|| ConnectFault::Address(url.to_owned()))
    };
    urls.split(',').map(str::trim).map(parse).collect()
}

fn fault(url: &str, error: &async_nats::ConnectError) -> ConnectFault {
    let text = error.to_string();
    match error.kind() {
        ConnectErrorKind::ServerParse => ConnectFault::Address(url.to_owned()),
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            ConnectFault::Refused(url.to_owned())
        }
        _ if text.to_lowercase().contains("authentication") => ConnectFault::Refused(url.to_owned()),
        _ => ConnectFault::Unreachable { url: url.to_owned(), cause: text },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_eight_seconds_and_differ() {
        for attempts in [0, 1, 5, 6, 100] {
            let longest = 125 << attempts.min(6);
            let delay = delay(attempts).as_millis();
            assert!((longest / 4..=longest).contains(&delay), "{attempts}: {delay}");
        }
    }

    #[test]
    fn urls_name_their_scheme() {
        assert_eq!(servers("nats://127.0.0.1:4222, nats://b:4222").unwrap().len(), 2);
        assert_eq!(servers("ws://localhost:8080/v1/nats").unwrap().len(), 1);
        for bad in ["", "127.0.0.1:4222", "http://a", "nats://a,,nats://b", "nats:// a"] {
            assert!(matches!(servers(bad), Err(ConnectFault::Address(_))), "{bad}");
        }
    }
}
