//! The only way to the outside: names are resolved, addresses are checked, and exactly those are connected to.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData};
use hickory_resolver::{ResolverBuilder, TokioResolver};
use kez_contract::sigchain::Why;
use tokio::io::{AsyncReadExt, Join, ReadHalf, Take, WriteHalf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_util::either::Either;
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;
use url::{Host, Url};

use crate::Settings;
use crate::found::Unfound;
use crate::guard::Guard;
use crate::places::Places;

/// The most that is read of one answer.
pub const LONGEST: usize = 1024 * 1024;

/// The most that a connection may bring, with all that frames an answer.
const LONGEST_ON_WIRE: u64 = 4 * LONGEST as u64;

/// So many addresses of a host are tried.
const ADDRESSES: usize = 4;

/// A connection that ends by itself when it brings too much.
pub type Wire = Join<Take<ReadHalf<Socket>>, WriteHalf<Socket>>;
type Socket = Either<TlsStream<TcpStream>, TcpStream>;

/// What one check may reach, and until when.
#[derive(Clone)]
pub struct Reach {
    names: TokioResolver,
    guard: Arc<Guard>,
    /// Where channels are asked that have one place for all.
    pub places: Arc<Places>,
    tls: TlsConnector,
    /// How long one request may take.
    patience: Duration,
    /// When the whole check must be over.
    deadline: Instant,
}

impl Reach {
    /// Reads the certificates, and what the system says of resolvers.
    pub fn new(settings: &Settings) -> Result<Self> {
        let whole = Duration::from_millis(settings.milliseconds.into());
        Ok(Self {
            names: names(settings, whole / 2)?,
            guard: Arc::new(Guard::new(settings.networks.clone())),
            places: Arc::new(Places::new(settings)?),
            tls: tls(settings)?,
            patience: whole / 2,
            deadline: Instant::now() + whole,
        })
    }

    /// The same for a check that begins now.
    pub fn for_one_check(&self) -> Self {
        Self { deadline: Instant::now() + self.patience * 2, ..self.clone() }
    }

    /// Gives one request its time.
    pub async fn in_time<Answer>(
        &self,
        place: &str,
        request: impl Future<Output = Result<Answer, Unfound>>,
    ) -> Result<Answer, Unfound> {
        let end = self.deadline.min(Instant::now() + self.patience);
        let late = |_| Unfound::new(Why::Timeout, "there was no answer in time", place);
        timeout_at(end, request).await.map_err(late)?
    }

    /// The text records of a name that is whole (`_kez.kez.lat.`), each with its pieces joined; none when there are none.
    pub async fn text_records(&self, name: &str, place: &str) -> Result<Vec<String>, Unfound> {
        let name = Name::from_ascii(name).map_err(|_| Unfound::no_account("this is no domain", place))?;
        let answer = self.names.txt_lookup(name).with_subscriber(NoSubscriber::new()).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if holds_nothing(&error) => return Ok(Vec::new()),
            Err(error) => return Err(unresolved(&error, place)),
        };
        let texts = answer.answers().iter().filter_map(|record| match &record.data {
            RData::TXT(text) => Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned()),
            _ => None,
        });
        Ok(texts.collect())
    }

    /// Connects to the host of a URL, with TLS where its scheme says so. Nobody looks the name up a second time.
    pub async fn open(&self, url: &Url) -> Result<Wire, Unfound> {
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(Unfound::no_answer("this URL names no host", url));
        };
        let addresses = self.permitted(&host, url).await?;
        let stream = self.connect(&addresses, port, url).await?;
        let socket = match url.scheme() {
            "https" | "wss" => {
                let name =
                    server_name(&host).ok_or_else(|| Unfound::no_answer("this is no host name", url))?;
                let secured = self.tls.connect(name, stream).await;
                Either::Left(secured.map_err(|_| {
                    Unfound::no_answer("no trusted connection (TLS) can be made to this host", url)
                })?)
            }
            _ => Either::Right(stream),
        };
        let (read, write) = tokio::io::split(socket);
        Ok(tokio::io::join(read.take(LONGEST_ON_WIRE), write))
    }

    /// The addresses of a host that may be connected to.
    async fn permitted(&self, host: &Host<&str>, url: &Url) -> Result<Vec<IpAddr>, Unfound> {
        let mut addresses: Vec<IpAddr> = match host {
            Host::Ipv4(address) => vec![IpAddr::V4(*address)],
            Host::Ipv6(address) => vec![IpAddr::V6(*address)],
            Host::Domain(name) => self.addresses(name, url).await?,
        };
        if addresses.is_empty() {
            return Err(Unfound::no_answer("there is no host of this name", url));
        }
        addresses.retain(|address| self.guard.permits(*address));
        addresses.truncate(ADDRESSES);
        if addresses.is_empty() {
            return Err(Unfound::new(Why::Forbidden, "this host has no public address", url));
        }
        Ok(addresses)
    }

    async fn addresses(&self, name: &str, url: &Url) -> Result<Vec<IpAddr>, Unfound> {
        let nameless = |_| Unfound::no_answer("this is no host name", url);
        let mut name = Name::from_ascii(name).map_err(nameless)?;
        // A whole name: the system's own domains are not tried.
        name.set_fqdn(true);
        match self.names.lookup_ip(name).with_subscriber(NoSubscriber::new()).await {
            Ok(found) => Ok(found.iter().collect()),
            Err(error) if holds_nothing(&error) => Ok(Vec::new()),
            Err(error) => Err(unresolved(&error, url)),
        }
    }

    /// One address after the other, each with its share of the time.
    async fn connect(&self, addresses: &[IpAddr], port: u16, url: &Url) -> Result<TcpStream, Unfound> {
        let mut last = Unfound::no_answer("this host takes no connection", url);
        for address in addresses {
            let attempt = TcpStream::connect(SocketAddr::new(*address, port));
            match timeout(self.patience / 3, attempt).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(_)) => {}
                Err(_) => last = Unfound::new(Why::Timeout, "this host takes no connection in time", url),
            }
        }
        Err(last)
    }
}

