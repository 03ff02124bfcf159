//! What the gateway can be told, by flag or by environment.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Parser};
use ipnet::IpNet;
use kez_service::config::{base_url, server_name};
use kez_service::{NatsConfig, TelemetryConfig};

use crate::address;
use crate::broker::WebSocketUrl;
use crate::origin;

/// Kez gateway: HTTP for those who do not speak NATS, and a tunnel for browsers that do
#[derive(Debug, Clone, Parser)]
#[command(name = "kez-gateway", version, about)]
pub struct Config {
    #[command(flatten)]
    pub nats: NatsConfig,
    #[command(flatten)]
    pub telemetry: TelemetryConfig,
    #[command(flatten)]
    pub settings: Settings,
}

/// What is particular to the gateway.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Address to listen on; port 0 takes any free one
    #[arg(long, env = "KEZ_LISTEN", value_name = "KEZ_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// Domain after the @ of every handle
    #[arg(long, env = "KEZ_SERVER", value_name = "KEZ_SERVER", default_value = "localhost", value_parser = server_name)]
    pub server: String,

    /// URL under which others reach the gateway; pages from there may use the tunnel
    #[arg(long, env = "KEZ_PUBLIC_URL", value_name = "KEZ_PUBLIC_URL", value_parser = base_url)]
    pub public_url: Option<String>,

    /// Folder of the built web client, or none [default: the one in this binary]
    #[arg(long, env = "KEZ_WEB_DIR", value_name = "KEZ_WEB_DIR")]
    pub web_dir: Option<PathBuf>,

    /// WebSocket of the broker, in the clear: ws:// only, it stands beside the gateway
    #[arg(
        long,
        env = "KEZ_NATS_WEBSOCKET_URL",
        value_name = "KEZ_NATS_WEBSOCKET_URL",
        default_value = "ws://127.0.0.1:4223"
    )]
    pub nats_websocket_url: WebSocketUrl,

    /// Addresses (wss://) at which people reach the broker without the gateway, separated by commas, the best first
    #[arg(long, env = "KEZ_NATS_PUBLIC_URLS", value_name = "KEZ_NATS_PUBLIC_URLS", value_delimiter = ',',
          value_parser = public_websocket)]
    pub nats_public_urls: Vec<String>,

    /// Further origins whose pages may use the tunnel, with scheme and port, separated by commas
    #[arg(long, env = "KEZ_ALLOWED_ORIGINS", value_name = "KEZ_ALLOWED_ORIGINS", value_delimiter = ',',
          value_parser = origin::parse)]
    pub allowed_origins: Vec<String>,

    /// Addresses or networks of proxies whose X-Forwarded-For is believed, separated by commas
    #[arg(long, env = "KEZ_TRUSTED_PROXIES", value_name = "KEZ_TRUSTED_PROXIES", value_delimiter = ',',
          value_parser = address::network)]
    pub trusted_proxies: Vec<IpNet>,

    /// Sends a minute from one address, and as many events of sigchains; a message counts once for each 16 KiB that it begins
    #[arg(long, env = "KEZ_SENDS_PER_MINUTE", value_name = "KEZ_SENDS_PER_MINUTE", default_value = "60")]
    pub sends_per_minute: NonZeroU32,

    /// Registrations a minute from one address
    #[arg(
        long,
        env = "KEZ_REGISTRATIONS_PER_MINUTE",
        value_name = "KEZ_REGISTRATIONS_PER_MINUTE",
        default_value = "120"
    )]
    pub registrations_per_minute: NonZeroU32,

    /// Checks of accounts a minute from one address
    #[arg(
        long,
        env = "KEZ_VERIFICATIONS_PER_MINUTE",
        value_name = "KEZ_VERIFICATIONS_PER_MINUTE",
        default_value = "30"
    )]
    pub verifications_per_minute: NonZeroU32,

    /// Checks among these that may look now, whatever was found a moment ago
    #[arg(
        long,
        env = "KEZ_FRESH_VERIFICATIONS_PER_MINUTE",
        value_name = "KEZ_FRESH_VERIFICATIONS_PER_MINUTE",
        default_value = "6"
    )]
    pub fresh_verifications_per_minute: NonZeroU32,

    /// Inbox streams that one address may have open
    #[arg(
        long,
        env = "KEZ_STREAMS_PER_ADDRESS",
        value_name = "KEZ_STREAMS_PER_ADDRESS",
        default_value = "32"
    )]
    pub streams_per_address: NonZeroU32,

    /// Inbox streams in all
    #[arg(long, env = "KEZ_STREAMS", value_name = "KEZ_STREAMS", default_value = "10000")]
    pub streams: NonZeroU32,

    /// Tunnels to the broker that one address may have open
    #[arg(
        long,
        env = "KEZ_TUNNELS_PER_ADDRESS",
        value_name = "KEZ_TUNNELS_PER_ADDRESS",
        default_value = "64"
    )]
    pub tunnels_per_address: NonZeroU32,

    /// Tunnels to the broker that one address may open a minute
    #[arg(
        long,
        env = "KEZ_TUNNELS_PER_MINUTE",
        value_name = "KEZ_TUNNELS_PER_MINUTE",
        default_value = "120"
    )]
    pub tunnels_per_minute: NonZeroU32,

    /// Tunnels to the broker in all
    #[arg(long, env = "KEZ_TUNNELS", value_name = "KEZ_TUNNELS", default_value = "20000")]
    pub tunnels: NonZeroU32,

    /// HTTP connections that one address may have, streams included; a trusted proxy may have any number
    #[arg(
        long,
        env = "KEZ_CONNECTIONS_PER_ADDRESS",
        value_name = "KEZ_CONNECTIONS_PER_ADDRESS",
        default_value = "1024"
    )]
    pub connections_per_address: NonZeroU32,

    /// Requests of one address that may wait for their answers at once, streams and tunnels aside
    #[arg(
        long,
        env = "KEZ_REQUESTS_PER_ADDRESS",
        value_name = "KEZ_REQUESTS_PER_ADDRESS",
        default_value = "64"
    )]
    pub requests_per_address: NonZeroU32,

    /// HTTP connections in all; more are hung up on
    #[arg(long, env = "KEZ_CONNECTIONS", value_name = "KEZ_CONNECTIONS", default_value = "20000")]
    pub connections: NonZeroU32,

    /// Address to serve /metrics on, for operators alone; without it there are none
    #[arg(long, env = "KEZ_METRICS_LISTEN", value_name = "KEZ_METRICS_LISTEN")]
    pub metrics_listen: Option<SocketAddr>,
}

