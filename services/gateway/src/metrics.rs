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
use kez_contract::push::{OUTCOMES, WEB_VAPID_KEY};
use kez_contract::roll_call;
use serde_json::Value;
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
    pushes(&mut text, stats);
    text
}

/// What the push service tells of itself, beside each of its calls.
fn pushes(text: &mut String, stats: &[Stats]) {
    let replicas = stats.iter().filter(|replica| replica.name == WEB_VAPID_KEY.service());
    let told: Vec<_> = replicas
        .filter_map(|replica| Some((escape(&replica.id), replica.endpoints.first()?.data.as_ref()?)))
        .collect();
    family(text, "kez_push_total", "counter", "What became of mail for people who have push subscriptions");
    for outcome in OUTCOMES.map(|outcome| outcome.as_str()) {
        for (replica, counts) in &told {
            if let Some(count) = counts.get(outcome).and_then(Value::as_u64) {
                sample(
                    text,
                    "kez_push_total",
                    &format!("outcome=\"{outcome}\",replica=\"{replica}\""),
                    count,
                );
            }
        }
    }
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
    fn pushes_are_counted_by_what_became_of_them() {
        let endpoint = |data: &Value| {
            serde_json::json!({
                "name": "web-vapid-key", "subject": "kez.web.push.vapid-key", "queue_group": "q", "num_requests": 0,
                "num_errors": 0, "processing_time": 0, "average_processing_time": 0, "last_error": "", "data": data,
            })
        };
        let replica = |name, id, data: &Value| -> Stats {
            let stats = serde_json::json!({
                "type": "io.nats.micro.v1.stats_response", "name": name, "id": id, "version": "0.1.0",
                "started": "2026-05-25T03:00:00Z",
                // The same data stands at every call; it counts once.
                "endpoints": [endpoint(data), endpoint(data)],
            });
            serde_json::from_value(stats).unwrap()
        };
        let counts = serde_json::json!({ "accepted": 3, "gone": 1, "secret": 7, "failed": "many" });
        let stats =
            [replica("push", "a", &counts), replica("push", "b", &counts), replica("inbox", "c", &counts)];
        let mut text = String::new();
        pushes(&mut text, &stats);
        let samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            samples,
            [
                r#"kez_push_total{outcome="accepted",replica="a"} 3"#,
                r#"kez_push_total{outcome="accepted",replica="b"} 3"#,
                r#"kez_push_total{outcome="gone",replica="a"} 1"#,
                r#"kez_push_total{outcome="gone",replica="b"} 1"#,
            ]
        );
    }

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
