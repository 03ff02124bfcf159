//! Messages: handing a sealed one in, which anyone may.

use axum::Json;
use axum::body::{Body, HttpBody};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use kez_contract::http;
use kez_contract::inbox::{MAX_ENVELOPE, Send, Sent, WEB_SEND, send_weight};

use crate::address::Address;
use crate::app::App;
use crate::body;
use crate::problem::{Document, MEDIA_TYPE, Refusal};

/// The largest envelope, and whom it is for.
const MAX_BODY: usize = MAX_ENVELOPE + 1024;

/// Send a sealed message
///
/// Answered once it is stored and flushed to disk. The same envelope again has the same answer and is stored once.
#[utoipa::path(post, path = http::MESSAGES, tag = "Messages", request_body = Send,
    responses(
        (status = 202, description = "Stored", body = Sent),
        (status = 400, description = "malformed, unsupported_version", body = Document, content_type = MEDIA_TYPE),
        (status = 404, description = "unknown_recipient", body = Document, content_type = MEDIA_TYPE),
        (status = 409, description = "key_rotated: the recipient has moved to a successor", body = Document,
            content_type = MEDIA_TYPE),
        (status = 413, description = "too_large", body = Document, content_type = MEDIA_TYPE),
        (status = 429, description = "rate_limited: 60 a minute from one address, unless configured otherwise; a \
            message counts once for each 16 KiB that it begins",
            body = Document, content_type = MEDIA_TYPE,
            headers(("Retry-After" = u64, description = "Seconds until the next may come"))),
        (status = 503, description = "unavailable", body = Document, content_type = MEDIA_TYPE),
        (status = 507, description = "mailbox_full", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn send(
    State(app): State<App>,
    address: Address,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Sent>), Refusal> {
    app.sends.check_weight(&address.to_string(), send_weight(expected(&body)))?;
    let message: Send = body::json(&headers, body, MAX_BODY).await?;
    Ok((StatusCode::ACCEPTED, Json(app.ask(WEB_SEND, &message).await?)))
}

/// How many bytes may come to be stored, before anything of them is read. Who does not say is taken to send as much as
/// there may be; of what is too large nothing is stored.
fn expected(body: &Body) -> usize {
    match body.size_hint().exact().map(usize::try_from) {
        Some(Ok(bytes)) if bytes <= MAX_BODY => bytes,
        Some(_) => 0,
        None => MAX_BODY,
    }
}
