//! Push: which devices are woken when there is mail.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use kez_contract::http;
use kez_contract::push::{
    AskVapidKey, MAX_PUSH_REQUEST, SignedList, SignedPush, Subscribe, Subscriptions, Unsubscribe, VapidKey,
    WEB_SUBSCRIBE, WEB_SUBSCRIPTIONS, WEB_UNSUBSCRIBE, WEB_VAPID_KEY,
};

use crate::app::App;
use crate::body;
use crate::parameters::{Auth, Name};
use crate::problem::{Document, MEDIA_TYPE, Refusal};

/// Learn which key pushes are signed with
///
/// The `applicationServerKey` of a push subscription (RFC 8292). A subscription is good for this key alone.
#[utoipa::path(get, path = http::VAPID_KEY, tag = "Push",
    responses(
        (status = 200, description = "The key", body = VapidKey),
        (status = 503, description = "unavailable", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn vapid_key(State(app): State<App>) -> Result<Json<VapidKey>, Refusal> {
    Ok(Json(app.ask(WEB_VAPID_KEY, &AskVapidKey {}).await?))
}

/// Have a device woken when there is mail
///
/// The body is a push subscription, as browsers and UnifiedPush give it. A push to it has no content. The request is signed
/// over `POST\n/v1/push/subscribe/<handle>\n<endpoint>\n<ts>`. The same endpoint again replaces its keys.
#[utoipa::path(post, path = http::PUSH_SUBSCRIBE, tag = "Push", request_body = Subscribe, security(("X-KEZ-Auth" = [])),
    params(("handle" = String, Path, description = "Whose device")),
    responses(
        (status = 200, description = "The subscriptions that now stand", body = Subscriptions),
        (status = 400, description = "malformed, invalid_subscription, stale_timestamp", body = Document,
            content_type = MEDIA_TYPE),
        (status = 401, description = "unauthorized, bad_signature", body = Document, content_type = MEDIA_TYPE),
        (status = 404, description = "not_found", body = Document, content_type = MEDIA_TYPE),
        (status = 409, description = "too_many_subscriptions", body = Document, content_type = MEDIA_TYPE),
        (status = 413, description = "too_large", body = Document, content_type = MEDIA_TYPE),
        (status = 429, description = "rate_limited", body = Document, content_type = MEDIA_TYPE),
        (status = 503, description = "unavailable", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn subscribe(
    State(app): State<App>,
    Name(handle): Name,
    Auth(auth): Auth,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Subscriptions>, Refusal> {
    let body = body::text(&headers, body, MAX_PUSH_REQUEST).await?;
    Ok(Json(app.ask(WEB_SUBSCRIBE, &SignedPush { handle, auth, body }).await?))
}

/// Let a device sleep
///
/// The request is signed over `POST\n/v1/push/unsubscribe/<handle>\n<endpoint>\n<ts>`. It is not an error when there is no such
/// subscription.
#[utoipa::path(post, path = http::PUSH_UNSUBSCRIBE, tag = "Push", request_body = Unsubscribe,
    security(("X-KEZ-Auth" = [])),
    params(("handle" = String, Path, description = "Whose device")),
    responses(
        (status = 200, description = "The subscriptions that now stand", body = Subscriptions),
        (status = 400, description = "malformed, stale_timestamp", body = Document, content_type = MEDIA_TYPE),
        (status = 401, description = "unauthorized, bad_signature", body = Document, content_type = MEDIA_TYPE),
        (status = 404, description = "not_found", body = Document, content_type = MEDIA_TYPE),
        (status = 413, description = "too_large", body = Document, content_type = MEDIA_TYPE),
        (status = 429, description = "rate_limited", body = Document, content_type = MEDIA_TYPE),
        (status = 503, description = "unavailable", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn unsubscribe(
    State(app): State<App>,
    Name(handle): Name,
    Auth(auth): Auth,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Subscriptions>, Refusal> {
    let body = body::text(&headers, body, MAX_PUSH_REQUEST).await?;
    Ok(Json(app.ask(WEB_UNSUBSCRIBE, &SignedPush { handle, auth, body }).await?))
}

/// Read which devices are woken
///
/// Signed over `GET\n/v1/push/subscriptions/<handle>\n<ts>`. Who finds theirs missing subscribes again: push networks end
/// subscriptions without telling their owner.
#[utoipa::path(get, path = http::PUSH_SUBSCRIPTIONS, tag = "Push", security(("X-KEZ-Auth" = [])),
    params(("handle" = String, Path, description = "Whose devices")),
    responses(
        (status = 200, description = "The subscriptions, the oldest first", body = Subscriptions),
        (status = 400, description = "malformed, stale_timestamp", body = Document, content_type = MEDIA_TYPE),
        (status = 401, description = "unauthorized, bad_signature", body = Document, content_type = MEDIA_TYPE),
        (status = 404, description = "not_found", body = Document, content_type = MEDIA_TYPE),
        (status = 429, description = "rate_limited", body = Document, content_type = MEDIA_TYPE),
        (status = 503, description = "unavailable", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn subscriptions(
    State(app): State<App>,
    Name(handle): Name,
    Auth(auth): Auth,
) -> Result<Json<Subscriptions>, Refusal> {
    Ok(Json(app.ask(WEB_SUBSCRIPTIONS, &SignedList { handle, auth }).await?))
}
