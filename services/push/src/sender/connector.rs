//! Connections to push networks: each to an address that was checked, and not more of them kept than there is room for.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use kez_reach::{Reach, Socket, Unreached};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tower_service::Service;
use url::Url;

/// Connections that are used again. Whoever is told to push to many hosts makes more, each for one push.
const KEPT: usize = 256;
/// Connections that are being made: HTTP clients go on making one when another has become free, and nobody waits for it any
/// more. A host that never finishes a handshake holds one of these places for a while.
const BEING_MADE: usize = 64;
/// A place among them is waited for so long.
const QUEUE: Duration = Duration::from_secs(5);

/// Makes them. Clones share the room.
#[derive(Clone)]
pub struct Connector {
    reach: Reach,
    room: Arc<Semaphore>,
    being_made: Arc<Semaphore>,
}

/// One of them.
pub struct Line {
    socket: TokioIo<Socket>,
    /// Its place among those that are used again.
    place: Option<OwnedSemaphorePermit>,
}

impl Connector {
    pub fn new(reach: Reach) -> Self {
        let places = |number| Arc::new(Semaphore::new(number));
        Self { reach, room: places(KEPT), being_made: places(BEING_MADE) }
    }

    async fn connect(self, to: Uri) -> Result<Line, Unreached> {
        let url = Url::parse(&to.to_string()).map_err(|_| Unreached::NoAnswer("this is no URL"))?;
        let place = timeout(QUEUE, self.being_made.acquire_owned()).await;
        let Ok(Ok(_place)) = place else {
            return Err(Unreached::Late("too many connections are being made"));
        };
        let socket = TokioIo::new(self.reach.open(&url).await?);
        Ok(Line { socket, place: self.room.try_acquire_owned().ok() })
    }
}

impl Service<Uri> for Connector {
    type Response = Line;
    type Error = Unreached;
    type Future = Pin<Box<dyn Future<Output = Result<Line, Unreached>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Unreached>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        Box::pin(self.clone().connect(to))
    }
}

impl Connection for Line {
    fn connected(&self) -> Connected {
        let connected = Connected::new();
        if self.place.is_none() {
            connected.poison();
        }
        connected
    }
}

impl Read for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl Write for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use kez_reach::{Variables, Ways};
    use tokio::net::TcpListener;
    use tokio::time::Instant;

    use super::*;

    /// A host that takes connections and says nothing gets few of them, each for a while.
    #[tokio::test]
    async fn handshakes_that_never_end_hold_few_connections_for_a_while() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri: Uri = format!("https://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let patience = Duration::from_secs(2);
        let connector = Connector::new(
            Reach::new(&Ways {
                resolvers: vec![],
                networks: vec!["127.0.0.0/8".parse().unwrap()],
                ca_file: None,
                patience,
                variables: Variables { resolvers: "RESOLVERS", ca_file: "CA_FILE" },
            })
            .unwrap(),
        );
        let open = Arc::new(Semaphore::new(0));
        let taking = tokio::spawn({
            let open = open.clone();
            async move {
                let mut held = Vec::new();
                loop {
                    held.push(listener.accept().await.unwrap());
                    open.add_permits(1);
                }
            }
        });
        let began = Instant::now();
        let first = join_all((0..BEING_MADE).map(|_| connector.clone().call(uri.clone())));
        let beyond = async {
            let _ = open.acquire_many(BEING_MADE as u32).await.unwrap();
            assert!(timeout(patience / 4, connector.clone().call(uri.clone())).await.is_err());
            open.available_permits()
        };
        let (first, seen) = tokio::join!(first, beyond);
        assert_eq!(seen, BEING_MADE, "whoever comes later waits without a connection");
        assert!(first.iter().all(|line| matches!(line, Err(Unreached::Late(_)))));
        assert!(began.elapsed() < patience * 3, "{:?}", began.elapsed());
        taking.abort();
    }
}
