//! The table of a service: one row a call, answered over NATS' service API, so that `$SRV.PING`, `INFO` and `STATS` work.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use async_nats::service::ServiceExt;
use async_nats::{Client, Message};
use bytes::Bytes;
use kez_contract::{Code, Endpoint, Mesh, Person, WebClient};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::fault::Fault;
use crate::listener::Listener;
use crate::{connect, watchdog};

/// A call of somebody whom the broker has proven.
#[derive(Debug)]
pub struct Call<Body> {
    pub caller: Caller,
    pub body: Body,
}

/// Who calls, from which device: 64 lower-case hex digits each, as the broker let them stand in the subject.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Caller {
    pub primary: String,
    pub device: String,
}

/// A call that proves nothing about who makes it: from the gateway, or from another service.
#[derive(Debug)]
pub struct Delivery<Body> {
    pub body: Body,
}

/// A service before it runs: its name and its table.
pub struct Service<App> {
    name: &'static str,
    app: App,
    rows: Vec<Row<App>>,
    told: Option<Told>,
}

/// Numbers of a service's own.
type Told = Box<dyn Fn() -> Value + Send + Sync>;

pub(crate) struct Row<App> {
    pub(crate) name: String,
    pub(crate) pattern: &'static str,
    queue_group: Option<&'static str>,
    pub(crate) trusted_trace: bool,
    pub(crate) handler: Handler<App>,
}

pub(crate) type Handler<App> = Arc<dyn Fn(App, Message) -> Answer + Send + Sync>;
/// No bytes, no answer: the caller is left to its own patience.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Result<Option<Bytes>, Fault>> + Send>>;

impl<App: Clone + Send + Sync + 'static> Service<App> {
    pub fn new(name: &'static str, app: App) -> Self {
        Self { name, app, rows: Vec::new(), told: None }
    }

    /// Has `$SRV.STATS` tell more numbers than the service API counts: the `data` of each call, the same in all of them.
    pub fn telling(self, told: impl Fn() -> Value + Send + Sync + 'static) -> Self {
        Self { told: Some(Box::new(told)), ..self }
    }

    /// Adds a row. A handler whose types are not the endpoint's does not compile.
    pub fn on<F, Body, Reply, H, Fut>(mut self, endpoint: Endpoint<F, Body, Reply>, handler: H) -> Self
    where
        F: Family,
        Body: DeserializeOwned + Send + 'static,
        Reply: Serialize + 'static,
        H: Fn(App, F::Asked<Body>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Reply, Fault>> + Send,
    {
        let run = move |app: App, message: Message| -> Answer {
            let handler = handler.clone();
            Box::pin(async move {
                let asked = F::read(&message)?;
                let reply = handler(app, asked).await?;
                Ok(Some(serde_json::to_vec(&reply)?.into()))
            })
        };
        self.rows.push(Row {
            name: format!("{}-{}", endpoint.family(), endpoint.verb()),
            pattern: endpoint.pattern(),
            queue_group: None,
            trusted_trace: F::TRUSTED_TRACE,
            handler: Arc::new(run),
        });
        self
    }

    /// Adds a row for calls in a format that is not ours, shared among a queue group of their own. A handler without an
    /// answer leaves the call unanswered.
    pub fn on_raw<H, Fut>(
        mut self,
        name: &str,
        subject: &'static str,
        queue_group: &'static str,
        handler: H,
    ) -> Self
    where
        H: Fn(App, Message) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Option<Bytes>> + Send + 'static,
    {
        let run = move |app: App, message: Message| -> Answer {
            let answer = handler(app, message);
            Box::pin(async move { Ok(answer.await) })
        };
        self.rows.push(Row {
            name: name.to_owned(),
            pattern: subject,
            queue_group: Some(queue_group),
            trusted_trace: false,
            handler: Arc::new(run),
        });
        self
    }

    /// Subscribes to everything in the table and answers, at most `concurrency` calls at once.
    pub async fn start(self, nats: &Client, concurrency: u32) -> Result<Running> {
        let mut service = nats.service_builder().description(format!("Kez {}", self.name));
        if let Some(told) = self.told {
            service = service.stats_handler(move |_, _| told());
        }
        let service = service
            .start(self.name, env!("CARGO_PKG_VERSION"))
            .await
            .map_err(|error| anyhow!("cannot start the {} service: {error}", self.name))?;
        let calls = TaskTracker::new();
        let listeners = TaskTracker::new();
        let stopping = CancellationToken::new();
        let permits = Arc::new(Semaphore::new(concurrency as usize));
        for row in self.rows {
            let mut endpoint = service.endpoint_builder().name(&row.name);
            if let Some(queue_group) = row.queue_group {
                endpoint = endpoint.queue_group(queue_group);
            }
            let requests = endpoint
                .add(row.pattern)
                .await
                .map_err(|error| anyhow!("cannot listen on {}: {error}", row.pattern))?;
            let (app, permits, calls) = (self.app.clone(), permits.clone(), calls.clone());
            let listener = Listener { row, app, permits, calls, nats: nats.clone() };
            listeners.spawn(listener.listen(requests, stopping.clone()));
        }
        listeners.close();
        // The subscriptions are in force before anyone is told that we are up.
        connect::settled(nats).await?;
        Ok(Running { service, stopping, listeners, calls, permits, nats: nats.clone(), rest: None })
    }
}

