//! A person's connection to a Kez server over NATS: calls, messages sent, and mail received in order.

mod chains;
mod connection;
pub(crate) mod devices;
mod follow;
mod messages;
mod order;
mod people;
mod sign_in;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use async_nats::Client as Nats;
use kez_contract::{Code, Problem, Rpc};
use kez_crypto::{PublicKey, Timestamp};
use kez_service::Clock;
use kez_service::ask::ask_as;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

pub use connection::ConnectFault;
pub use follow::Follow;
pub use messages::{Delivered, Judged, Mail};
pub use people::local_handle;
pub use sign_in::SignIn;
pub use watch::{Watch, Watched};

use crate::chains::Memory;
use crate::server_time::ServerTime;
use crate::speaker::Speaker;
use connection::Link;
use devices::Devices;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where to connect, as whom, and how.
#[derive(Clone)]
pub struct Connection {
    /// `nats://…`, `tls://…`, `ws://…` or `wss://…`, or several of a kind separated by commas.
    pub url: String,
    /// The server's domain: what stands after the `@`.
    pub server: String,
    pub me: Speaker,
    pub sign_in: SignIn,
    pub clock: Clock,
    /// The last event seen of each sigchain.
    pub memory: Memory,
    /// How long a message is sent again and again while the server is unavailable.
    pub patience: Duration,
    /// The server's clock, if it has said what time it is.
    pub server_time: Option<ServerTime>,
}

impl Connection {
    /// Signs in with a session, and keeps trying to send for 20 seconds.
    pub fn new(url: impl Into<String>, server: impl Into<String>, me: impl Into<Speaker>) -> Self {
        Self {
            url: url.into(),
            server: server.into(),
            me: me.into(),
            sign_in: SignIn::default(),
            clock: Clock::default(),
            memory: Memory::default(),
            patience: Duration::from_secs(20),
            server_time: None,
        }
    }
}

/// A signed-in person. Clones share the connection, which is re-made for ever when it breaks.
#[derive(Clone)]
pub struct Client {
    nats: Nats,
    link: Arc<Link>,
    connection: Arc<Connection>,
    /// 64 hex digits, as subjects carry it.
    primary: Arc<str>,
    /// The same of the key that signs.
    device: Arc<str>,
    devices: Arc<Devices>,
}

impl Client {
    /// Connects and signs in, once: a server that is not there or refuses is an error.
    pub async fn connect(connection: Connection) -> Result<Self, ConnectFault> {
        let (nats, link) = connection::open(&connection).await?;
        let primary = connection.me.primary().to_hex().into();
        let device = connection.me.key().public().to_hex().into();
        let devices = Arc::new(Devices::new(&connection.memory));
        Ok(Self { nats, link, connection: Arc::new(connection), primary, device, devices })
    }

    /// Calls an endpoint as this person.
    pub async fn call<Request: Serialize, Reply: DeserializeOwned>(
        &self,
        endpoint: &Rpc<Request, Reply>,
        request: &Request,
    ) -> Result<Reply, Problem> {
        self.call_within(PATIENCE, endpoint, request).await
    }

    /// The same for what may take longer than most calls do.
    async fn call_within<Request: Serialize, Reply: DeserializeOwned>(
        &self,
        patience: Duration,
        endpoint: &Rpc<Request, Reply>,
        request: &Request,
    ) -> Result<Reply, Problem> {
        let subject = endpoint.subject(&self.primary, &self.device);
        let refused = self.link.violation_of(&subject);
        tokio::select! {
            reply = ask_as(&self.nats, endpoint.service(), subject.clone(), request, patience) => reply,
            () = refused => Err(no_right(endpoint.service())),
        }
    }

    /// Who this is.
    pub fn primary(&self) -> PublicKey {
        self.connection.me.primary()
    }

    /// The server's domain.
    pub fn server(&self) -> &str {
        &self.connection.server
    }

    /// The NATS connection beneath, for what this client does not do.
    pub fn nats(&self) -> &Nats {
        &self.nats
    }

    /// Breaks the connection and signs in again, and returns when that is done: rights are decided at sign-in.
    pub async fn reconnect(&self) -> Result<(), Problem> {
        self.link.reconnect(&self.nats).await
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.connection.clock.now())
    }

    /// The server's clock as far as it is known, by which mail is judged. Who has signed in with a session has a clock that
    /// is not ahead of it; a plain sign-in proves nothing of the kind, and then mail is as old as it was when it came.
    fn server_now(&self) -> Timestamp {
        match (self.connection.server_time, self.connection.sign_in) {
            (Some(time), _) => time.now(),
            (None, SignIn::Session { .. }) => self.now(),
            (None, SignIn::Plain) => Timestamp::from_unix(0),
        }
    }

    /// When what is written now was sent: by the server's clock as far as it is known, for whoever reads it judges its age
    /// by that.
    fn sending_now(&self) -> Timestamp {
        self.connection.server_time.map_or_else(|| self.now(), ServerTime::now)
    }

    /// Asks again while the server is unavailable, until this person's patience ends.
    async fn patiently<Reply, Answer: Future<Output = Result<Reply, Problem>>>(
        &self,
        ask: impl Fn() -> Answer,
    ) -> Result<Reply, Problem> {
        let until = Instant::now() + self.connection.patience;
        let mut attempt = 0;
        loop {
            let wait = connection::delay(attempt);
            match ask().await {
                Err(problem) if problem.code == Code::Unavailable && Instant::now() + wait < until => {
                    attempt += 1;
                    tokio::time::sleep(wait).await;
                }
                answer => return answer,
            }
        }
    }
}

fn no_right(service: &str) -> Problem {
    Problem::new(
        Code::Unauthorized,
        format!("the server does not let this identity call {service}; register a handle first"),
    )
}
