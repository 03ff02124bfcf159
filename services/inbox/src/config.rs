//! What the inbox service can be told, by flag or by environment.

use std::num::NonZeroU32;

use clap::{Args, Parser};
use kez_service::{NatsConfig, TelemetryConfig};

/// Kez inbox: keeps sealed messages until their recipient has them
#[derive(Debug, Clone, Parser)]
#[command(name = "kez-inbox", version, about)]
pub struct Config {
    #[command(flatten)]
    pub nats: NatsConfig,
    #[command(flatten)]
    pub telemetry: TelemetryConfig,
    #[command(flatten)]
    pub settings: Settings,
}

/// What is particular to the inbox.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Streams that mailboxes are spread over: 1, 2, 4 … 256. Chosen at the first start and fixed from then on
    #[arg(long, env = "KEZ_INBOX_STREAMS", value_name = "KEZ_INBOX_STREAMS", default_value_t = 1, value_parser = power_of_two)]
    pub inbox_streams: u16,

    /// Copies of each stream in a NATS cluster: 1, 3 or 5
    #[arg(long, env = "KEZ_STREAM_REPLICAS", value_name = "KEZ_STREAM_REPLICAS", default_value_t = 1,
          value_parser = clap::value_parser!(u8).range(1..=5))]
    pub stream_replicas: u8,

    /// Messages that one mailbox holds before it refuses more
    #[arg(long, env = "KEZ_MAILBOX_MESSAGES", value_name = "KEZ_MAILBOX_MESSAGES", default_value = "5000")]
    pub mailbox_messages: NonZeroU32,

    /// Sends a minute that one person may make over NATS; a message counts once for each 16 KiB that it begins
    #[arg(
        long,
        env = "KEZ_PERSON_SENDS_PER_MINUTE",
        value_name = "KEZ_PERSON_SENDS_PER_MINUTE",
        default_value = "600"
    )]
    pub person_sends_per_minute: NonZeroU32,

    /// Fetches and acknowledgements a minute that one person may make
    #[arg(
        long,
        env = "KEZ_PERSON_FETCHES_PER_MINUTE",
        value_name = "KEZ_PERSON_FETCHES_PER_MINUTE",
        default_value = "600"
    )]
    pub person_fetches_per_minute: NonZeroU32,

    /// Batches that are written to one stream at once
    #[arg(long, env = "KEZ_BATCHES_IN_FLIGHT", value_name = "KEZ_BATCHES_IN_FLIGHT", default_value_t = 2,
          value_parser = clap::value_parser!(u8).range(1..=16))]
    pub batches_in_flight: u8,
}

fn power_of_two(text: &str) -> Result<u16, String> {
    match text.parse::<u16>() {
        Ok(number) if number.is_power_of_two() && number <= 256 => Ok(number),
        _ => Err("not one of 1, 2, 4, 8, 16, 32, 64, 128, 256".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_values_name_their_variable() {
        for (flag, value) in
            [("--inbox-streams", "3"), ("--mailbox-messages", "0"), ("--stream-replicas", "9")]
        {
            let arguments = ["kez-inbox", "--nats-seed-file", "x", flag, value];
            let error = Config::try_parse_from(arguments).unwrap_err().to_string();
            let variable = format!("KEZ_{}", flag.trim_start_matches('-').replace('-', "_").to_uppercase());
            assert!(error.contains(&variable), "{error}");
        }
    }
}
