//! Names are resolved, addresses are checked, and exactly those are connected to.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_util::either::Either;
use url::{Host, Url};

use crate::guard::Guard;
use crate::names::Names;
use crate::{Unreached, Ways, tls};

/// So many addresses of a host are tried.
const ADDRESSES: usize = 4;

/// A connection, with TLS where its URL says so.
pub type Socket = Either<TlsStream<TcpStream>, TcpStream>;

/// Goes where URLs say, as far as that is allowed. Clones share all that it holds.
#[derive(Clone)]
pub struct Reach {
    names: Names,
    guard: Arc<Guard>,
    tls: TlsConnector,
    patience: Duration,
}

impl Reach {
    /// Reads the certificates, and what the system says of resolvers.
    ///
    /// # Errors
    /// When one of them cannot be read, with the name of its variable.
    pub fn new(ways: &Ways) -> Result<Self> {
        Ok(Self {
            names: Names::new(ways)?,
            guard: Arc::new(Guard::new(ways.networks.clone())),
            tls: tls::connector(ways)?,
            patience: ways.patience,
        })
    }

    /// The text records of a name (`_kez.kez.lat`), each with its pieces joined; none when there are none.
    pub async fn text_records(&self, name: &str) -> Result<Vec<String>, Unreached> {
        self.names.text_records(name).await
    }

    /// Connects to the host of a URL, with TLS where its scheme says so. Nobody looks the name up a second time, and it ends
    /// in time whoever waits for it: an HTTP client opens connections for which nobody waits any more.
    pub async fn open(&self, url: &Url) -> Result<Socket, Unreached> {
        let late = |_| Err(Unreached::Late("this host takes no connection in time"));
        timeout(self.patience, self.open_untimed(url)).await.unwrap_or_else(late)
    }

    async fn open_untimed(&self, url: &Url) -> Result<Socket, Unreached> {
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(Unreached::NoAnswer("this URL names no host"));
        };
        let addresses = self.permitted(&host).await?;
        let stream = self.connect(&addresses, port).await?;
        match url.scheme() {
            "https" | "wss" => {
                let name = server_name(&host).ok_or(Unreached::NoAnswer("this is no host name"))?;
                let untrusted =
                    |_| Unreached::NoAnswer("no trusted connection (TLS) can be made to this host");
                Ok(Either::Left(self.tls.connect(name, stream).await.map_err(untrusted)?))
            }
            _ => Ok(Either::Right(stream)),
        }
    }

    /// The addresses of a host that may be connected to.
    async fn permitted(&self, host: &Host<&str>) -> Result<Vec<IpAddr>, Unreached> {
        let mut addresses: Vec<IpAddr> = match host {
            Host::Ipv4(address) => vec![IpAddr::V4(*address)],
            Host::Ipv6(address) => vec![IpAddr::V6(*address)],
            Host::Domain(name) => self.names.addresses(name).await?,
        };
        if addresses.is_empty() {
            return Err(Unreached::NoAnswer("there is no host of this name"));
        }
        addresses.retain(|address| self.guard.permits(*address));
        addresses.truncate(ADDRESSES);
        if addresses.is_empty() {
            return Err(Unreached::Forbidden("this host has no public address"));
        }
        Ok(addresses)
    }

    /// One address after the other, each with its share of the time.
    async fn connect(&self, addresses: &[IpAddr], port: u16) -> Result<TcpStream, Unreached> {
        let mut last = Unreached::NoAnswer("this host takes no connection");
        for address in addresses {
            let attempt = TcpStream::connect(SocketAddr::new(*address, port));
            match timeout(self.patience / 3, attempt).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(_)) => {}
                Err(_) => last = Unreached::Late("this host takes no connection in time"),
            }
        }
        Err(last)
    }
}

fn server_name(host: &Host<&str>) -> Option<ServerName<'static>> {
    match host {
        Host::Domain(name) => ServerName::try_from((*name).to_owned()).ok(),
        Host::Ipv4(address) => Some(ServerName::from(IpAddr::V4(*address))),
        Host::Ipv6(address) => Some(ServerName::from(IpAddr::V6(*address))),
    }
}
