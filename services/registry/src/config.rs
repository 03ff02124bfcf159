//! What the registry service can be told, by flag or by environment.

use std::fmt;

use clap::{Args, Parser};
use kez_service::config::{base_url, server_name};
use kez_service::{NatsConfig, TelemetryConfig};

/// Kez registry: knows which handle belongs to which key
#[derive(Debug, Clone, Parser)]
#[command(name = "kez-registry", version, about)]
pub struct Config {
    #[command(flatten)]
    pub nats: NatsConfig,
    #[command(flatten)]
    pub telemetry: TelemetryConfig,
    #[command(flatten)]
    pub settings: Settings,
}

/// What is particular to the registry.
#[derive(Clone, Args)]
pub struct Settings {
    /// The domain after the @ of every handle here
    #[arg(long, env = "KEZ_SERVER", value_name = "KEZ_SERVER", default_value = "localhost", value_parser = server_name)]
    pub server: String,

    /// Where browsers reach this server; records and WebFinger links begin with it
    #[arg(long, env = "KEZ_PUBLIC_URL", value_name = "KEZ_PUBLIC_URL", default_value = "http://127.0.0.1:8080", value_parser = base_url)]
    pub public_url: String,

    /// Database: `sqlite://FILE?mode=rwc` or `postgres://USER:PASSWORD@HOST/NAME`. As a flag, everybody on this
    /// machine can read its password
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "DATABASE_URL",
        default_value = "sqlite://registry.db?mode=rwc",
        hide_env_values = true
    )]
    pub database_url: String,
}

impl fmt::Debug for Settings {
    /// Leaves the database's password out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("server", &self.server)
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(flag: &str, value: &str) -> Result<Config, clap::Error> {
        Config::try_parse_from(["kez-registry", "--nats-seed-file", "x", flag, value])
    }

    #[test]
    fn wrong_values_name_their_variable() {
        for (flag, value, variable) in
            [("--server", "Kez.lat", "KEZ_SERVER"), ("--public-url", "kez.lat", "KEZ_PUBLIC_URL")]
        {
            let error = parse(flag, value).unwrap_err().to_string();
            assert!(error.contains(variable), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let config = parse("--database-url", "postgres://kez:s3cret@db/kez").unwrap();
        assert_eq!(config.settings.database_url, "postgres://kez:s3cret@db/kez");
        let shown = format!("{config:?}");
        assert!(shown.contains("localhost") && !shown.contains("s3cret"), "{shown}");
    }
}
