//! Claims: who says that an account is theirs, and whether the account agrees.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use kez_contract::http;
use kez_contract::sigchain::{BySubject, Claimants, Verdict, Verify, WEB_CLAIMANTS, WEB_VERIFY};

use crate::address::Address;
use crate::app::App;
use crate::parameters::Query;
use crate::problem::{Document, MEDIA_TYPE, Refusal};

/// An account may be slow, and is waited for; whoever asked here waits no longer than for any answer (guard.rs).
const PATIENCE: Duration = Duration::from_secs(25);

/// Find who claims an account
///
/// Each with the event that claims it. For discovery only: read the sigchain, and verify it and the account.
#[utoipa::path(get, path = http::CLAIMS, tag = "Sigchains",
    params(
        ("subject" = String, Query, description = "`github:alice`"),
        ("after" = Option<String>, Query, description = "The last primary of the page before"),
    ),
    responses(
        (status = 200, description = "In the order of their primaries", body = Claimants),
        (status = 400, description = "malformed", body = Document, content_type = MEDIA_TYPE),
        (status = 503, description = "unavailable", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn claimants(State(app): State<App>, mut query: Query) -> Result<Json<Claimants>, Refusal> {
    let subject = query.needed("subject")?;
    let after = query.one("after")?;
    query.finish()?;
    Ok(Json(app.ask(WEB_CLAIMANTS, &BySubject { subject, after }).await?))
}

/// Check whether an account agrees
///
/// Looks where the account publishes; the answer may be a day old unless a fresh one is asked for.
#[utoipa::path(get, path = http::VERIFY, tag = "Sigchains",
    params(
        ("subject" = String, Query, description = "`github:alice`"),
        ("primary" = String, Query, description = "`ed25519:<64 hex>` or `nostr:npub1…`"),
        ("fresh" = Option<bool>, Query, description = "`true` to look now"),
    ),
    responses(
        (status = 200, description = "What was found", body = Verdict),
        (status = 400, description = "malformed", body = Document, content_type = MEDIA_TYPE),
        (status = 422, description = "unsupported_subject", body = Document, content_type = MEDIA_TYPE),
        (status = 429, description = "rate_limited: fewer of the fresh ones", body = Document, content_type = MEDIA_TYPE,
            headers(("Retry-After" = u64, description = "Seconds until the next may come"))),
        (status = 503, description = "unavailable", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn verify(
    State(app): State<App>,
    address: Address,
    mut query: Query,
) -> Result<Json<Verdict>, Refusal> {
    let (subject, primary) = (query.needed("subject")?, query.needed("primary")?);
    let fresh = match query.one("fresh")?.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Refusal::malformed("fresh is true or false")),
    };
    query.finish()?;
    app.verifications.check(&address.to_string())?;
    if fresh {
        app.fresh_verifications.check(&address.to_string())?;
    }
    let asked = Verify { subject, primary, fresh };
    Ok(Json(kez_service::ask::ask_patiently(&app.nats, WEB_VERIFY, &asked, PATIENCE).await?))
}
