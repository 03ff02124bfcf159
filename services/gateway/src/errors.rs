//! What a code means, for people who followed the `type` of a problem document.

use axum::response::Html;
use kez_contract::{Code, http};

use crate::page::document;
use crate::parameters::Name;
use crate::problem::{Document, MEDIA_TYPE, Refusal};

/// Read what an error code means
#[utoipa::path(get, path = http::ERROR, tag = "Server",
    params(("code" = String, Path, description = "The code of a problem document")),
    responses(
        (status = 200, description = "A page for people", content_type = "text/html", body = String),
        (status = 404, description = "not_found", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn explain(Name(name): Name) -> Result<Html<String>, Refusal> {
    let Some(code) = Code::named(&name) else {
        return Err(Refusal::new(Code::NotFound, "there is no error of that name"));
    };
    let (name, status, title) = (code.as_str(), code.status(), code.title());
    let advice = advice(code);
    Ok(Html(document(
        name,
        &format!(
            "<h1><code>{name}</code></h1>\n<p>{title}</p>\n<p>{advice}</p>\n<p class=\"muted\">HTTP status {status}. The <code>detail</code> of the answer says what was wrong with that one request.</p>\n"
        ),
    )))
}

/// What to do about it.
fn advice(code: Code) -> &'static str {
    match code.status() {
        429 | 503 => "The same request may succeed later: <code>Retry-After</code> says when.",
        507 => "The same message can be sent again once its recipient has read some mail.",
        500 => "It is not the request's fault; the operator finds it in the log.",
        408 => "Send the request again, faster.",
        _ => "The same request will be refused again: change it first.",
    }
}
