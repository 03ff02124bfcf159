//! Where people have accounts: name servers, sites and relays of a test's own, and a checker that reaches them.
//!
//! They stand on 127.0.0.2, which the checker may reach. On 127.0.0.1 stands what it must leave alone.

mod authority;
pub mod claimant;
pub mod names;
pub mod relay;
pub mod site;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hickory_server::proto::rr::RecordType;
use kez_proofs::{Checker, Settings};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use authority::Authority;
pub use claimant::Claimant;
pub use names::{Names, Reply};
pub use relay::Relay;
pub use site::{Page, Site};

/// Where accounts are.
pub const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// What checks must never reach.
pub const FORBIDDEN: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// How long a check may take where it is the test that it ends.
pub const SHORT: u32 = 400;

/// An internet of a test's own.
pub struct Accounts {
    pub names: Names,
    authority: Authority,
    folder: TempDir,
}

/// Listens where nobody may come by.
pub struct Victim(std::net::TcpListener);

impl Accounts {
    pub async fn start() -> Self {
        let (authority, folder) = (Authority::new(), TempDir::new().unwrap());
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        Self { names: Names::start().await, authority, folder }
    }

    /// A site with a name and a certificate.
    pub async fn site(&self, host: &str) -> Site {
        let (listener, tls) = self.listener(host).await;
        Site::start(host, listener, tls)
    }

    /// A site, and what listens on the same port of the forbidden address.
    pub async fn site_with_victim(&self, host: &str) -> (Site, Victim) {
        loop {
            let (listener, tls) = self.listener(host).await;
            let port = listener.local_addr().unwrap().port();
            if let Ok(victim) = Victim::listen(port) {
                return (Site::start(host, listener, tls), victim);
            }
        }
    }

    /// A relay with a name and a certificate.
    pub async fn relay(&self, host: &str) -> Relay {
        let (listener, tls) = self.listener(host).await;
        Relay::start(host, listener, tls)
    }

    /// Settings that know this internet alone.
    pub fn settings(&self) -> Settings {
        Settings {
            resolvers: vec![self.names.address()],
            github_url: "https://api.github.test".parse().unwrap(),
            github_token_file: None,
            nostr_relays: Vec::new(),
            bluesky_url: "https://bluesky.test".parse().unwrap(),
            networks: vec![format!("{HERE}/32").parse().unwrap()],
            ca_file: Some(self.folder.path().join("ca.pem")),
            milliseconds: 20_000,
        }
    }

    /// A checker with these settings.
    pub fn checker(&self) -> Checker {
        Checker::new(&self.settings()).unwrap()
    }

    /// A checker that soon gives up.
    pub fn hasty_checker(&self) -> Checker {
        Checker::new(&Settings { milliseconds: SHORT, ..self.settings() }).unwrap()
    }

    /// A file with this content.
    pub fn file(&self, name: &str, content: &str) -> std::path::PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A listener at which `host` is found, and the certificate to show there.
    pub async fn listener(&self, host: &str) -> (TcpListener, TlsAcceptor) {
        if host.parse::<IpAddr>().is_err() {
            self.names.set(host, RecordType::A, [Reply::addresses(&[HERE])]);
        }
        let listener = TcpListener::bind(SocketAddr::new(HERE, 0)).await.unwrap();
        (listener, TlsAcceptor::from(Arc::new(self.authority.server(host))))
    }
}

impl Victim {
    /// Listens on a port of the forbidden address, if it is free.
    pub fn listen(port: u16) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind((FORBIDDEN, port))?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    pub fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// The kernel takes connections by itself: whoever came stands in the queue.
    #[track_caller]
    pub fn was_left_alone(&self) {
        let came = self.0.accept();
        assert!(
            came.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock),
            "somebody connected"
        );
    }
}