fn public_websocket(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("wss://").or_else(|| text.strip_prefix("ws://"));
    match host {
        Some(host) if !host.is_empty() && !host.starts_with('/') => Ok(text.to_owned()),
        _ => Err("not a URL that begins with wss:// or ws://".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(flags: &[&str]) -> Result<Settings, String> {
        let arguments = ["kez-gateway", "--nats-seed-file", "x"].iter().chain(flags);
        Config::try_parse_from(arguments).map(|config| config.settings).map_err(|error| error.to_string())
    }

    #[test]
    fn wrong_values_name_their_variable() {
        for (flag, value) in [
            ("--listen", "8080"),
            ("--server", "Kez.lat"),
            ("--public-url", "kez.lat"),
            ("--nats-websocket-url", "wss://127.0.0.1:4223"),
            ("--nats-public-urls", "https://kez.lat"),
            ("--allowed-origins", "https://kez.lat/"),
            ("--trusted-proxies", "10.0.0.0/33"),
            ("--sends-per-minute", "0"),
            ("--registrations-per-minute", "-1"),
            ("--streams-per-address", "0"),
            ("--streams", "0"),
            ("--tunnels-per-address", "x"),
            ("--tunnels-per-minute", "0"),
            ("--tunnels", "0"),
            ("--connections-per-address", "0"),
            ("--requests-per-address", "0"),
            ("--connections", "0"),
            ("--metrics-listen", "localhost"),
        ] {
            let error = parse(&[&format!("{flag}={value}")]).unwrap_err();
            let variable = format!("KEZ_{}", flag.trim_start_matches('-').replace('-', "_").to_uppercase());
            assert!(error.contains(&variable), "{error}");
        }
    }

    #[test]
    fn lists_are_separated_by_commas() {
        let settings =
            parse(&["--trusted-proxies=10.0.0.0/8,::1", "--allowed-origins=https://a.b,http://c:1"]);
        let settings = settings.unwrap();
        assert_eq!(settings.trusted_proxies, ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
        assert_eq!(settings.allowed_origins, ["https://a.b", "http://c:1"]);
        assert!(parse(&[]).unwrap().trusted_proxies.is_empty());
    }
}
