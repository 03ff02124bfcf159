//! The inbox as a stream (server-sent events): what lies there, then what comes, each once and in order.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::{Message, Subscriber, header};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use kez_contract::event::LIVE;
use kez_contract::inbox::{
    MAX_PAGE, STREAM_LIFETIME, SignedFetch, Stored, WEB_OPEN_STREAM, WEB_RESUME_STREAM,
};
use kez_contract::{Code, Problem, http};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use crate::address::Address;
use crate::app::App;
use crate::parameters::{Name, Query, one_header, whole_number};
use crate::problem::{Document, MEDIA_TYPE, Refusal};
use crate::reader::Reader;
use crate::seats::Seat;
use crate::sse;

const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Between fetches that do not bring what was announced.
const PAUSE: Duration = Duration::from_millis(200);
/// Bytes of messages that wait for a client who reads slowly. What comes while so much waits is fetched again when it
/// is through, so that a client who does not read at all costs no more.
const MAX_WAITING: usize = 256 * 1024;
/// Events that are handed to the connection ahead of time.
const AHEAD: usize = 4;

/// Follow one's mailbox
///
/// Server-sent events: `id` is the sequence, `data` is `{"seq","received_at","envelope"}`; a comment every 15 seconds.
/// Signed over `GET\n/v1/inbox/<handle>/stream\n<ts>`. Ends after an hour: sign again, and go on from the last id.
#[utoipa::path(get, path = http::INBOX_STREAM, tag = "Inbox",
    params(
        ("handle" = String, Path, description = "Whose mailbox"),
        ("auth" = String, Query, description = "`<ts>:<signature>`, as in X-KEZ-Auth"),
        ("since" = Option<u64>, Query, description = "After this sequence; 0, the default, is from the oldest"),
        ("Last-Event-ID" = Option<u64>, Header, description = "The same, as browsers send it; stands above `since`"),
    ),
    responses(
        (status = 200, description = "Events, until either side hangs up", content_type = sse::MEDIA_TYPE, body = String),
        (status = 400, description = "malformed, stale_timestamp", body = Document, content_type = MEDIA_TYPE),
        (status = 401, description = "unauthorized, bad_signature", body = Document, content_type = MEDIA_TYPE),
        (status = 404, description = "not_found", body = Document, content_type = MEDIA_TYPE),
        (status = 429, description = "rate_limited: too many streams of one address", body = Document, content_type = MEDIA_TYPE),
        (status = 503, description = "unavailable", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn stream(
    State(app): State<App>,
    address: Address,
    Name(handle): Name,
    mut query: Query,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let Some(auth) = query.one("auth")? else {
        return Err(Refusal::new(Code::Unauthorized, "the parameter auth is missing"));
    };
    let since = query.number("since", 0..=u64::MAX)?;
    query.finish()?;
    let since = last_event(&headers)?.or(since).unwrap_or(0);
    let seat = app.streams.take(address)?;
    let request = SignedFetch { handle, auth, since, limit: MAX_PAGE };
    let opened = app.ask(WEB_OPEN_STREAM, &request).await?;
    let live = app.nats.subscribe(LIVE.subject(&opened.primary)).await;
    let live = live.map_err(|_| Problem::unavailable("the live feed could not be followed"))?;
    let mut reader = Reader::new(since);
    let waiting = reader.read(opened.page).into();
    // What was stored between that page and the subscription is in neither.
    reader.doubt();
    let (body, events) = mpsc::channel(AHEAD);
    let connects = connects(&app);
    let feed = Feed { app: app.clone(), request, reader, waiting, live, body, connects, _seat: seat };
    app.tasks.spawn(feed.run());
    Ok(respond(events))
}

fn respond(events: mpsc::Receiver<Bytes>) -> Response {
    let body = Body::from_stream(stream::unfold(events, |mut events| async {
        events.recv().await.map(|event| (Ok::<_, std::convert::Infallible>(event), events))
    }));
    let headers = [
        (axum::http::header::CONTENT_TYPE, sse::MEDIA_TYPE),
        // Some proxies gather what they pass on, unless they are told not to.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, body).into_response()
}

/// One stream that is open.
struct Feed {
    app: App,
    request: SignedFetch,
    reader: Reader,
    waiting: VecDeque<Stored>,
    live: Subscriber,
    body: mpsc::Sender<Bytes>,
    /// How often the broker had been connected to when it was last known that nothing is missing.
    connects: u64,
    _seat: Seat,
}

/// Why a stream goes on no more, for its reader.
struct Farewell(&'static str);

const STOPPING: Farewell = Farewell("the server is stopping: come back in a moment");
const BROKER_GONE: Farewell = Farewell("the broker is gone: come back in a moment");
const SIGN_AGAIN: Farewell = Farewell("the signature counts no more: sign again and go on from the last id");

impl Feed {
    async fn run(mut self) {
        if let Err(Farewell(reason)) = self.follow().await {
            // Whoever does not read will not read this either.
            let _ = self.body.send_timeout(sse::comment(reason), Duration::from_secs(1)).await;
        }
    }

    async fn follow(&mut self) -> Result<(), Farewell> {
        let (app, body) = (self.app.clone(), self.body.clone());
        let ends = app.clock.now().saturating_add(i64::try_from(STREAM_LIFETIME).unwrap_or(i64::MAX));
        let mut keep_alive = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
        keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut fetch_at = Instant::now();
        let _ = body.try_send(sse::comment("open"));
        loop {
            let is_due = self.waiting.is_empty() && self.reader.is_behind();
            tokio::select! {
                () = app.closing.cancelled() => return Err(STOPPING),
                () = body.closed() => return Ok(()),
                Ok(place) = body.reserve(), if !self.waiting.is_empty() => {
                    if let Some(message) = self.waiting.pop_front() {
                        place.send(sse::event(&message));
                    }
                }
                message = self.live.next() => match message {
                    Some(message) => self.hear(&message),
                    None => return Err(BROKER_GONE),
                },
                () = sleep_until(fetch_at), if is_due => {
                    let pause = app.closing.run_until_cancelled(self.fetch()).await.unwrap_or(Ok(PAUSE))?;
                    fetch_at = Instant::now() + pause;
                }
                _ = keep_alive.tick() => {
                    if app.clock.now() >= ends {
                        return Err(SIGN_AGAIN);
                    }
                    self.look_after_connection();
                    // A client who has not taken what lies there already does not need to be kept awake.
                    let _ = body.try_send(sse::comment("still here"));
                }
            }
        }
    }

    /// Takes a message from the live feed, if the stream itself put it there.
    fn hear(&mut self, message: &Message) {
        let Some((previous, stored)) = announced(message) else { return };
        let waiting: usize = self.waiting.iter().map(|message| message.envelope.get().len()).sum();
        if self.reader.hear(stored.seq, previous, waiting < MAX_WAITING) {
            self.waiting.push_back(stored);
        }
    }

    /// Fetches what the live feed did not bring. Until when to wait before the next fetch.
    async fn fetch(&mut self) -> Result<Duration, Farewell> {
        self.request.since = self.reader.held();
        match self.app.ask(WEB_RESUME_STREAM, &self.request).await {
            Ok(resumed) => {
                self.waiting.extend(self.reader.read(resumed.page));
                Ok(if self.waiting.is_empty() { PAUSE } else { Duration::ZERO })
            }
            Err(Refusal(Problem { retry_after: Some(seconds), .. })) => Ok(Duration::from_secs(seconds)),
            Err(Refusal(problem)) => {
                tracing::debug!(code = problem.code.as_str(), "a stream could not go on");
                Err(SIGN_AGAIN)
            }
        }
    }

    /// While the broker was away it announced nothing to us, and will not say what.
    fn look_after_connection(&mut self) {
        let connects = connects(&self.app);
        if connects != self.connects {
            self.connects = connects;
            self.reader.doubt();
        }
    }
}

fn connects(app: &App) -> u64 {
    app.nats.statistics().connects.load(Ordering::Relaxed)
}

/// The message on a live subject and the sequence before it. Only what a stream republished has all these headers.
fn announced(message: &Message) -> Option<(u64, Stored)> {
    let headers = message.headers.as_ref()?;
    let number = |name: async_nats::HeaderName| whole_number(headers.get(name)?.as_str());
    let seq = number(header::NATS_SEQUENCE)?;
    let previous = number(header::NATS_LAST_SEQUENCE)?;
    let time = headers.get(header::NATS_TIME_STAMP)?.as_str();
    let received_at = format!("{}Z", time.get(..19)?);
    let envelope = serde_json::from_slice(&message.payload).ok()?;
    Some((previous, Stored { seq, received_at, envelope }))
}

/// The header with which a browser says where it stood. An empty one says nothing.
fn last_event(headers: &HeaderMap) -> Result<Option<u64>, Refusal> {
    match one_header(headers, "last-event-id")? {
        None | Some("") => Ok(None),
        Some(id) => match whole_number(id) {
            Some(id) => Ok(Some(id)),
            None => Err(Refusal::malformed("Last-Event-ID is not the id of an event of this stream")),
        },
    }
}
