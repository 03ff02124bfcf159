//! A mailbox followed over server-sent events, resumed where it broke off.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use kez_contract::inbox::Stored;
use kez_contract::{Code, Problem, http};
use kez_crypto::{Handle, Seen, request_auth};
use tokio::sync::watch;

use super::HttpClient;
use super::sse::{Event, Events};
use crate::mail::Received;

/// Messages of a mailbox, in order and exactly once; it ends with the refusal that ended it.
pub type HttpFollow = BoxStream<'static, Result<Received, Problem>>;

/// A keep-alive comes every 15 s. Without anything for so long, the connection is dead.
const SILENCE: Duration = Duration::from_secs(45);

/// How long to wait before something is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// What a server asks for is waited no longer.
const LONGEST_PAUSE: u64 = 60;

/// No event of a gateway is longer.
const LONGEST_EVENT: usize = 1024 * 1024;

impl HttpClient {
    /// Everything after sequence `since` (0: from the oldest). When this returns, the stream is open.
    pub async fn follow(&self, handle: &Handle, since: u64) -> Result<HttpFollow, Problem> {
        let mut follower = Follower {
            client: self.clone(),
            handle: handle.clone(),
            held: since,
            seen: Seen::new(),
            ready: Vec::new().into_iter(),
            open: None,
            pause: PAUSE,
        };
        follower.reopen().await?;
        let stream = futures_util::stream::unfold(Some(follower), |follower| async move {
            let mut follower = follower?;
            match follower.next().await {
                Ok(received) => Some((Ok(received), Some(follower))),
                Err(problem) => Some((Err(problem), None)),
            }
        });
        Ok(stream.boxed())
    }

    /// Why followed mail stands still, while it does.
    pub fn hindrance(&self) -> watch::Receiver<Option<Problem>> {
        self.devices.hindrance()
    }
}

struct Follower {
    client: HttpClient,
    handle: Handle,
    /// The last sequence that was handed over.
    held: u64,
    seen: Seen,
    ready: std::vec::IntoIter<Event>,
    open: Option<(Incoming, Events)>,
    /// How long to wait before it is opened again.
    pause: Duration,
}

impl Follower {
    async fn next(&mut self) -> Result<Received, Problem> {
        loop {
            while let Some(event) = self.ready.next() {
                if let Some(received) = self.receive(&event).await? {
                    return Ok(received);
                }
            }
            if !self.read().await? {
                self.open = None;
                tokio::time::sleep(self.pause).await;
                self.pause = match self.reopen().await {
                    Ok(()) => PAUSE,
                    Err(problem) => pause_after(problem)?,
                };
            }
        }
    }

    /// Reads on; false when the stream is over or dead.
    async fn read(&mut self) -> Result<bool, Problem> {
        let Some((body, events)) = &mut self.open else { return Ok(false) };
        let Ok(Some(Ok(frame))) = tokio::time::timeout(SILENCE, body.frame()).await else { return Ok(false) };
        if let Some(bytes) = frame.data_ref() {
            self.ready = events.read(bytes).into_iter();
        }
        if events.held() > LONGEST_EVENT {
            return Err(Problem::new(Code::TooLarge, "the server sends an event without end"));
        }
        Ok(true)
    }

    /// A message that is new.
    async fn receive(&mut self, event: &Event) -> Result<Option<Received>, Problem> {
        let broken = || Problem::new(Code::Internal, "the server sends an event that cannot be read");
        let stored: Stored = serde_json::from_str(&event.data).map_err(|_| broken())?;
        if event.id.as_deref().is_some_and(|id| id != stored.seq.to_string()) {
            return Err(broken());
        }
        if stored.seq <= self.held {
            return Ok(None);
        }
        self.held = stored.seq;
        let received = self.open(&stored).await?;
        let is_new = received.opened.as_ref().map_or(true, |message| self.seen.first_time(&message.id));
        Ok(is_new.then_some(received))
    }

    /// Opens a message, once its sender's chain can be asked for the device that signed it.
    async fn open(&self, stored: &Stored) -> Result<Received, Problem> {
        loop {
            match self.client.open(stored).await {
                Err(problem) => {
                    self.client.devices.hinder(Some(&problem));
                    tokio::time::sleep(pause_after(problem)?).await;
                }
                opened => {
                    self.client.devices.hinder(None);
                    return opened;
                }
            }
        }
    }

    async fn reopen(&mut self) -> Result<(), Problem> {
        let client = &self.client;
        let auth = request_auth::sign(&request_auth::stream(&self.handle), client.now(), client.own_key()?);
        let path = format!("{}?auth={auth}", http::INBOX_STREAM.replace("{handle}", self.handle.as_str()));
        let body = client.transport.stream(&path, &[("last-event-id", &self.held.to_string())]).await?;
        self.open = Some((body, Events::default()));
        Ok(())
    }
}

/// How long to wait after what is to be tried again; anything else ends it.
fn pause_after(problem: Problem) -> Result<Duration, Problem> {
    match problem.code {
        Code::Unavailable | Code::RateLimited => {
            let asked = problem.retry_after.unwrap_or_default().min(LONGEST_PAUSE);
            Ok(Duration::from_secs(asked).max(PAUSE))
        }
        _ => Err(problem),
    }
}
