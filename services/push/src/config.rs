//! What the push service can be told, by flag or by environment.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Parser};
use ipnet::IpNet;
use kez_service::{NatsConfig, TelemetryConfig};
use url::Url;

/// Kez push: wakes devices that sleep when there is mail for them
#[derive(Debug, Clone, Parser)]
#[command(name = "kez-push", version, about)]
pub struct Config {
    #[command(flatten)]
    pub nats: NatsConfig,
    #[command(flatten)]
    pub telemetry: TelemetryConfig,
    #[command(flatten)]
    pub settings: Settings,
}

/// What is particular to the push service.
#[derive(Clone, Args)]
pub struct Settings {
    /// Database of subscriptions: `sqlite://FILE?mode=rwc` or `postgres://USER:PASSWORD@HOST/NAME`. As a flag, everybody
    /// on this machine can read its password
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "DATABASE_URL",
        default_value = "sqlite://push.db?mode=rwc",
        hide_env_values = true
    )]
    pub database_url: String,

    /// File with the key that pushes are signed with (VAPID), made at the first start. Replicas share one; subscriptions
    /// are bound to it
    #[arg(long, env = "KEZ_VAPID_KEY_FILE", value_name = "KEZ_VAPID_KEY_FILE", default_value = "vapid.pem")]
    pub vapid_key_file: PathBuf,

    /// Whom the operators of push networks can write to about this server: a `mailto:` or `https:` URL, told with every push
    #[arg(long, env = "KEZ_VAPID_CONTACT", value_name = "KEZ_VAPID_CONTACT", value_parser = contact)]
    pub vapid_contact: String,

    /// Network beside the public ones that may be pushed to; may be given several times, or separated by commas. Whoever
    /// subscribes reaches it too
    #[arg(
        long,
        env = "KEZ_ALLOW_PRIVATE_PUSH",
        value_name = "KEZ_ALLOW_PRIVATE_PUSH",
        value_delimiter = ','
    )]
    pub allow_private_push: Vec<IpNet>,

    /// File of certificate authorities (PEM) that are trusted beside the system's
    #[arg(long, env = "KEZ_PUSH_CA_FILE", value_name = "KEZ_PUSH_CA_FILE")]
    pub push_ca_file: Option<PathBuf>,

    /// DNS resolvers (address, or address:port), separated by commas; the system's unless they are given
    #[arg(long, env = "KEZ_PUSH_RESOLVERS", value_name = "KEZ_PUSH_RESOLVERS",
          value_delimiter = ',', value_parser = resolver)]
    pub push_resolvers: Vec<SocketAddr>,

    /// Calls a minute that one person may make
    #[arg(
        long,
        env = "KEZ_PERSON_PUSH_CALLS_PER_MINUTE",
        value_name = "KEZ_PERSON_PUSH_CALLS_PER_MINUTE",
        default_value = "60"
    )]
    pub person_push_calls_per_minute: NonZeroU32,
}

impl fmt::Debug for Settings {
    /// Leaves the database's password out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("vapid_key_file", &self.vapid_key_file)
            .field("vapid_contact", &self.vapid_contact)
            .finish_non_exhaustive()
    }
}

fn contact(text: &str) -> Result<String, String> {
    let expected =
        || "not a URL such as mailto:operator@example.org or https://example.org/contact".to_owned();
    let url = Url::parse(text).map_err(|_| expected())?;
    let mail = url.scheme() == "mailto"
        && url.path().split_once('@').is_some_and(|(who, at)| !who.is_empty() && !at.is_empty());
    if mail || (url.scheme() == "https" && url.has_host()) { Ok(text.to_owned()) } else { Err(expected()) }
}

fn resolver(text: &str) -> Result<SocketAddr, String> {
    let plain = |_| text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53));
    text.parse().or_else(plain).map_err(|_| "not an address such as 9.9.9.9 or 127.0.0.1:5353".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(flags: &[&str]) -> Result<Settings, String> {
        let command = ["kez-push", "--nats-seed-file=x", "--vapid-contact=mailto:operator@kez.test"];
        let parsed = Config::try_parse_from(command.iter().chain(flags));
        parsed.map(|config| config.settings).map_err(|error| error.to_string())
    }

    #[test]
    fn wrong_values_name_their_variable() {
        for (flag, value, variable) in [
            ("--vapid-contact", "operator@kez.test", "KEZ_VAPID_CONTACT"),
            ("--vapid-contact", "mailto:", "KEZ_VAPID_CONTACT"),
            ("--vapid-contact", "http://kez.test", "KEZ_VAPID_CONTACT"),
            ("--allow-private-push", "10.0.0.0/40", "KEZ_ALLOW_PRIVATE_PUSH"),
            ("--push-resolvers", "dns.example", "KEZ_PUSH_RESOLVERS"),
            ("--person-push-calls-per-minute", "0", "KEZ_PERSON_PUSH_CALLS_PER_MINUTE"),
        ] {
            let command = ["kez-push", "--nats-seed-file", "x", flag, value];
            let error = Config::try_parse_from(command).unwrap_err().to_string();
            assert!(error.contains(variable), "{error}");
        }
    }

    #[test]
    fn networks_may_be_given_several_times() {
        let flags = ["--allow-private-push=127.0.0.0/8", "--allow-private-push=10.0.0.0/8,fd00::/8"];
        assert_eq!(parse(&flags).unwrap().allow_private_push.len(), 3);
    }

    #[test]
    fn debug_shows_no_password() {
        let settings = parse(&["--database-url=postgres://kez:s3cret@db/kez"]).unwrap();
        assert_eq!(settings.database_url, "postgres://kez:s3cret@db/kez");
        assert!(!format!("{settings:?}").contains("s3cret"));
    }
}