/// Whether the answer is that there are no such records, or no such name.
fn holds_nothing(error: &NetError) -> bool {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(nothing)) => {
            matches!(nothing.response_code, ResponseCode::NXDomain | ResponseCode::NoError)
        }
        _ => false,
    }
}

fn unresolved(error: &NetError, place: &(impl ToString + ?Sized)) -> Unfound {
    match error {
        NetError::Timeout => {
            Unfound::new(Why::Timeout, "the name's DNS servers do not answer in time", place)
        }
        _ => Unfound::no_answer("the name's DNS servers do not answer", place),
    }
}

fn server_name(host: &Host<&str>) -> Option<ServerName<'static>> {
    match host {
        Host::Domain(name) => ServerName::try_from((*name).to_owned()).ok(),
        Host::Ipv4(address) => Some(ServerName::from(IpAddr::V4(*address))),
        Host::Ipv6(address) => Some(ServerName::from(IpAddr::V6(*address))),
    }
}

/// The resolver that was asked for, or else the system's. What is in its hosts file or in a cache does not count.
fn names(settings: &Settings, patience: Duration) -> Result<TokioResolver> {
    let mut builder = if settings.resolvers.is_empty() {
        system_names()
    } else {
        let servers = settings.resolvers.iter().map(|address| {
            let mut server = NameServerConfig::udp_and_tcp(address.ip());
            server.connections.iter_mut().for_each(|connection| connection.port = address.port());
            server
        });
        let config = ResolverConfig::from_name_servers(servers.collect());
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
    };
    let options = builder.options_mut();
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.edns0 = true;
    options.attempts = 1;
    options.timeout = patience / 3;
    builder.build().context("DNS cannot be used")
}

/// A system that names no resolver has one of its own, as its C library has it.
fn system_names() -> ResolverBuilder<TokioRuntimeProvider> {
    TokioResolver::builder_tokio().unwrap_or_else(|error| {
        tracing::warn!(%error, "this system names no DNS resolver (KEZ_PROOF_RESOLVERS): 127.0.0.1 is asked");
        let here = NameServerConfig::udp_and_tcp(IpAddr::from([127, 0, 0, 1]));
        let config = ResolverConfig::from_name_servers(vec![here]);
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
    })
}

/// TLS that trusts the system's authorities and those that were added, and remembers no host.
fn tls(settings: &Settings) -> Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = &settings.ca_file {
        let name = || format!("cannot read certificates from {} (KEZ_PROOF_CA_FILE)", path.display());
        let certificates = CertificateDer::pem_file_iter(path).with_context(name)?;
        let certificates: Vec<_> = certificates.collect::<Result<_, _>>().with_context(name)?;
        ensure!(!certificates.is_empty(), "{} (KEZ_PROOF_CA_FILE) holds no certificate", path.display());
        for certificate in certificates {
            roots.add(certificate).with_context(name)?;
        }
    }
    if roots.is_empty() {
        tracing::warn!(
            "this system trusts no certificate authority (KEZ_PROOF_CA_FILE): no account can be verified"
        );
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}
