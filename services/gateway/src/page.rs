//! The pages that people see: a landing page that says what this server is, and the frame around others.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{Html, IntoResponse, Response};
use bytes::Bytes;
use kez_contract::http;

use crate::app::App;
use crate::config::Settings;
use crate::openapi;

const LANDING: &str = include_str!("../pages/landing.html");
const STYLE: &str = include_str!("../pages/landing.css");

/// A copy may be kept, and must be asked about before it is shown.
pub const REVALIDATE: (HeaderName, &str) = (header::CACHE_CONTROL, "no-cache");

/// What was made ready at the start.
pub struct Pages {
    landing: Bytes,
    openapi: Bytes,
}

impl Pages {
    pub fn new(settings: &Settings) -> anyhow::Result<Self> {
        let elsewhere = format!("https://{}", settings.server);
        let url = settings.public_url.as_deref().unwrap_or(&elsewhere);
        let landing = LANDING
            .replace("{{server}}", &escape(&settings.server))
            .replace("{{url}}", &escape(url))
            .replace("{{version}}", env!("CARGO_PKG_VERSION"));
        let openapi = openapi::document(settings.public_url.as_deref()).to_json()?;
        Ok(Self { landing: landing.into(), openapi: openapi.into() })
    }
}

/// Open the web client, or see what this server is where there is none
#[utoipa::path(get, path = http::LANDING, tag = "Server",
    responses((status = 200, description = "A page for people", content_type = "text/html", body = String)))]
pub async fn landing(State(app): State<App>, headers: HeaderMap) -> Response {
    // Without the web client there is still something to say.
    let plain = || ([REVALIDATE], Html(app.pages.landing.clone())).into_response();
    app.assets.index(&headers).unwrap_or_else(plain)
}

/// The style of the pages
#[utoipa::path(get, path = http::LANDING_STYLE, tag = "Server",
    responses((status = 200, description = "A style sheet", content_type = "text/css", body = String)))]
pub async fn style() -> Response {
    ([REVALIDATE, (header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

/// Read this document
#[utoipa::path(get, path = http::OPENAPI, tag = "Server",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = Object)))]
pub async fn openapi(State(app): State<App>) -> Response {
    let headers = [REVALIDATE, (header::CONTENT_TYPE, "application/json")];
    (headers, app.pages.openapi.clone()).into_response()
}

/// A page with this body.
pub fn document(title: &str, body: &str) -> String {
    let style = http::LANDING_STYLE;
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} · Kez</title>\n<link rel=\"icon\" href=\"data:,\">\n\
         <link rel=\"stylesheet\" href=\"{style}\">\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn a_configured_name_is_text_and_nothing_else() {
        let flags = ["kez-gateway", "--nats-seed-file=x", "--public-url=https://a.example/<b>?\"&amp;"];
        let pages = Pages::new(&crate::Config::parse_from(flags).settings).unwrap();
        let page = String::from_utf8(pages.landing.to_vec()).unwrap();
        assert!(page.contains("curl https://a.example/&lt;b&gt;?&quot;&amp;amp;/v1/u/alice"), "{page}");
        assert!(!page.contains("{{") && !page.contains("<b>"));
    }
}
