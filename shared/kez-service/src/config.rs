//! Flags and environment variables that every service shares. Each is read once, at start.

use std::path::PathBuf;

use clap::Args;

/// Where the broker is and who we are to it.
#[derive(Debug, Clone, Args)]
pub struct NatsConfig {
    /// URL of the NATS server, or several separated by commas
    #[arg(
        long = "nats-url",
        env = "KEZ_NATS_URL",
        value_name = "KEZ_NATS_URL",
        default_value = "nats://127.0.0.1:4222"
    )]
    pub url: String,

    /// File that holds this service's nkey seed (SU…), readable by its owner only
    #[arg(long = "nats-seed-file", env = "KEZ_NATS_SEED_FILE", value_name = "KEZ_NATS_SEED_FILE")]
    pub seed_file: PathBuf,

    /// Calls that one replica works on at once; more wait their turn
    #[arg(long, env = "KEZ_CONCURRENCY", value_name = "KEZ_CONCURRENCY", default_value_t = 1024,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub concurrency: u32,
}

/// What is logged, how, and where traces go.
#[derive(Debug, Clone, Args)]
pub struct TelemetryConfig {
    /// What to log, in tracing's filter syntax
    #[arg(long = "log", env = "KEZ_LOG", value_name = "KEZ_LOG", default_value = "info")]
    pub filter: String,

    /// How to write logs
    #[arg(long, env = "KEZ_LOG_FORMAT", value_name = "KEZ_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// Where to send traces, OTLP over HTTP; none are made without it
    #[arg(
        long = "otlp-endpoint",
        env = "OTEL_EXPORTER_OTLP_ENDPOINT",
        value_name = "OTEL_EXPORTER_OTLP_ENDPOINT"
    )]
    pub otlp_endpoint: Option<String>,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// The domain after the `@` of every handle here.
pub fn server_name(text: &str) -> Result<String, String> {
    let valid = !text.is_empty()
        && text.len() <= 253
        && text.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        });
    if valid {
        Ok(text.to_owned())
    } else {
        Err("not a domain name in lower case, such as kez.lat".to_owned())
    }
}

/// A base URL without a slash at its end.
pub fn base_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match rest {
        Some(host) if !host.is_empty() && !host.starts_with('/') => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err("not a URL that begins with https:// or http://".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_names_are_domains() {
        for good in ["kez.lat", "localhost", "a-b.example"] {
            assert_eq!(server_name(good).as_deref(), Ok(good));
        }
        for bad in ["", "Kez.lat", "kez..lat", "-a.b", "a b", "kez.lat.", "kez@lat"] {
            assert!(server_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn base_urls_lose_their_last_slash() {
        assert_eq!(base_url("https://kez.lat/").as_deref(), Ok("https://kez.lat"));
        assert!(base_url("kez.lat").is_err());
        assert!(base_url("https://").is_err());
    }
}
