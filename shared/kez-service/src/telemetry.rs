//! Logs to standard error and, where an endpoint is configured, traces to OpenTelemetry.
//!
//! At `info` and above no line holds a handle, a key, an address or a size; a test greps for them.

use std::io::IsTerminal;

use anyhow::{Context, Result};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{LogFormat, TelemetryConfig};

/// Libraries tell at info what concerns nobody who runs Kez; `KEZ_LOG` may name them to hear more.
const QUIET_LIBRARIES: &str = "async_nats=warn,sea_orm=warn,sea_orm_migration=warn,sqlx=warn";

/// Sends what was traced when it is dropped, also after an error.
#[must_use = "telemetry ends when this is dropped"]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.provider.take().map(|provider| provider.shutdown()) {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Starts logging and tracing for this process.
pub fn start(service: &str, config: &TelemetryConfig) -> Result<Telemetry> {
    let filter = EnvFilter::try_new(format!("{QUIET_LIBRARIES},{}", config.filter))
        .context("KEZ_LOG is not a filter such as info or inbox=debug")?;
    let provider = config.otlp_endpoint.as_deref().map(|endpoint| exporter(service, endpoint)).transpose()?;
    let traces = provider.as_ref().map(|provider| {
        tracing_opentelemetry::layer().with_tracer(provider.tracer("kez")).with_filter(
            // Export our own spans alone: those of libraries name subjects, and subjects name people. So may our own
            // words at debug.
            tracing_subscriber::filter::filter_fn(|metadata| {
                metadata.target().starts_with("kez") && *metadata.level() <= tracing::Level::INFO
            }),
        )
    });
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    let lines = match config.log_format {
        LogFormat::Json => lines.json().boxed(),
        LogFormat::Text => lines.compact().boxed(),
    };
    tracing_subscriber::registry()
        .with(traces)
        .with(lines.with_filter(filter))
        .try_init()
        .context("telemetry was started already")?;
    Ok(Telemetry { provider })
}

fn exporter(service: &str, endpoint: &str) -> Result<SdkTracerProvider> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()
        .context("OTEL_EXPORTER_OTLP_ENDPOINT cannot be used")?;
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(Resource::builder().with_service_name(format!("kez-{service}")).build())
        .build())
}
