//! What the sigchain service can be told, by flag or by environment.

use std::fmt;
use std::num::NonZeroU32;

use clap::{Args, Parser};
use kez_service::{NatsConfig, TelemetryConfig};

/// Kez sigchain: keeps what identities claim, which devices speak for them and who succeeds them
#[derive(Debug, Clone, Parser)]
#[command(name = "kez-sigchain", version, about)]
pub struct Config {
    #[command(flatten)]
    pub nats: NatsConfig,
    #[command(flatten)]
    pub telemetry: TelemetryConfig,
    #[command(flatten)]
    pub settings: Settings,
}

/// What is particular to the sigchain service.
#[derive(Clone, Args)]
pub struct Settings {
    /// Database of who claims what, rebuilt from the stream at any time: `sqlite://FILE?mode=rwc` or
    /// `postgres://USER:PASSWORD@HOST/NAME`. As a flag, everybody on this machine can read its password
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "DATABASE_URL",
        default_value = "sqlite://sigchain.db?mode=rwc",
        hide_env_values = true
    )]
    pub database_url: String,

    /// Copies of the stream in a NATS cluster: 1, 3 or 5
    #[arg(long, env = "KEZ_STREAM_REPLICAS", value_name = "KEZ_STREAM_REPLICAS", default_value_t = 1,
          value_parser = clap::value_parser!(u8).range(1..=5))]
    pub stream_replicas: u8,

    /// Events a minute that one person may append over NATS
    #[arg(
        long,
        env = "KEZ_PERSON_APPENDS_PER_MINUTE",
        value_name = "KEZ_PERSON_APPENDS_PER_MINUTE",
        default_value = "120"
    )]
    pub person_appends_per_minute: NonZeroU32,

    /// Accounts a minute that one person may have checked; a tenth of them afresh
    #[arg(
        long,
        env = "KEZ_PERSON_CHECKS_PER_MINUTE",
        value_name = "KEZ_PERSON_CHECKS_PER_MINUTE",
        default_value = "60"
    )]
    pub person_checks_per_minute: NonZeroU32,

    #[command(flatten)]
    pub proofs: kez_proofs::Settings,
}

impl fmt::Debug for Settings {
    /// Leaves the database's password out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("stream_replicas", &self.stream_replicas).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(flag: &str, value: &str) -> Result<Config, clap::Error> {
        Config::try_parse_from(["kez-sigchain", "--nats-seed-file", "x", flag, value])
    }

    #[test]
    fn wrong_values_name_their_variable() {
        for (flag, value, variable) in [
            ("--stream-replicas", "9", "KEZ_STREAM_REPLICAS"),
            ("--person-appends-per-minute", "0", "KEZ_PERSON_APPENDS_PER_MINUTE"),
            ("--person-checks-per-minute", "0", "KEZ_PERSON_CHECKS_PER_MINUTE"),
        ] {
            let error = parse(flag, value).unwrap_err().to_string();
            assert!(error.contains(variable), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let config = parse("--database-url", "postgres://kez:s3cret@db/kez").unwrap();
        assert_eq!(config.settings.database_url, "postgres://kez:s3cret@db/kez");
        assert!(!format!("{config:?}").contains("s3cret"));
    }
}
