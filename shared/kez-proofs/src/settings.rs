//! Where accounts are looked up, and what may be reached for it, by flag or by environment.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use ipnet::IpNet;
use url::Url;

/// How accounts are checked.
#[derive(Debug, Clone, Args)]
#[group(id = "proofs")] // Whoever flattens these has settings of their own.
pub struct Settings {
    /// DNS resolvers (address, or address:port), separated by commas; the system's unless they are given
    #[arg(long = "proof-resolvers", env = "KEZ_PROOF_RESOLVERS", value_name = "KEZ_PROOF_RESOLVERS",
          value_delimiter = ',', value_parser = resolver)]
    pub resolvers: Vec<SocketAddr>,

    /// Base URL of GitHub's API
    #[arg(long = "proof-github-url", env = "KEZ_PROOF_GITHUB_URL", value_name = "KEZ_PROOF_GITHUB_URL",
          default_value = "https://api.github.com", value_parser = base)]
    pub github_url: Url,

    /// File that holds a token for GitHub's API, which answers 60 requests an hour without one; needs no rights
    #[arg(
        long = "proof-github-token-file",
        env = "KEZ_PROOF_GITHUB_TOKEN_FILE",
        value_name = "KEZ_PROOF_GITHUB_TOKEN_FILE"
    )]
    pub github_token_file: Option<PathBuf>,

    /// Nostr relays (wss://) that are asked, separated by commas
    #[arg(long = "proof-nostr-relays", env = "KEZ_PROOF_NOSTR_RELAYS", value_name = "KEZ_PROOF_NOSTR_RELAYS",
          value_delimiter = ',', value_parser = relay,
          default_value = "wss://relay.damus.io,wss://nos.lol,wss://relay.primal.net")]
    pub nostr_relays: Vec<Url>,

    /// Base URL of Bluesky's public AppView
    #[arg(long = "proof-bluesky-url", env = "KEZ_PROOF_BLUESKY_URL", value_name = "KEZ_PROOF_BLUESKY_URL",
          default_value = "https://public.api.bsky.app", value_parser = base)]
    pub bluesky_url: Url,

    /// Networks beside the public ones that may be reached, separated by commas: whoever asks for a check reaches them too
    #[arg(
        long = "proof-networks",
        env = "KEZ_PROOF_NETWORKS",
        value_name = "KEZ_PROOF_NETWORKS",
        value_delimiter = ','
    )]
    pub networks: Vec<IpNet>,

    /// File of certificate authorities (PEM) that are trusted beside the system's
    #[arg(long = "proof-ca-file", env = "KEZ_PROOF_CA_FILE", value_name = "KEZ_PROOF_CA_FILE")]
    pub ca_file: Option<PathBuf>,

    /// Milliseconds that a check may take; a single request may take half of them
    #[arg(long = "proof-milliseconds", env = "KEZ_PROOF_MILLISECONDS", value_name = "KEZ_PROOF_MILLISECONDS",
          default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=60_000))]
    pub milliseconds: u32,
}

fn resolver(text: &str) -> Result<SocketAddr, String> {
    let plain = |_| text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53));
    text.parse().or_else(plain).map_err(|_| "not an address such as 9.9.9.9 or 127.0.0.1:5353".to_owned())
}

fn base(text: &str) -> Result<Url, String> {
    url(text, &["https", "http"])
}

fn relay(text: &str) -> Result<Url, String> {
    url(text, &["wss", "ws"])
}

/// A URL of one of these schemes: a host, perhaps a port and a path, and nothing else.
fn url(text: &str, schemes: &[&str]) -> Result<Url, String> {
    let expected = || format!("not a URL that begins with {}://", schemes.join(":// or "));
    let url = Url::parse(text).map_err(|_| expected())?;
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if schemes.contains(&url.scheme()) && url.has_host() && plain && url.fragment().is_none() {
        Ok(url)
    } else {
        Err(expected())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Alone {
        #[command(flatten)]
        settings: Settings,
    }

    fn parse(flags: &[&str]) -> Result<Settings, String> {
        let parsed = Alone::try_parse_from(["kez"].iter().chain(flags));
        parsed.map(|alone| alone.settings).map_err(|error| error.to_string())
    }

    #[test]
    fn wrong_values_name_their_variable() {
        for (flag, value) in [
            ("--proof-resolvers", "dns.example"),
            ("--proof-github-url", "api.github.com"),
            ("--proof-github-url", "https://user@api.github.com"),
            ("--proof-nostr-relays", "https://relay.example"),
            ("--proof-bluesky-url", "wss://public.api.bsky.app"),
            ("--proof-bluesky-url", "https://public.api.bsky.app/?a"),
            ("--proof-networks", "127.0.0.1"),
            ("--proof-milliseconds", "99"),
            ("--proof-milliseconds", "5s"),
        ] {
            let error = parse(&[&format!("{flag}={value}")]).unwrap_err();
            let variable = format!("KEZ_{}", flag.trim_start_matches('-').replace('-', "_").to_uppercase());
            assert!(error.contains(&variable), "{error}");
        }
    }

    #[test]
    fn lists_are_separated_by_commas() {
        let settings = parse(&[
            "--proof-resolvers=9.9.9.9,[::1]:5353",
            "--proof-nostr-relays=wss://a.example,ws://b.example:1/path",
            "--proof-networks=10.0.0.0/8,fd00::/8",
        ]);
        let settings = settings.unwrap();
        assert_eq!(settings.resolvers, ["9.9.9.9:53".parse().unwrap(), "[::1]:5353".parse().unwrap()]);
        assert_eq!(settings.nostr_relays.len(), 2);
        assert_eq!(settings.networks.len(), 2);
    }

    #[test]
    fn nothing_needs_to_be_set() {
        let settings = parse(&[]).unwrap();
        assert!(settings.resolvers.is_empty() && settings.networks.is_empty());
        assert_eq!(settings.nostr_relays.len(), 3);
    }
}