/// A service that answers until it is stopped.
pub struct Running {
    service: async_nats::service::Service,
    stopping: CancellationToken,
    listeners: TaskTracker,
    calls: TaskTracker,
    permits: Arc<Semaphore>,
    nats: Client,
    rest: Option<Rest>,
}

/// What ends after the last call was answered.
type Rest = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

impl Running {
    /// The same of a service that does more than answer: `rest` ends that, when the last call was answered.
    pub fn with_rest(self, rest: impl Future<Output = ()> + Send + Sync + 'static) -> Self {
        Self { rest: Some(Box::pin(rest)), ..self }
    }

    /// Waits until this replica can no longer answer, and says why. Whoever waits must then end the process: its
    /// tasks may be stuck, so neither stopping nor dropping what runs is sure to return.
    pub async fn failed(&self) -> anyhow::Error {
        watchdog::failure(self.nats.clone(), self.permits.clone()).await
    }

    /// Takes no more calls, answers those in flight, and returns when the broker has every reply.
    pub async fn stop(self) -> Result<()> {
        self.stopping.cancel();
        // The listeners read what the broker had already handed over; only then are all calls known.
        self.listeners.wait().await;
        self.service.stop().await.map_err(|error| anyhow!("cannot stop: {error}"))?;
        self.calls.close();
        self.calls.wait().await;
        if let Some(rest) = self.rest {
            rest.await;
        }
        if let Err(error) = connect::settled(&self.nats).await {
            tracing::warn!(%error, "the last answers may not have arrived");
        }
        Ok(())
    }
}

/// How the callers of an endpoint are read from a message.
pub trait Family {
    /// What the handler is given.
    type Asked<Body: Send>: Send;

    /// Whether the trace context in the headers comes from one of us.
    const TRUSTED_TRACE: bool;

    fn read<Body: DeserializeOwned + Send>(message: &Message) -> Result<Self::Asked<Body>, Fault>;
}

impl Family for Person {
    type Asked<Body: Send> = Call<Body>;
    const TRUSTED_TRACE: bool = false;

    fn read<Body: DeserializeOwned + Send>(message: &Message) -> Result<Call<Body>, Fault> {
        let mut tokens = message.subject.rsplit('.');
        let (Some(device), Some(primary)) = (tokens.next(), tokens.next()) else {
            return Err(Fault::malformed("the subject names no caller"));
        };
        if !is_key(primary) || !is_key(device) {
            return Err(Fault::malformed("the subject must end in two keys of 64 lower-case hex digits"));
        }
        let caller = Caller { primary: primary.to_owned(), device: device.to_owned() };
        Ok(Call { caller, body: parse(&message.payload)? })
    }
}

impl Family for WebClient {
    type Asked<Body: Send> = Delivery<Body>;
    const TRUSTED_TRACE: bool = true;

    fn read<Body: DeserializeOwned + Send>(message: &Message) -> Result<Delivery<Body>, Fault> {
        Ok(Delivery { body: parse(&message.payload)? })
    }
}

impl Family for Mesh {
    type Asked<Body: Send> = Delivery<Body>;
    const TRUSTED_TRACE: bool = true;

    fn read<Body: DeserializeOwned + Send>(message: &Message) -> Result<Delivery<Body>, Fault> {
        Ok(Delivery { body: parse(&message.payload)? })
    }
}

fn is_key(token: &str) -> bool {
    token.len() == 64 && token.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn parse<Body: DeserializeOwned>(payload: &[u8]) -> Result<Body, Fault> {
    serde_json::from_slice(payload)
        // The error names the member and the place, never what stood there.
        .map_err(|error| Fault::new(Code::Malformed, describe(&error)))
}

fn describe(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Eof => "ends too early",
        Category::Syntax => "is not JSON",
        Category::Data | Category::Io => "does not have the members that this call takes",
    };
    format!("the request {what} (line {}, column {})", error.line(), error.column())
}
