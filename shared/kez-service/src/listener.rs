//! Taking the calls of one row of a table: each in a task of its own, each answered, also the last ones before leaving.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;
use async_nats::service::endpoint::Endpoint as Requests;
use async_nats::service::error::Error as ServiceError;
use async_nats::service::{NATS_SERVICE_ERROR, NATS_SERVICE_ERROR_CODE, Request};
use async_nats::{Client, HeaderMap, Message, PublishError, PublishErrorKind};
use bytes::Bytes;
use futures_util::StreamExt;
use kez_contract::Problem;
use kez_contract::problem::PROBLEM_HEADER;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::fault::Fault;
use crate::service::Row;
use crate::{connect, trace};

/// After so long without a call, the moment has come to leave between two calls.
const QUIET: Duration = Duration::from_millis(100);
/// The same where there are callers, whom a busy machine may only have held up.
const QUIET_AFTER_CALLS: Duration = Duration::from_secs(1);

/// What a row needs to be listened to.
pub(crate) struct Listener<App> {
    pub(crate) row: Row<App>,
    pub(crate) app: App,
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) calls: TaskTracker,
    pub(crate) nats: Client,
}

impl<App: Clone + Send + Sync + 'static> Listener<App> {
    /// Takes calls until it is `stopping`, and returns when the last call was taken.
    pub(crate) async fn listen(self, mut requests: Requests, stopping: CancellationToken) {
        while let Some(Some(request)) = stopping.run_until_cancelled(requests.next()).await {
            self.take(Asked::Counted(request)).await;
        }
        if let Err(error) = self.leave(requests).await {
            tracing::warn!(%error, "the last calls may be left without an answer");
        }
    }

    /// Leaves without leaving a call behind. The NATS client throws away what the broker sends us between our leaving and
    /// its knowing. So before we leave the queue group we begin to hear everything on the subject a second time, as
    /// somebody who shares with nobody: there is what was thrown away. What other replicas were given is there as well,
    /// and is answered twice; that is harmless, for callers call again anyway, and take the first answer.
    async fn leave(&self, mut requests: Requests) -> Result<()> {
        let before = self.received();
        let mut copies = self.nats.subscribe(self.row.pattern).await?;
        connect::settled(&self.nats).await?;
        requests.stop().await?;
        connect::settled(&self.nats).await?;
        let mut taken = HashSet::new();
        while let Some(request) = requests.next().await {
            taken.insert(reply_of(&request.message));
            self.take(Asked::Counted(request)).await;
        }
        // The broker and the client end this one after the same message, so that nothing is thrown away: after all that
        // came until now, and more than can be on its way. When calls are few, the next one is not waited for.
        let until_now = self.received() - before;
        copies.unsubscribe_after(until_now + until_now / 2 + 64).await?;
        let mut patience = QUIET;
        while let Ok(Some(copy)) = timeout(patience, copies.next()).await {
            patience = QUIET_AFTER_CALLS;
            if !taken.contains(&reply_of(&copy)) {
                self.take(Asked::Copied(self.nats.clone(), copy)).await;
            }
        }
        Ok(())
    }

    /// How many messages this connection has brought, for whomever.
    fn received(&self) -> u64 {
        self.nats.statistics().in_messages.load(Ordering::Relaxed)
    }

    async fn take(&self, asked: Asked) {
        let Ok(permit) = self.permits.clone().acquire_owned().await else { return };
        let span = tracing::info_span!("call", endpoint = self.row.name);
        if self.row.trusted_trace {
            trace::continue_from(&span, asked.message().headers.as_ref());
        }
        let answer = (self.row.handler)(self.app.clone(), asked.message().clone());
        self.calls.spawn(
            async move {
                let result = answer.await;
                asked.respond(result).await;
                drop(permit);
            }
            .instrument(span),
        );
    }
}

/// A call as it came in.
enum Asked {
    /// From the service API, which counts it.
    Counted(Request),
    Copied(Client, Message),
}

impl Asked {
    fn message(&self) -> &Message {
        match self {
            Self::Counted(request) => &request.message,
            Self::Copied(_, message) => message,
        }
    }

    async fn respond(&self, result: Result<Option<Bytes>, Fault>) {
        let sent = match result {
            Ok(None) => return,
            Ok(Some(reply)) => self.send(Ok(reply), HeaderMap::new()).await,
            Err(fault) => self.refuse(fault).await,
        };
        let sent = match sent {
            // Silence would have the caller wait, and ask for the same again.
            Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                self.refuse(Fault::from(error)).await
            }
            sent => sent,
        };
        if let Err(error) = sent {
            tracing::warn!(%error, "a reply could not be sent");
        }
    }

    async fn refuse(&self, fault: Fault) -> Result<(), PublishError> {
        let problem = fault.into_problem();
        tracing::debug!(code = problem.code.as_str(), "refused");
        let code = ServiceError {
            status: problem.code.as_str().to_owned(),
            code: usize::from(problem.code.status()),
        };
        self.send(Err(code), headers(&problem)).await
    }

    async fn send(&self, reply: Result<Bytes, ServiceError>, headers: HeaderMap) -> Result<(), PublishError> {
        let Some(to) = self.message().reply.clone() else { return Ok(()) };
        match self {
            Self::Counted(request) => request.respond_with_headers(reply, headers).await,
            Self::Copied(nats, _) => nats.publish_with_headers(to, headers, reply.unwrap_or_default()).await,
        }
    }
}

fn reply_of(message: &Message) -> Option<String> {
    message.reply.as_ref().map(ToString::to_string)
}

/// A refusal as the service API has it, and whole.
fn headers(problem: &Problem) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(NATS_SERVICE_ERROR, problem.code.as_str());
    headers.insert(NATS_SERVICE_ERROR_CODE, problem.code.status().to_string());
    if let Ok(text) = serde_json::to_string(problem) {
        headers.insert(PROBLEM_HEADER, text);
    }
    headers
}
