//! What all routes share.

use std::sync::Arc;

use async_nats::Client;
use kez_contract::{Endpoint, WebClient};
use kez_service::Clock;
use kez_service::limit::Limit;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::assets::Assets;
use crate::config::Settings;
use crate::health::Readiness;
use crate::metrics::Metrics;
use crate::page::Pages;
use crate::problem::Refusal;
use crate::seats::Seats;

#[derive(Clone)]
pub struct App(Arc<Shared>);

pub struct Shared {
    pub nats: Client,
    pub settings: Settings,
    pub clock: Clock,
    /// Calls of services that are under way at once.
    pub permits: Semaphore,
    /// Requests that have no answer yet.
    pub requests: Seats,
    pub sends: Limit,
    pub registrations: Limit,
    pub appends: Limit,
    pub verifications: Limit,
    pub fresh_verifications: Limit,
    pub streams: Seats,
    pub tunnels: Seats,
    pub tunnels_opened: Limit,
    pub metrics: Metrics,
    pub readiness: Readiness,
    pub pages: Pages,
    pub assets: Assets,
    /// Streams and tunnels, which outlive the request that opened them.
    pub tasks: TaskTracker,
    /// The gateway is stopping: no more requests, streams end.
    pub closing: CancellationToken,
    /// Every request was answered: tunnels end too.
    pub closed: CancellationToken,
}

impl App {
    pub fn new(nats: &Client, settings: Settings, clock: Clock, concurrency: u32) -> anyhow::Result<Self> {
        Ok(Self(Arc::new(Shared {
            nats: nats.clone(),
            clock,
            permits: Semaphore::new(concurrency as usize),
            requests: Seats::new("requests", settings.requests_per_address, settings.connections),
            sends: Limit::per_minute(settings.sends_per_minute),
            registrations: Limit::per_minute(settings.registrations_per_minute),
            appends: Limit::per_minute(settings.sends_per_minute),
            verifications: Limit::per_minute(settings.verifications_per_minute),
            fresh_verifications: Limit::per_minute(settings.fresh_verifications_per_minute),
            streams: Seats::new("inbox streams", settings.streams_per_address, settings.streams),
            tunnels: Seats::new("tunnels", settings.tunnels_per_address, settings.tunnels),
            tunnels_opened: Limit::per_minute(settings.tunnels_per_minute),
            metrics: Metrics::default(),
            readiness: Readiness::default(),
            pages: Pages::new(&settings)?,
            assets: Assets::new(&settings)?,
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            closed: CancellationToken::new(),
            settings,
        })))
    }

    /// Asks the service that decides. So many are asked at once, more wait their turn; nobody holds a turn whose request
    /// is still arriving.
    pub async fn ask<Request: Serialize, Reply: DeserializeOwned>(
        &self,
        endpoint: Endpoint<WebClient, Request, Reply>,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        let _permit = self.permits.acquire().await;
        Ok(kez_service::ask(&self.nats, endpoint, request).await?)
    }
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
