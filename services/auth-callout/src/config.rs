//! What the auth callout can be told, by flag or by environment.

use std::path::PathBuf;

use clap::{Args, Parser};
use kez_service::config::server_name;
use kez_service::{NatsConfig, TelemetryConfig};

/// Kez auth callout: decides who may connect to NATS, and what they may then say
#[derive(Debug, Clone, Parser)]
#[command(name = "kez-auth-callout", version, about)]
pub struct Config {
    #[command(flatten)]
    pub nats: NatsConfig,
    #[command(flatten)]
    pub telemetry: TelemetryConfig,
    #[command(flatten)]
    pub settings: Settings,
}

/// What is particular to the auth callout.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Domain after the @ of every handle; sessions signed for another one are refused
    #[arg(long, env = "KEZ_SERVER", value_name = "KEZ_SERVER", default_value = "localhost", value_parser = server_name)]
    pub server: String,

    /// File that holds the account seed (SA…) of the issuer that nats-server trusts
    #[arg(long, env = "KEZ_AUTH_ISSUER_SEED_FILE", value_name = "KEZ_AUTH_ISSUER_SEED_FILE")]
    pub issuer_seed_file: PathBuf,

    /// File that holds the curve seed (SX…) of the xkey that nats-server seals sign-ins to
    #[arg(long, env = "KEZ_AUTH_XKEY_SEED_FILE", value_name = "KEZ_AUTH_XKEY_SEED_FILE")]
    pub xkey_seed_file: PathBuf,

    /// Hours after which somebody has to sign in again; a session may end earlier
    #[arg(long, env = "KEZ_SESSION_HOURS", value_name = "KEZ_SESSION_HOURS", default_value_t = 24,
          value_parser = clap::value_parser!(u8).range(1..=24))]
    pub session_hours: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_values_name_their_variable() {
        for (flag, value, variable) in [
            ("--server", "Kez.lat", "KEZ_SERVER"),
            ("--session-hours", "0", "KEZ_SESSION_HOURS"),
            ("--session-hours", "25", "KEZ_SESSION_HOURS"),
        ] {
            let error = Config::try_parse_from(["kez-auth-callout", flag, value]).unwrap_err().to_string();
            assert!(error.contains(variable), "{error}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = Config::try_parse_from(["kez-auth-callout"]).unwrap_err().to_string();
        for variable in ["KEZ_NATS_SEED_FILE", "KEZ_AUTH_ISSUER_SEED_FILE", "KEZ_AUTH_XKEY_SEED_FILE"] {
            assert!(error.contains(variable), "{error}");
        }
    }
}
