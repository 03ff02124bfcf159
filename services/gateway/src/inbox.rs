//! The inbox: mail by the page.

use axum::Json;
use axum::extract::State;
use kez_contract::http;
use kez_contract::inbox::{MAX_PAGE, Page, SignedFetch, WEB_FETCH};

use crate::app::App;
use crate::parameters::{Auth, Name, Query};
use crate::problem::{Document, MEDIA_TYPE, Refusal};

const DEFAULT_LIMIT: u64 = 100;

/// Read a page of one's mailbox
///
/// Signed over `GET\n/v1/inbox/<handle>\nsince=<n>\n<ts>`, with `since=0` where the query has none.
#[utoipa::path(get, path = http::INBOX, tag = "Inbox", security(("X-KEZ-Auth" = [])),
    params(
        ("handle" = String, Path, description = "Whose mailbox"),
        ("since" = Option<u64>, Query, description = "After this sequence; 0, the default, is from the oldest"),
        ("limit" = Option<u32>, Query, description = "Messages at most, 1 to 500; the default is 100"),
    ),
    responses(
        (status = 200, description = "Messages in the order of their sequence", body = Page),
        (status = 400, description = "malformed, stale_timestamp", body = Document, content_type = MEDIA_TYPE),
        (status = 401, description = "unauthorized, bad_signature", body = Document, content_type = MEDIA_TYPE),
        (status = 404, description = "not_found", body = Document, content_type = MEDIA_TYPE),
        (status = 429, description = "rate_limited", body = Document, content_type = MEDIA_TYPE),
        (status = 503, description = "unavailable", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn fetch(
    State(app): State<App>,
    Name(handle): Name,
    Auth(auth): Auth,
    mut query: Query,
) -> Result<Json<Page>, Refusal> {
    let since = query.number("since", 0..=u64::MAX)?.unwrap_or(0);
    let limit = query.number("limit", 1..=u64::from(MAX_PAGE))?.unwrap_or(DEFAULT_LIMIT);
    query.finish()?;
    let limit = u32::try_from(limit).unwrap_or(MAX_PAGE);
    Ok(Json(app.ask(WEB_FETCH, &SignedFetch { handle, auth, since, limit }).await?))
}
