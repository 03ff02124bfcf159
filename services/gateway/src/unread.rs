//! What nobody read of a request's body is read and thrown away before the answer goes out: who closes a connection on
//! which data still arrives also destroys what was sent (RFC 9112, 9.6), and the client would never see why it was refused.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{CONNECTION, EXPECT};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tokio::time::timeout;

/// So much is thrown away; the connection of who sends more is closed.
const DISCARDED: u64 = 4 * 1024 * 1024;
/// How long a refusal waits for the rest of what it refuses.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers once the whole body has come, as far as the client has been asked to send it.
pub async fn discard(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let waits_to_be_asked = request.headers().contains_key(EXPECT);
    let (head, body) = request.into_parts();
    let body = Shared(Arc::new(Mutex::new(body)));
    let mut response = next.run(Request::from_parts(head, Body::new(body.clone()))).await;
    let has_ended = body.is_end_stream()
        || (!waits_to_be_asked && timeout(PATIENCE, body.throw_away()).await == Ok(true));
    if !has_ended {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A body that is read on when its reader has given up.
#[derive(Clone)]
struct Shared(Arc<Mutex<Body>>);

impl Shared {
    fn body(&self) -> MutexGuard<'_, Body> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the rest; whether it came to its end.
    async fn throw_away(mut self) -> bool {
        if self.size_hint().lower() > DISCARDED {
            return false;
        }
        let mut discarded = 0;
        while discarded <= DISCARDED {
            match self.frame().await {
                Some(Ok(frame)) => discarded += frame.data_ref().map_or(0, |data| data.len() as u64),
                Some(Err(_)) => return false,
                None => return true,
            }
        }
        false
    }
}

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut *self.body()).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body().size_hint()
    }
}
