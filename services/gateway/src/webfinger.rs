//! WebFinger (RFC 7033): how other servers find somebody here.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use kez_contract::http;
use kez_contract::registry::{ResourceDescriptor, WEB_WEBFINGER, WebFinger};

use crate::app::App;
use crate::parameters::Query;
use crate::problem::{Document, MEDIA_TYPE, Refusal};

const DESCRIPTOR: &str = "application/jrd+json";
/// Pages of any origin may read what is public anyway (RFC 7033, section 5).
const CORS: (HeaderName, &str) = (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");

/// Find somebody by address
#[utoipa::path(get, path = http::WEBFINGER, tag = "People",
    params(
        ("resource" = String, Query, description = "`acct:alice@server`"),
        ("rel" = Option<Vec<String>>, Query, description = "Relations wanted; may stand several times; all without it"),
    ),
    responses(
        (status = 200, description = "The JSON resource descriptor", body = ResourceDescriptor, content_type = DESCRIPTOR),
        (status = 400, description = "malformed: no resource, or a broken one", body = Document, content_type = MEDIA_TYPE),
        (status = 404, description = "not_found", body = Document, content_type = MEDIA_TYPE),
        (status = 503, description = "unavailable", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn find(State(app): State<App>, query: Result<Query, Refusal>) -> Response {
    let answer = match query {
        Ok(query) => descriptor(&app, query).await,
        Err(refusal) => Err(refusal),
    };
    let answer = answer.map(|descriptor| ([(header::CONTENT_TYPE, DESCRIPTOR)], Json(descriptor)));
    ([CORS], answer).into_response()
}

/// Unknown parameters are ignored here, as servers of this protocol do.
async fn descriptor(app: &App, mut query: Query) -> Result<ResourceDescriptor, Refusal> {
    let rels = query.all("rel");
    match query.one("resource")? {
        Some(resource) if !resource.is_empty() => app.ask(WEB_WEBFINGER, &WebFinger { resource, rels }).await,
        _ => Err(Refusal::malformed("the parameter resource is missing: acct:handle@server")),
    }
}
