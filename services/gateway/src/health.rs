//! Whether this server works: the broker alone, or every service that it needs.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::RequestErrorKind;
use async_nats::connection::State as Connection;
use async_nats::service::PingResponse;
use axum::Json;
use axum::extract::State;
use kez_contract::{Problem, http, roll_call};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use utoipa::ToSchema;

use crate::app::App;
use crate::problem::{Document, MEDIA_TYPE, Refusal};

/// A broker that takes longer is as good as gone.
const BROKER_PATIENCE: Duration = Duration::from_secs(2);
/// Services answer in a few milliseconds.
const ROLL_CALL: Duration = Duration::from_millis(200);
/// A busy one takes longer. Before it counts as missing it is waited for so long, and whoever asks us still has the answer
/// within a second.
const SECOND_CALL: Duration = Duration::from_millis(600);
/// Anyone may ask whether we are ready, and each answer asks the whole mesh; so it holds for a moment.
const HOLDS: Duration = Duration::from_secs(1);

/// This gateway and its broker work.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok`
    status: &'static str,
    server: String,
    version: &'static str,
}

/// The services that answered, by name.
#[derive(Clone, Serialize, ToSchema)]
pub struct Roll {
    services: BTreeMap<String, Vec<Replica>>,
}

/// One replica of a service.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct Replica {
    id: String,
    version: String,
}

/// The last roll call, for as long as it holds.
#[derive(Default)]
pub struct Readiness(Mutex<Option<(Instant, Roll)>>);

/// Ask whether the gateway and the broker work
#[utoipa::path(get, path = http::HEALTHZ, tag = "Server",
    responses(
        (status = 200, description = "They do", body = Health),
        (status = 503, description = "unavailable: the broker does not answer", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn healthz(State(app): State<App>) -> Result<Json<Health>, Refusal> {
    if !broker_answers(&app).await {
        return Err(Problem::unavailable("the broker does not answer").into());
    }
    let server = app.settings.server.clone();
    Ok(Json(Health { status: "ok", server, version: env!("CARGO_PKG_VERSION") }))
}

/// Ask which services and replicas are up
#[utoipa::path(get, path = http::READYZ, tag = "Server",
    responses(
        (status = 200, description = "Every service that is needed", body = Roll),
        (status = 503, description = "unavailable: names what is missing", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn readyz(State(app): State<App>) -> Result<Json<Roll>, Refusal> {
    let roll = app.readiness.roll(&app).await?;
    let missing = roll.missing();
    if missing.is_empty() {
        Ok(Json(roll))
    } else {
        Err(Problem::unavailable(format!("not running: {}", missing.join(", "))).into())
    }
}

impl Readiness {
    /// Holding the lock while asking means that however many ask us, the mesh is asked once.
    async fn roll(&self, app: &App) -> Result<Roll, Refusal> {
        let mut last = self.0.lock().await;
        if let Some((at, roll)) = &*last
            && at.elapsed() < HOLDS
        {
            return Ok(roll.clone());
        }
        if app.nats.connection_state() != Connection::Connected {
            return Err(Problem::unavailable("the broker does not answer").into());
        }
        let mut roll = Roll::call(app, ROLL_CALL).await?;
        if !roll.missing().is_empty() {
            roll = Roll::call(app, SECOND_CALL).await?;
        }
        *last = Some((Instant::now(), roll.clone()));
        Ok(roll)
    }
}

impl Roll {
    async fn call(app: &App, patience: Duration) -> Result<Self, Refusal> {
        let replies = kez_service::roll_call::gather(&app.nats, &roll_call::PING, patience).await;
        Ok(replies.map_err(|_| Problem::unavailable("the broker does not answer"))?.into())
    }

    /// Services that are needed and did not answer.
    fn missing(&self) -> Vec<&'static str> {
        roll_call::NEEDED.into_iter().filter(|name| !self.services.contains_key(*name)).collect()
    }
}

impl From<Vec<PingResponse>> for Roll {
    fn from(replies: Vec<PingResponse>) -> Self {
        let mut services: BTreeMap<String, Vec<Replica>> = BTreeMap::new();
        for PingResponse { name, id, version, .. } in replies {
            services.entry(name).or_default().push(Replica { id, version });
        }
        services.values_mut().for_each(|replicas| replicas.sort());
        Self { services }
    }
}

/// Asks where nobody listens: that there is nobody is the broker's own answer, and costs no service anything.
async fn broker_answers(app: &App) -> bool {
    if app.nats.connection_state() != Connection::Connected {
        return false;
    }
    match timeout(BROKER_PATIENCE, app.nats.request(roll_call::NOBODY, "".into())).await {
        Ok(Err(error)) => error.kind() == RequestErrorKind::NoResponders,
        _ => false,
    }
}
