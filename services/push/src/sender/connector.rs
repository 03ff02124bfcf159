//! Connections to push networks: each to an address that was checked, and not more of them kept than there is room for.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use kez_reach::{Reach, Socket, Unreached};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_service::Service;
use url::Url;

/// Connections that are used again. Whoever is told to push to many hosts makes more, each for one push.
const KEPT: usize = 256;

/// Makes them. Clones share the room.
#[derive(Clone)]
pub struct Connector {
    reach: Reach,
    room: Arc<Semaphore>,
}

/// One of them.
pub struct Line {
    socket: TokioIo<Socket>,
    /// Its place among those that are used again.
    place: Option<OwnedSemaphorePermit>,
}

impl Connector {
    pub fn new(reach: Reach) -> Self {
        Self { reach, room: Arc::new(Semaphore::new(KEPT)) }
    }

    async fn connect(self, to: Uri) -> Result<Line, Unreached> {
        let url = Url::parse(&to.to_string()).map_err(|_| Unreached::NoAnswer("this is no URL"))?;
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
