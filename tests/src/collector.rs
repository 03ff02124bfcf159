//! Where traces go in a test: takes what services export (OTLP over HTTP), and reads it.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use prost::Message;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A collector that keeps everything.
pub struct Collector {
    address: SocketAddr,
    exported: Exported,
    /// Ends with the collector.
    _server: JoinSet<()>,
}

type Exported = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// A span as it was exported; ids in hex.
#[derive(Debug, Clone)]
pub struct Span {
    /// `kez-inbox` …
    pub service: String,
    pub name: String,
    pub trace: String,
    pub id: String,
    /// Empty for the first of a trace.
    pub parent: String,
    pub attributes: Vec<(String, String)>,
    /// The names of what happened in it.
    pub events: Vec<String>,
}

impl Collector {
    pub async fn start() -> Self {
        let exported = Exported::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/v1/traces", post(keep)).with_state(exported.clone());
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, exported, _server: server }
    }

    /// What services are told as `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All bytes that came, bodies and headers.
    pub fn bytes(&self) -> Vec<u8> {
        let exported = self.exported.lock().unwrap();
        // Every export names the collector itself as its host.
        let host = self.address.to_string();
        let headers =
            exported.iter().flat_map(|(headers, _)| headers.iter().map(|header| format!("{header:?}")));
        let headers: String = headers.map(|header| header.replace(&host, "")).collect();
        let bodies = exported.iter().flat_map(|(_, body)| body.iter().copied());
        bodies.chain(headers.bytes()).collect()
    }

    /// Every span that was exported so far.
    pub fn spans(&self) -> Vec<Span> {
        let exported = self.exported.lock().unwrap();
        let requests =
            exported.iter().map(|(_, body)| ExportTraceServiceRequest::decode(body.clone()).unwrap());
        requests.flat_map(|request| request.resource_spans).flat_map(spans).collect()
    }
}

impl Span {
    /// The value of an attribute; empty without it.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }
}

async fn keep(State(exported): State<Exported>, headers: HeaderMap, body: Bytes) {
    exported.lock().unwrap().push((headers, body));
}

fn spans(of: ResourceSpans) -> Vec<Span> {
    let resource = texts(of.resource.unwrap_or_default().attributes);
    let service = resource.into_iter().find(|(name, _)| name == "service.name").unwrap().1;
    let spans = of.scope_spans.into_iter().flat_map(|scope| scope.spans);
    spans
        .map(|span| Span {
            service: service.clone(),
            name: span.name,
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            attributes: texts(span.attributes),
            events: span.events.into_iter().map(|event| event.name).collect(),
        })
        .collect()
}

fn texts(attributes: Vec<KeyValue>) -> Vec<(String, String)> {
    attributes.into_iter().map(|attribute| (attribute.key, text(attribute.value))).collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(any_value::Value::StringValue(text)) => text,
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
