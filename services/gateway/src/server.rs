//! The listeners: connections come in, are served, and end when the gateway stops.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use anyhow::{Result, anyhow};
use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use ipnet::IpNet;
use kez_contract::Problem;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::address::{Peer, counted};
use crate::seats::{Seat, Seats};
use crate::wire::Wire;

/// A client who takes longer to say what it wants, or says nothing after the last answer, is sent away.
const HEADERS_WITHIN: Duration = Duration::from_secs(15);
/// The largest head of a request.
const MAX_HEAD: usize = 16 * 1024;
/// When there are no file handles left, accepting is tried again after this.
const BREATHER: Duration = Duration::from_millis(100);

/// A socket that listens, and what it serves.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// When connections end.
#[derive(Clone)]
pub struct Closing {
    /// No more connections, and none that is idle.
    pub gently: CancellationToken,
    /// None at all.
    pub now: CancellationToken,
}

/// Who may connect: strangers as long as there are seats for them, proxies of our own always.
pub struct Door {
    pub seats: Seats,
    pub trusted: Vec<IpNet>,
}

impl Door {
    fn admit(&self, peer: IpAddr) -> Result<Option<Seat>, Problem> {
        let is_trusted = self.trusted.iter().any(|network| network.contains(&peer.to_canonical()));
        if is_trusted { Ok(None) } else { self.seats.take(counted(peer)).map(Some) }
    }
}

impl Listener {
    /// Takes the address, or says in one line why it cannot be had.
    pub async fn bind(address: SocketAddr, variable: &str) -> Result<Self> {
        let taken =
            |error| anyhow!("cannot listen on {address}: {error}. Another address goes into {variable}");
        let socket = TcpListener::bind(address).await.map_err(taken)?;
        let address = socket.local_addr().map_err(taken)?;
        Ok(Self { socket, address })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves whoever the door lets in until it is closing; each connection runs as one of `tasks`.
    pub async fn serve(self, router: Router, door: Door, closing: Closing, tasks: TaskTracker) {
        let service = TowerToHyperService::new(router);
        let accept = async {
            loop {
                match self.socket.accept().await {
                    Ok((stream, peer)) => {
                        let Ok(seat) = door.admit(peer.ip()) else { continue };
                        let connection = serve(stream, peer, service.clone(), closing.clone());
                        tasks.spawn(async move {
                            connection.await;
                            drop(seat);
                        });
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(BREATHER).await;
                    }
                }
            }
        };
        closing.gently.run_until_cancelled(accept).await;
    }
}

async fn serve(stream: TcpStream, peer: SocketAddr, service: TowerToHyperService<Router>, closing: Closing) {
    // Answers are small and whole: waiting for more to send would only delay them.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        service.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_header_size(MAX_HEAD)
        .serve_connection(TokioIo::new(Wire::new(stream)), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = closing.gently.cancelled() => {
            connection.as_mut().graceful_shutdown();
            closing.now.run_until_cancelled(connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::AsyncWriteExt;
    use tokio::time::timeout;

    use super::*;
    use crate::carry::STALLED;

    /// More than the buffers of both systems hold.
    const LARGE: usize = 64 * 1024 * 1024;

    #[tokio::test(start_paused = true)]
    async fn who_asks_and_does_not_read_is_sent_away() {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), "KEZ_LISTEN").await.unwrap();
        let mut client = TcpStream::connect(listener.address()).await.unwrap();
        let (stream, peer) = listener.socket.accept().await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let router = Router::new().route("/", get(|| async { vec![0; LARGE] }));
        let closing = Closing { gently: CancellationToken::new(), now: CancellationToken::new() };
        let served = serve(stream, peer, TowerToHyperService::new(router), closing);
        timeout(STALLED * 10, served).await.unwrap();
    }
}
