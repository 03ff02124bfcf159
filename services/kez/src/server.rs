//! Which server a command talks to, and whether it is the one that it says it is.

use kez_contract::config::ClientConfig;
use kez_crypto::SecretKey;
use kez_service::Clock;
use kez_service::config::{base_url, server_name};

use crate::chains::Memory;
use crate::client::{Client, Connection, SignIn};
use crate::failure::{Exit, Failure};
use crate::http;
use crate::server_time::ServerTime;
use crate::speaker::Speaker;

/// Where the server is.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Server")]
pub struct ServerArgs {
    /// Base URL of the server; it tells where its NATS is
    #[arg(long, env = "KEZ_URL", value_name = "URL", default_value = "http://127.0.0.1:8080", value_parser = base_url)]
    pub server_url: String,

    /// NATS URL to go to directly (nats://, tls://, ws://, wss://), without asking the server
    #[arg(long = "nats", env = "KEZ_CLIENT_NATS", value_name = "URL")]
    pub nats: Option<String>,

    /// The server's domain, what stands after the @ [default: the URL's]
    #[arg(long, env = "KEZ_SERVER", value_name = "DOMAIN", value_parser = server_name)]
    server: Option<String>,

    /// Sign in with the identity key itself instead of a session, as any NATS tool would
    #[arg(long, hide_short_help = true)]
    plain: bool,
}

/// A server that was asked, or named.
#[derive(Debug, Clone)]
pub struct Server {
    /// The domain that sessions and registrations are signed for.
    pub name: String,
    pub nats: String,
    /// Its clock, if it was asked.
    pub time: Option<ServerTime>,
}

impl ServerArgs {
    /// Finds the server.
    pub async fn find(&self) -> Result<Server, Failure> {
        if let Some(nats) = &self.nats {
            let host = host(nats.split(',').next().unwrap_or_default());
            let name = match &self.server {
                Some(name) => name.clone(),
                None if is_this_machine(host) => "localhost".to_owned(),
                None => {
                    return Err(
                        Failure::usage("--nats needs the server's domain").advise("add --server DOMAIN")
                    );
                }
            };
            return Ok(Server { name, nats: nats.clone(), time: None });
        }
        let (config, time) = http::config(&self.server_url).await?;
        let name = self.trusted_name(&config.server)?;
        Ok(Server { name, nats: nats_url(&config, &self.server_url), time })
    }

    /// Finds the server and signs in, with what was seen of sigchains before.
    pub async fn connect(&self, me: &Speaker, memory: &Memory) -> Result<Client, Failure> {
        let server = self.find().await?;
        let connection = Connection { memory: memory.clone(), ..self.connection(&server, me) };
        Ok(Client::connect(connection).await?)
    }

    /// Finds the server and signs in as nobody, with a key that is forgotten: anybody may look things up.
    pub async fn connect_as_nobody(&self, memory: &Memory) -> Result<Client, Failure> {
        self.connect(&nobody(), memory).await
    }

    /// How to sign in.
    pub fn connection(&self, server: &Server, me: &Speaker) -> Connection {
        let sign_in = if self.plain { SignIn::Plain } else { SignIn::default() };
        let server_time = server.time;
        Connection { sign_in, server_time, ..Connection::new(&server.nats, &server.name, me.clone()) }
    }

    /// Whether the server would run on this machine.
    pub fn is_here(&self) -> bool {
        self.nats.is_none() && is_this_machine(host(&self.server_url))
    }

    /// The same person over HTTP.
    pub async fn http(&self, me: &Speaker, memory: &Memory) -> Result<http::HttpClient, Failure> {
        let (config, time) = http::config(&self.server_url).await?;
        let name = self.trusted_name(&config.server)?;
        let client = http::HttpClient::new(&self.server_url, &name, me.clone(), &Clock::default())?;
        Ok(client.remembering(memory).at(time))
    }

