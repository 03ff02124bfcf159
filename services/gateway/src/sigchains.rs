//! Sigchains: a chain event by event, and one event more.

use std::io;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, stream};
use kez_contract::sigchain::{
    Append, Appended, EventPage, Events, Head, MAX_EVENT, MAX_PAGE, WEB_APPEND, WEB_EVENTS,
};
use kez_contract::{Code, http};
use serde::Deserialize;

use crate::address::Address;
use crate::app::App;
use crate::body;
use crate::openapi::Envelope;
use crate::page::REVALIDATE;
use crate::parameters::{Primary, Query, one_header};
use crate::problem::{Document, MEDIA_TYPE, Refusal};

const LINES: &str = "application/jsonl";

/// Read a sigchain
///
/// One signed `sigchain_event` a line, in order, as they were stored: verify them, and remember the head. `ETag` is the head
/// of the whole chain.
#[utoipa::path(get, path = http::SIGCHAIN, tag = "Sigchains",
    params(
        ("alg" = String, Path, description = "`ed25519` or `nostr`"),
        ("key" = String, Path, description = "64 hex digits, or `npub1…`"),
        ("since" = Option<u64>, Query, description = "The number of the first event that is wanted; 0, the default, is all"),
        ("If-None-Match" = Option<String>, Header, description = "The head that the client has"),
    ),
    responses(
        (status = 200, description = "Events from that number on", content_type = LINES, body = String,
            headers(("ETag" = String, description = "The head, in quotation marks"))),
        (status = 304, description = "The chain still ends there"),
        (status = 400, description = "malformed, unsupported_key", body = Document, content_type = MEDIA_TYPE),
        (status = 404, description = "not_found: the chain is empty", body = Document, content_type = MEDIA_TYPE),
        (status = 503, description = "unavailable", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn get(
    State(app): State<App>,
    Primary(primary): Primary,
    mut query: Query,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let since = query.number("since", 0..=u64::MAX)?.unwrap_or(0);
    query.finish()?;
    let known = one_header(&headers, header::IF_NONE_MATCH.as_str())?;
    if let Some(known) = known {
        let Head { head, .. } = page(&app, &primary, since, 1).await?.1;
        if names(known, &head) {
            return Ok(
                (StatusCode::NOT_MODIFIED, [REVALIDATE, (header::ETAG, &quoted(&head))]).into_response()
            );
        }
    }
    let (first, head) = page(&app, &primary, since, MAX_PAGE).await?;
    let answer =
        [REVALIDATE, (header::CONTENT_TYPE, LINES), (header::ETAG, &quoted(&head.head))].into_response();
    let rest = lines(app, primary, since, first, head.seq);
    Ok((answer.headers().clone(), Body::from_stream(rest)).into_response())
}

/// Append an event to one's sigchain
///
/// The body is a signed `sigchain_event` of that identity. Answered once it is stored and flushed to disk. The same event again
/// has the same answer.
#[utoipa::path(post, path = http::SIGCHAIN, tag = "Sigchains", request_body = Envelope,
    params(
        ("alg" = String, Path, description = "`ed25519` or `nostr`"),
        ("key" = String, Path, description = "64 hex digits, or `npub1…`"),
    ),
    responses(
        (status = 201, description = "Stored: the event's own number and hash", body = Head),
        (status = 200, description = "It was stored already", body = Head),
        (status = 400, description = "malformed, wrong_envelope, unsupported_version, unsupported_key", body = Document,
            content_type = MEDIA_TYPE),
        (status = 401, description = "key_mismatch, bad_signature", body = Document, content_type = MEDIA_TYPE),
        (status = 409, description = "wrong_seq, wrong_prev, conflict: `current` is where the chain now ends", body = Document,
            content_type = MEDIA_TYPE),
        (status = 413, description = "too_large", body = Document, content_type = MEDIA_TYPE),
        (status = 422, description = "wrong_primary, chain_closed, clock_backwards, already_active, not_active, bad_proof, \
            unknown_op", body = Document, content_type = MEDIA_TYPE),
        (status = 429, description = "rate_limited: as many a minute as messages", body = Document, content_type = MEDIA_TYPE,
            headers(("Retry-After" = u64, description = "Seconds until the next may come"))),
        (status = 503, description = "unavailable", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn append(
    State(app): State<App>,
    Primary(primary): Primary,
    address: Address,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Head>), Refusal> {
    app.appends.check(&address.to_string())?;
    let event: kez_contract::Document = body::json(&headers, body, MAX_EVENT).await?;
    // Whoever is not named exactly once is for the service to refuse, which reads strictly.
    let named: Option<Named> = serde_json::from_str(event.get()).ok();
    if named.is_some_and(|named| named.payload.primary != primary) {
        return Err(Refusal::new(
            Code::WrongPrimary,
            "the event belongs to another identity than the path names",
        ));
    }
    let Appended { created, event } = app.ask(WEB_APPEND, &Append { event }).await?;
    Ok((if created { StatusCode::CREATED } else { StatusCode::OK }, Json(event)))
}

/// Whose event it says it is.
#[derive(Deserialize)]
struct Named {
    payload: Payload,
}

#[derive(Deserialize)]
struct Payload {
    primary: String,
}

async fn page(app: &App, primary: &str, since: u64, limit: u32) -> Result<(EventPage, Head), Refusal> {
    let page = app.ask(WEB_EVENTS, &Events { primary: primary.to_owned(), since, limit }).await?;
    match page.head.clone() {
        Some(head) => Ok((page, head)),
        None => Err(Refusal::new(Code::NotFound, "this sigchain is empty")),
    }
}

/// The events of the first page and those that follow up to number `last`: what is appended meanwhile is not part of this
/// answer. A page that cannot be had breaks the answer off, which its reader notices.
fn lines(
    app: App,
    primary: String,
    since: u64,
    first: EventPage,
    last: u64,
) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(Some((since, Some(first))), move |at| {
        let (app, primary) = (app.clone(), primary.clone());
        async move {
            let (from, read) = at?;
            let page = match read {
                Some(first) => first,
                None => match page(&app, &primary, from, MAX_PAGE).await {
                    Ok((page, _)) => page,
                    Err(refusal) => return Some((Err(io::Error::other(refusal.0)), None)),
                },
            };
            let wanted = usize::try_from((last + 1).saturating_sub(from)).unwrap_or(usize::MAX);
            let events = &page.events[..page.events.len().min(wanted)];
            let next = from + events.len() as u64;
            let more = page.more && next <= last && !events.is_empty();
            Some((Ok(text(events)), more.then_some((next, None))))
        }
    })
}

/// One event a line: between its tokens JSON may have line breaks; inside strings they are escaped.
fn text(events: &[kez_contract::Document]) -> Bytes {
    let mut text = String::with_capacity(events.iter().map(|event| event.get().len() + 1).sum());
    for event in events {
        text.extend(event.get().chars().map(|char| if matches!(char, '\r' | '\n') { ' ' } else { char }));
        text.push('\n');
    }
    text.into()
}

fn quoted(head: &str) -> String {
    format!("\"{head}\"")
}

/// Whether `If-None-Match` names this head (RFC 9110, section 13.1.2).
fn names(header: &str, head: &str) -> bool {
    let same = |tag: &str| tag == "*" || tag.trim_start_matches("W/") == quoted(head);
    header.split(',').any(|tag| same(tag.trim()))
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let event = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let events = [event("{\"a\":\r\n1}"), event("{\"b\":\"x\\n\"}")];
        assert_eq!(text(&events), "{\"a\":  1}\n{\"b\":\"x\\n\"}\n");
        assert_eq!(text(&[]), "");
    }

    #[test]
    fn a_head_is_recognised_among_others() {
        for header in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "*"] {
            assert!(names(header, "a"), "{header}");
        }
        for header in ["a", "\"b\"", "", "\"a", "\"aa\""] {
            assert!(!names(header, "a"), "{header}");
        }
    }
}
