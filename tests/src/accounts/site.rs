//! An HTTPS server that answers as a test has it, and remembers what it was asked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, Response};
use axum::serve::Listener;
use bytes::Bytes;
use futures_util::stream;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A host with pages. What has none is 404.
pub struct Site {
    host: String,
    address: SocketAddr,
    pages: Pages,
    /// Ends with the site.
    _server: JoinSet<()>,
}

/// What lies at a path.
#[derive(Debug, Clone)]
pub enum Page {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Bytes,
    },
    /// Takes the request, and never answers.
    Silent,
    /// An answer that never ends.
    Endless,
}

impl Page {
    pub fn text(body: impl Into<Bytes>) -> Self {
        Self::Answer { status: 200, headers: Vec::new(), body: body.into() }
    }

    pub fn json(document: &Value) -> Self {
        Self::text(document.to_string())
    }

    pub fn status(status: u16) -> Self {
        Self::Answer { status, headers: Vec::new(), body: Bytes::new() }
    }

    pub fn redirect(to: impl Into<String>) -> Self {
        Self::Answer { status: 302, headers: vec![("location", to.into())], body: Bytes::new() }
    }
}

#[derive(Clone, Default)]
struct Pages {
    pages: Arc<Mutex<BTreeMap<String, Page>>>,
    asked: Arc<Mutex<Vec<(String, HeaderMap)>>>,
}

impl Site {
    pub(super) fn start(host: &str, listener: TcpListener, tls: TlsAcceptor) -> Self {
        let (address, pages) = (listener.local_addr().unwrap(), Pages::default());
        let router = Router::new().fallback(answer).with_state(pages.clone());
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(Secured { listener, tls }, router).await.unwrap() });
        Self { host: host.to_owned(), address, pages, _server: server }
    }

    /// `host:port`
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.address.port())
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.authority())
    }

    /// Puts a page at a path, which includes the query.
    pub fn put(&self, path: &str, page: Page) {
        self.pages.pages.lock().unwrap().insert(path.to_owned(), page);
    }

    /// Removes the page at a path.
    pub fn remove(&self, path: &str) {
        self.pages.pages.lock().unwrap().remove(path);
    }

    /// Every request so far: its path with the query, and its headers.
    pub fn asked(&self) -> Vec<(String, HeaderMap)> {
        self.pages.asked.lock().unwrap().clone()
    }
}

async fn answer(State(pages): State<Pages>, request: Request<Body>) -> Response<Body> {
    let path = request.uri().path_and_query().unwrap().to_string();
    pages.asked.lock().unwrap().push((path.clone(), request.headers().clone()));
    let page = pages.pages.lock().unwrap().get(&path).cloned();
    match page.unwrap_or_else(|| Page::status(404)) {
        Page::Silent => std::future::pending().await,
        Page::Endless => {
            let piece = || Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 4096]));
            Response::new(Body::from_stream(stream::iter(std::iter::repeat_with(piece))))
        }
        Page::Answer { status, headers, body } => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(Body::from(body)).unwrap()
        }
    }
}

/// Connections whose TLS has come about.
pub struct Secured {
    pub listener: TcpListener,
    pub tls: TlsAcceptor,
}

impl Listener for Secured {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, from) = self.listener.accept().await.unwrap();
            // Who does not trust this host leaves.
            if let Ok(secured) = self.tls.accept(stream).await {
                return (secured, from);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}
