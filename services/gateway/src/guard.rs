//! What holds for every request, whatever its route: headers, patience, how many of one address, and panics.

use std::any::Any;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use kez_contract::{Code, Problem, http};
use tracing::Instrument;

use crate::address::Address;
use crate::app::App;
use crate::problem::Refusal;

/// A request that has no answer by then is given up. Streams and tunnels have theirs when they are open.
const PATIENCE: Duration = Duration::from_secs(30);

/// These wait for nobody's requests: machines that watch over the gateway ask two of them, and tunnels have a limit of
/// their own.
const UNCOUNTED: [&str; 3] = [http::HEALTHZ, http::READYZ, http::NATS];

/// Nothing here runs scripts, is framed, or loads anything from elsewhere.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

const HEADERS: [(HeaderName, &str); 7] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Adds what every answer carries, where the route has not said otherwise.
pub async fn headers(mut response: Response) -> Response {
    let present: &mut HeaderMap = response.headers_mut();
    for (name, value) in HEADERS {
        present.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Lets so many requests of one address through at once, each for so long. A body that arrives slowly counts.
pub async fn pace(State(app): State<App>, address: Address, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str);
    let span = tracing::info_span!(target: "kez_gateway", "request", route);
    let seat = (!UNCOUNTED.contains(&route)).then(|| app.requests.take(address)).transpose();
    match seat {
        Ok(_until_answered) => patiently(next.run(request).instrument(span)).await,
        Err(problem) => Refusal(problem).into_response(),
    }
}

async fn patiently(answer: impl Future<Output = Response>) -> Response {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(response) => response,
        Err(_) => {
            let detail = format!("there was no answer within {} s", PATIENCE.as_secs());
            Refusal::new(Code::RequestTimeout, detail).into_response()
        }
    }
}

/// A panic is a bug of ours; its message went to the log and stays there.
pub fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request ended in a panic");
    Refusal(Problem::new(Code::Internal, Code::Internal.title())).into_response()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use hyper::service::Service;
    use hyper_util::service::TowerToHyperService;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;

    async fn broken() -> &'static str {
        panic!("alice")
    }

    async fn code(response: Response) -> String {
        let body = to_bytes(response.into_body(), 4096).await.unwrap();
        let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert!(!document.to_string().contains("alice"));
        document["code"].as_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_without_its_message() {
        let router = Router::new().route("/", get(broken)).layer(CatchPanicLayer::custom(panicked));
        let request = Request::get("/").body(Body::empty()).unwrap();
        let response = TowerToHyperService::new(router).call(request).await.unwrap();
        assert_eq!(response.status(), 500);
        assert_eq!(code(response).await, "internal");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let response = patiently(std::future::pending()).await;
        assert_eq!(response.status(), 408);
        assert_eq!(code(response).await, "request_timeout");
    }
}