    /// The name that the server gives itself, if it may: what is signed for a name counts wherever that name does, so a
    /// server that could choose it freely could use our sessions and registrations elsewhere.
    fn trusted_name(&self, claimed: &str) -> Result<String, Failure> {
        let host = host(&self.server_url);
        let agreed = match &self.server {
            Some(expected) => expected == claimed,
            None => {
                is_this_machine(host)
                    || host == claimed
                    || host
                        .strip_suffix(claimed)
                        .is_some_and(|sub| sub.ends_with('.') && claimed.contains('.'))
            }
        };
        if agreed {
            return Ok(claimed.to_owned());
        }
        let (message, advice) = match &self.server {
            Some(expected) => (
                format!("the server at {host} calls itself {claimed}, not {expected}"),
                "check --server and --server-url (KEZ_SERVER, KEZ_URL)",
            ),
            None => (
                format!("the server at {host} calls itself {claimed}"),
                "if that is right, say so with --server",
            ),
        };
        Err(Failure::new(Exit::Refused, "wrong_server", message).advise(advice))
    }
}

/// Somebody with a key that is forgotten.
pub fn nobody() -> Speaker {
    Speaker::from(&SecretKey::from_seed(kez_service::random::bytes()))
}

/// The best NATS URL of a server; a relative one is below its base URL. Who was asked over TLS is not led away from it.
fn nats_url(config: &ClientConfig, base: &str) -> String {
    let below = |path: &str| format!("{}{path}", base.replacen("http", "ws", 1));
    let is_safe = |url: &&String| {
        !base.starts_with("https://") || ["/", "wss://", "tls://"].iter().any(|safe| url.starts_with(safe))
    };
    match config.nats.iter().find(is_safe) {
        Some(path) if path.starts_with('/') => below(path),
        Some(url) => url.clone(),
        None => below(kez_contract::http::NATS),
    }
}

/// The host in a URL, without port and user.
fn host(url: &str) -> &str {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    if let Some((address, _)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    authority.split(':').next().unwrap_or_default()
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use kez_contract::config::Limits;

    use super::*;

    fn args(url: &str, server: Option<&str>) -> ServerArgs {
        ServerArgs { server_url: url.to_owned(), nats: None, server: server.map(str::to_owned), plain: false }
    }

    #[test]
    fn a_server_may_not_choose_its_name_freely() {
        for (url, claimed) in [
            ("https://kez.lat", "kez.lat"),
            ("https://chat.kez.lat:8443", "kez.lat"),
            ("http://127.0.0.1:8080", "localhost"),
            ("http://[::1]:8080", "kez.test"),
            ("http://localhost:8080", "kez.test"),
        ] {
            assert_eq!(args(url, None).trusted_name(claimed).unwrap(), claimed, "{url}");
        }
        for (url, claimed) in [
            ("https://evil.example", "kez.lat"),
            ("https://evilkez.lat", "kez.lat"),
            ("https://kez.lat.evil.example", "kez.lat"),
            ("https://kez.lat@evil.example", "kez.lat"),
            ("https://kez.lat", "lat"),
            ("http://192.0.2.7:8080", "kez.lat"),
        ] {
            let refused = args(url, None).trusted_name(claimed).unwrap_err();
            assert_eq!((refused.exit, refused.code), (Exit::Refused, "wrong_server"), "{url}");
        }
        assert!(args("https://evil.example", Some("kez.lat")).trusted_name("kez.lat").is_ok());
        assert!(args("http://localhost", Some("kez.lat")).trusted_name("evil.example").is_err());
    }

    #[test]
    fn a_relative_nats_url_is_below_the_base() {
        let config = |nats: &[&str]| ClientConfig {
            server: "kez.lat".to_owned(),
            version: String::new(),
            nats: nats.iter().map(|url| (*url).to_owned()).collect(),
            vapid_public_key: None,
            limits: Limits { envelope_bytes: 0, page: 0, retention_days: 0, http_sends_per_minute: 0 },
        };
        assert_eq!(nats_url(&config(&["/v1/nats"]), "https://kez.lat"), "wss://kez.lat/v1/nats");
        assert_eq!(nats_url(&config(&[]), "http://127.0.0.1:8080"), "ws://127.0.0.1:8080/v1/nats");
        assert_eq!(
            nats_url(&config(&["wss://nats.kez.lat", "/v1/nats"]), "https://kez.lat"),
            "wss://nats.kez.lat"
        );
        assert_eq!(nats_url(&config(&["nats://x:4222"]), "http://127.0.0.1:8080"), "nats://x:4222");
        assert_eq!(nats_url(&config(&["nats://x:4222"]), "https://kez.lat"), "wss://kez.lat/v1/nats");
    }
}
