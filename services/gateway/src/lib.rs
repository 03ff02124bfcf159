//! The gateway lets those in who do not speak NATS: HTTP clients, and browsers through a tunnel.
//!
//! It promises: it decides nothing, each route is one question to the service that does; what was signed is passed on as
//! it came; every refusal is a problem document with the code that NATS callers see too; nobody can use up the server
//! from one address; and when it stops, whatever was asked is answered. It has no database, and it cannot read mail.
//!
//! `router.rs` lists the routes.

mod address;
mod app;
mod assets;
mod body;
mod broker;
mod carry;
mod claims;
mod client_config;
mod config;
mod errors;
mod guard;
mod health;
mod inbox;
mod inbox_stream;
mod messages;
mod metrics;
mod openapi;
mod origin;
mod page;
mod parameters;
mod problem;
mod profiles;
mod push;
mod reader;
mod router;
mod seats;
mod server;
mod sigchains;
mod sse;
mod tunnel;
mod unread;
mod users;
mod webfinger;
mod wire;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use anyhow::Result;
use async_nats::Client;
use kez_service::Clock;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use app::App;
pub use broker::WebSocketUrl;
pub use config::{Config, Settings};
use seats::Seats;
use server::{Closing, Door, Listener};

/// How long requests in flight may take when the gateway stops.
const DRAIN: Duration = Duration::from_secs(10);
/// Operators are few.
const OPERATOR_CONNECTIONS: NonZeroU32 = NonZeroU32::MIN.saturating_add(63);

/// Takes its addresses and starts to answer.
pub async fn start(nats: &Client, settings: Settings, clock: Clock, concurrency: u32) -> Result<Running> {
    // Each person in a tunnel is two sockets; where the system allows more of them, take what it allows.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let public = Listener::bind(settings.listen, "KEZ_LISTEN").await?;
    let operators = match settings.metrics_listen {
        Some(address) => Some(Listener::bind(address, "KEZ_METRICS_LISTEN").await?),
        None => None,
    };
    let seats = Seats::new("connections", settings.connections_per_address, settings.connections);
    let door = Door { seats, trusted: settings.trusted_proxies.clone() };
    let app = App::new(nats, settings, clock, concurrency)?;
    let closing = Closing { gently: app.closing.clone(), now: app.closed.clone() };
    let tasks = TaskTracker::new();
    let running = Running {
        address: public.address(),
        metrics_address: operators.as_ref().map(Listener::address),
        connections: tasks.clone(),
        app: app.clone(),
    };
    if let Some(operators) = operators {
        let seats = Seats::new("connections", OPERATOR_CONNECTIONS, OPERATOR_CONNECTIONS);
        let door = Door { seats, trusted: Vec::new() };
        tasks.spawn(operators.serve(router::operators(&app), door, closing.clone(), tasks.clone()));
    }
    tasks.spawn(public.serve(router::public(&app), door, closing, tasks.clone()));
    Ok(running)
}

/// A gateway that answers until it is stopped.
pub struct Running {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    connections: TaskTracker,
    app: App,
}

impl Running {
    /// Where it listens; tells the port where any free one was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where operators find `/metrics`.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Accepts no more, ends streams with a comment, answers what was asked, and closes the tunnels last.
    pub async fn stop(self) -> Result<()> {
        self.app.closing.cancel();
        self.connections.close();
        if timeout(DRAIN, self.connections.wait()).await.is_err() {
            tracing::warn!("some requests had no answer in time");
        }
        self.app.closed.cancel();
        self.connections.wait().await;
        self.app.tasks.close();
        self.app.tasks.wait().await;
        Ok(())
    }
}
