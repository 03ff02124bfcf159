//! Numbers for operators, in Prometheus' text format: the gateway's own, and every service's from `$SRV.STATS`. No label
//! ever names a person, a key or an address.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_nats::service::Stats;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use kez_contract::roll_call;
use tokio::time::Instant;

use crate::app::App;

const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Services answer in a few milliseconds.
const ROLL_CALL: Duration = Duration::from_millis(200);

/// Requests since the start, by what was asked and what came of it.
#[derive(Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<Kind, Tally>>,
}

/// The route's template, the method and the status.
type Kind = (String, &'static str, u16);

#[derive(Default, Clone, Copy)]
struct Tally {
    requests: u64,
    seconds: f64,
}

/// Counts every request of the public listener. A stream counts when it opens.
pub async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str).to_owned();
    let method = known(request.method());
    let started = Instant::now();
    let response = next.run(request).await;
    let mut requests = app.metrics.requests.lock().unwrap_or_else(PoisonError::into_inner);
    let tally = requests.entry((route, method, response.status().as_u16())).or_default();
    tally.requests += 1;
    tally.seconds += started.elapsed().as_secs_f64();
    drop(requests);
    response
}

/// The answer to `GET /metrics`.
pub async fn metrics(State(app): State<App>) -> Response {
    match kez_service::roll_call::gather(&app.nats, &roll_call::STATS, ROLL_CALL).await {
        Ok(stats) => ([(header::CONTENT_TYPE, MEDIA_TYPE)], own(&app) + &services(&stats)).into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn own(app: &App) -> String {
    let requests = app.metrics.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut text = String::new();
    family(&mut text, "kez_gateway_requests_total", "counter", "Requests answered");
    for ((route, method, status), tally) in &requests {
        let labels = format!("route=\"{}\",method=\"{method}\",status=\"{status}\"", escape(route));
        sample(&mut text, "kez_gateway_requests_total", &labels, tally.requests);
    }
    family(&mut text, "kez_gateway_request_seconds_total", "counter", "Seconds spent until the answer began");
    for ((route, method, status), tally) in &requests {
        let labels = format!("route=\"{}\",method=\"{method}\",status=\"{status}\"", escape(route));
        sample(&mut text, "kez_gateway_request_seconds_total", &labels, tally.seconds);
    }
    family(&mut text, "kez_gateway_streams", "gauge", "Inbox streams that are open");
    sample(&mut text, "kez_gateway_streams", "", app.streams.taken());
    family(&mut text, "kez_gateway_tunnels", "gauge", "Tunnels to the broker that are open");
    sample(&mut text, "kez_gateway_tunnels", "", app.tunnels.taken());
    text
}

fn services(stats: &[Stats]) -> String {
    let mut text = String::new();
    let endpoints: Vec<(String, &async_nats::service::endpoint::Stats)> = stats
        .iter()
        .flat_map(|replica| {
            replica.endpoints.iter().map(|endpoint| {
                let [service, name, id] =
                    [&replica.name, &endpoint.name, &replica.id].map(|label| escape(label));
                (format!("service=\"{service}\",endpoint=\"{name}\",replica=\"{id}\""), endpoint)
            })
        })
        .collect();
    family(
        &mut text,
        "kez_service_requests_total",
        "counter",
        "Calls answered, by service, call and replica",
    );
    for (labels, endpoint) in &endpoints {
        sample(&mut text, "kez_service_requests_total", labels, endpoint.requests);
    }
    family(&mut text, "kez_service_errors_total", "counter", "Calls refused or failed");
    for (labels, endpoint) in &endpoints {
        sample(&mut text, "kez_service_errors_total", labels, endpoint.errors);
    }
    family(&mut text, "kez_service_processing_seconds_total", "counter", "Seconds spent on calls");
    for (labels, endpoint) in &endpoints {
        let seconds = endpoint.processing_time.as_secs_f64();
        sample(&mut text, "kez_service_processing_seconds_total", labels, seconds);
    }
    text
}

fn family(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

fn sample(text: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let _ = if labels.is_empty() {
        writeln!(text, "{name} {value}")
    } else {
        writeln!(text, "{name}{{{labels}}} {value}")
    };
}

fn escape(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Methods that nobody knows share one label: their names are the client's to choose.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_services_are_told_apart_by_replica() {
        let replica = serde_json::json!({
            "type": "io.nats.micro.v1.stats_response", "name": "inbox", "id": "a\"b", "version": "0.1.0",
            "started": "2026-05-25T03:00:00Z",
            "endpoints": [{
                "name": "web-send", "subject": "kez.web.inbox.send", "queue_group": "q", "num_requests": 3,
                "num_errors": 1, "processing_time": 1_500_000_000, "average_processing_time": 500_000_000,
                "last_error": "",
            }],
        });
        insta::assert_snapshot!(services(&[serde_json::from_value(replica).unwrap()]));
    }
}
