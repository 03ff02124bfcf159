//! Profiles: what people say about themselves, signed.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use kez_contract::http;
use kez_contract::registry::{
    ByHandle, MAX_PROFILE, PutProofs, Record, SignedPut, WEB_PROFILE, WEB_PUT_PROFILE, WEB_PUT_PROOFS,
};

use crate::app::App;
use crate::body;
use crate::openapi::Envelope;
use crate::parameters::{Auth, Name};
use crate::problem::{Document, MEDIA_TYPE, Refusal};

/// 64 subjects of 512 bytes each, and the JSON around them.
const MAX_PROOFS_BODY: usize = 64 * 1024;

/// Read a profile
///
/// The signed `profile` envelope as its owner put it; verify it.
#[utoipa::path(get, path = http::PROFILE, tag = "Profiles",
    params(("handle" = String, Path, description = "Whose profile")),
    responses(
        (status = 200, description = "The envelope", body = Envelope),
        (status = 400, description = "malformed", body = Document, content_type = MEDIA_TYPE),
        (status = 404, description = "not_found", body = Document, content_type = MEDIA_TYPE),
        (status = 503, description = "unavailable", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn get(
    State(app): State<App>,
    Name(handle): Name,
) -> Result<Json<kez_contract::Document>, Refusal> {
    Ok(Json(app.ask(WEB_PROFILE, &ByHandle { handle }).await?.envelope))
}

/// Put one's profile
///
/// The body is a signed `profile` envelope. The request is signed over
/// `PUT\n/v1/profile/<handle>\n<sha-256 hex of the body>\n<ts>`. The latest `updated_at` wins.
#[utoipa::path(put, path = http::PROFILE, tag = "Profiles", request_body = Envelope, security(("X-KEZ-Auth" = [])),
    params(("handle" = String, Path, description = "Whose profile")),
    responses(
        (status = 200, description = "The envelope that now stands", body = Envelope),
        (status = 400, description = "malformed, wrong_envelope, unsupported_version, unsupported_key, \
            stale_timestamp", body = Document, content_type = MEDIA_TYPE),
        (status = 401, description = "unauthorized, key_mismatch, bad_signature", body = Document, content_type = MEDIA_TYPE),
        (status = 404, description = "not_found", body = Document, content_type = MEDIA_TYPE),
        (status = 409, description = "outdated", body = Document, content_type = MEDIA_TYPE),
        (status = 413, description = "too_large", body = Document, content_type = MEDIA_TYPE),
        (status = 503, description = "unavailable", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn put(
    State(app): State<App>,
    Name(handle): Name,
    Auth(auth): Auth,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<kez_contract::Document>, Refusal> {
    let body = body::text(&headers, body, MAX_PROFILE).await?;
    Ok(Json(app.ask(WEB_PUT_PROFILE, &SignedPut { handle, auth, body }).await?.envelope))
}

/// Say which accounts are one's own
///
/// For discovery only: readers verify each. The request is signed over
/// `PUT\n/v1/profile/<handle>/proofs\n<sha-256 hex of the body>\n<ts>`.
#[utoipa::path(put, path = http::PROOFS, tag = "Profiles", request_body = PutProofs, security(("X-KEZ-Auth" = [])),
    params(("handle" = String, Path, description = "Whose accounts")),
    responses(
        (status = 200, description = "The record with them", body = Record),
        (status = 400, description = "malformed, stale_timestamp", body = Document, content_type = MEDIA_TYPE),
        (status = 401, description = "unauthorized, bad_signature", body = Document, content_type = MEDIA_TYPE),
        (status = 404, description = "not_found", body = Document, content_type = MEDIA_TYPE),
        (status = 413, description = "too_large", body = Document, content_type = MEDIA_TYPE),
        (status = 503, description = "unavailable", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn put_proofs(
    State(app): State<App>,
    Name(handle): Name,
    Auth(auth): Auth,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Record>, Refusal> {
    let body = body::text(&headers, body, MAX_PROOFS_BODY).await?;
    Ok(Json(app.ask(WEB_PUT_PROOFS, &SignedPut { handle, auth, body }).await?))
}
