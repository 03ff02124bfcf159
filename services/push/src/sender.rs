//! Pushing: one empty request to an endpoint, and what its network says to it.

mod answer;
mod backoff;
mod connector;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kez_reach::{Reach, Variables, Ways};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use url::Url;

use crate::config::Settings;
use crate::vapid::Vapid;
use connector::Connector;

pub use answer::Answer;
pub use backoff::pause;

/// Seconds that a network keeps a push for a device that cannot be reached.
pub const KEPT_FOR: u32 = 24 * 60 * 60;
/// Pushes on their way at once, in all.
const IN_FLIGHT: usize = 32;
/// Of these only slow ones have so many places, and no others.
pub const SLOW_IN_FLIGHT: usize = 8;
/// A request takes no longer.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// The rest of an answer is waited for so long, to use its connection again.
const REST: Duration = Duration::from_millis(500);
/// No more of it is read, in bytes.
const LONGEST: usize = 4096;
/// Nor more of its headers.
const LONGEST_HEADERS: usize = 16 * 1024;
/// Connections that nobody uses are kept for so long, so many to each host.
const IDLE: Duration = Duration::from_secs(20);
const IDLE_A_HOST: usize = 32;

/// Sends pushes. Clones share their connections.
#[derive(Clone)]
pub struct Sender {
    client: Client<Connector, Empty<Bytes>>,
    vapid: Vapid,
    places: Arc<Semaphore>,
}

impl Sender {
    /// Reads the certificates, and what the system says of resolvers.
    pub fn new(settings: &Settings, vapid: Vapid) -> Result<Self> {
        let reach = Reach::new(&Ways {
            resolvers: settings.push_resolvers.clone(),
            networks: settings.allow_private_push.clone(),
            ca_file: settings.push_ca_file.clone(),
            patience: PATIENCE,
            variables: Variables { resolvers: "KEZ_PUSH_RESOLVERS", ca_file: "KEZ_PUSH_CA_FILE" },
        })?;
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_A_HOST)
            .http1_max_buf_size(LONGEST_HEADERS)
            .build(Connector::new(reach));
        Ok(Self { client, vapid, places: Arc::new(Semaphore::new(IN_FLIGHT - SLOW_IN_FLIGHT)) })
    }

    /// Waits for a place among the pushes that are on their way; whoever pushes holds one, or one of the slow ones.
    pub async fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.places.clone().acquire_owned().await.ok()
    }

    /// Whether there is no such place.
    pub fn is_full(&self) -> bool {
        self.places.available_permits() == 0
    }

    /// Pushes to an endpoint. Redirects are not followed: they are an answer like any other.
    pub async fn push(&self, endpoint: &str) -> Answer {
        let request = match self.request(endpoint) {
            Ok(Some(request)) => request,
            Ok(None) => return Answer::Refused(None),
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "nothing can be pushed");
                return Answer::Later { status: None, after: None };
            }
        };
        match timeout(PATIENCE, self.client.request(request)).await {
            Ok(Ok(response)) => {
                let answer = Answer::read(response.status(), response.headers());
                finish(response).await;
                answer
            }
            Ok(Err(_)) | Err(_) => Answer::Later { status: None, after: None },
        }
    }

    /// It says nothing but that there is something: no body, no topic, and the same for everybody. None if this endpoint
    /// cannot be asked.
    fn request(&self, endpoint: &str) -> Result<Option<Request<Empty<Bytes>>>> {
        let Ok(url) = Url::parse(endpoint) else { return Ok(None) };
        let Ok(uri) = Uri::try_from(url.as_str()) else { return Ok(None) };
        let request = Request::post(uri)
            .header(AUTHORIZATION, self.vapid.authorization(&url)?)
            .header("ttl", KEPT_FOR)
            .header("urgency", HeaderValue::from_static("high"))
            .header(CONTENT_LENGTH, HeaderValue::from_static("0"))
            .body(Empty::new());
        Ok(request.ok())
    }
}

/// Reads what little an answer has to say; an answer with more costs its connection.
async fn finish(response: Response<Incoming>) {
    let _ = timeout(REST, Limited::new(response.into_body(), LONGEST).collect()).await;
}
