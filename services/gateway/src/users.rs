//! People: who is registered, and becoming so.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use kez_contract::http;
use kez_contract::registry::{
    ByHandle, ByPrimary, MAX_REGISTRATION, Record, Register, Registered, WEB_BY_PRIMARY, WEB_LOOKUP,
    WEB_REGISTER,
};

use crate::address::Address;
use crate::app::App;
use crate::body;
use crate::openapi::Envelope;
use crate::parameters::Name;
use crate::problem::{Document, MEDIA_TYPE, Refusal};

/// Register a handle
///
/// The body is a signed `handle_registration` envelope.
#[utoipa::path(post, path = http::REGISTER, tag = "People", request_body = Envelope,
    responses(
        (status = 201, description = "Registered", body = Record),
        (status = 200, description = "It was registered already: the record that stands", body = Record),
        (status = 400, description = "malformed, wrong_envelope, unsupported_version, unsupported_key, invalid_handle, \
            reserved_handle, wrong_server, stale_timestamp", body = Document, content_type = MEDIA_TYPE),
        (status = 401, description = "key_mismatch, bad_signature", body = Document, content_type = MEDIA_TYPE),
        (status = 409, description = "handle_taken, primary_taken, key_rotated", body = Document, content_type = MEDIA_TYPE),
        (status = 413, description = "too_large", body = Document, content_type = MEDIA_TYPE),
        (status = 429, description = "rate_limited", body = Document, content_type = MEDIA_TYPE),
        (status = 503, description = "unavailable", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn register(
    State(app): State<App>,
    address: Address,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Record>), Refusal> {
    app.registrations.check(&address.to_string())?;
    let envelope = body::json(&headers, body, MAX_REGISTRATION).await?;
    let Registered { created, record } = app.ask(WEB_REGISTER, &Register { envelope }).await?;
    Ok((if created { StatusCode::CREATED } else { StatusCode::OK }, Json(record)))
}

/// Look somebody up by handle
#[utoipa::path(get, path = http::USER, tag = "People",
    params(("handle" = String, Path, description = "`alice`, or `alice@server`")),
    responses(
        (status = 200, description = "The record", body = Record),
        (status = 400, description = "malformed", body = Document, content_type = MEDIA_TYPE),
        (status = 404, description = "not_found", body = Document, content_type = MEDIA_TYPE),
        (status = 503, description = "unavailable", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn by_handle(State(app): State<App>, Name(handle): Name) -> Result<Json<Record>, Refusal> {
    Ok(Json(app.ask(WEB_LOOKUP, &ByHandle { handle }).await?))
}

/// Look somebody up by primary
#[utoipa::path(get, path = http::BY_PRIMARY, tag = "People",
    params(("primary" = String, Path, description = "`ed25519:<64 hex>`")),
    responses(
        (status = 200, description = "The record", body = Record),
        (status = 400, description = "malformed, unsupported_key", body = Document, content_type = MEDIA_TYPE),
        (status = 404, description = "not_found", body = Document, content_type = MEDIA_TYPE),
        (status = 409, description = "key_rotated: the handle has moved to a successor", body = Document,
            content_type = MEDIA_TYPE),
        (status = 503, description = "unavailable", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn by_primary(State(app): State<App>, Name(primary): Name) -> Result<Json<Record>, Refusal> {
    Ok(Json(app.ask(WEB_BY_PRIMARY, &ByPrimary { primary }).await?))
}
