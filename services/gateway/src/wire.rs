//! A client's connection, which is given up when the client has taken nothing for too long: who asks and does not read
//! would otherwise have the answer kept for ever.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::carry::STALLED;

/// A connection that fails once a write has waited for so long.
pub struct Wire<Stream> {
    stream: Stream,
    /// Until when the write that waits has time; most writes never wait.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<Stream> Wire<Stream> {
    pub fn new(stream: Stream) -> Self {
        Self { stream, deadline: None }
    }

    pub fn into_inner(self) -> Stream {
        self.stream
    }

    /// What came of trying to write: an error, if nothing could be written for too long.
    fn judge<T>(&mut self, cx: &mut Context<'_>, tried: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if tried.is_ready() {
            self.deadline = None;
            return tried;
        }
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(STALLED)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }
}

impl<Stream: AsyncRead + Unpin> AsyncRead for Wire<Stream> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<Stream: AsyncWrite + Unpin> AsyncWrite for Wire<Stream> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let tried = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(cx, tried)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let tried = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.judge(cx, tried)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::{Instant, timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_given_up() {
        let (near, _far) = duplex(64);
        let begun = Instant::now();
        let written = timeout(STALLED * 2, Wire::new(near).write_all(&[0; 65])).await.unwrap();
        assert_eq!(written.unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(begun.elapsed() >= STALLED);
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_something_has_time_for_the_rest() {
        let (near, mut far) = duplex(64);
        let reader = async {
            let (mut heard, mut chunk) = (0, [0; 16]);
            while heard < 640 {
                tokio::time::sleep(STALLED - Duration::from_secs(1)).await;
                heard += far.read(&mut chunk).await.unwrap();
            }
        };
        let mut wire = Wire::new(near);
        let (written, ()) = tokio::join!(wire.write_all(&[0; 640]), reader);
        written.unwrap();
    }
}
