//! Carrying bytes between two connections. While nothing is said, a pair of them costs no buffer at all.

use std::io::{self, ErrorKind};
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The most that is carried at once.
const CHUNK: usize = 16 * 1024;
/// Who takes nothing for so long is gone, or wants the buffers of both systems kept full.
pub const STALLED: Duration = Duration::from_secs(60);
/// After the broker's last word, so long for the client to read it.
const LINGER: Duration = Duration::from_secs(5);

/// One end of a tunnel, and what it said before the tunnel was open.
pub struct End {
    pub stream: TcpStream,
    pub said: Bytes,
}

/// Carries bytes both ways until one end hangs up.
pub async fn carry(client: End, broker: End) {
    let (from_client, from_broker) = (client.said, broker.said);
    let (mut client, broker) = (client.stream, broker.stream);
    let client_left = {
        let mut up = pin!(flow(&client, from_client, &broker));
        let mut down = pin!(flow(&broker, from_broker, &client));
        tokio::select! {
            ended = &mut up => match ended {
                Ended::Speaker => true,
                Ended::Listener => timeout(LINGER, &mut down).await.is_err(),
            },
            _ = &mut down => false,
        }
    };
    drop(broker);
    if !client_left {
        // The broker says why it hangs up, and closing with bytes unread would destroy that on its way.
        let _ = client.shutdown().await;
        let _ = timeout(LINGER, discard(&client)).await;
    }
}

/// Who hung up.
enum Ended {
    Speaker,
    Listener,
}

/// Carries everything from one connection to the other until either ends.
async fn flow(from: &TcpStream, said: Bytes, to: &TcpStream) -> Ended {
    if write_all(to, &said).await.is_err() {
        return Ended::Listener;
    }
    drop(said);
    loop {
        if from.readable().await.is_err() {
            return Ended::Speaker;
        }
        match pass(from, to) {
            Passed::All => {}
            Passed::Except(rest) => {
                if write_all(to, &rest).await.is_err() {
                    return Ended::Listener;
                }
            }
            Passed::Nothing(ended) => return ended,
        }
    }
}

/// What became of a chunk.
enum Passed {
    All,
    /// The listener took only its beginning.
    Except(Vec<u8>),
    /// There will be no more.
    Nothing(Ended),
}

/// Passes on one chunk. The buffer is on the stack of whichever thread has something to carry.
fn pass(from: &TcpStream, to: &TcpStream) -> Passed {
    let mut buffer = [0; CHUNK];
    let read = match from.try_read(&mut buffer) {
        Ok(0) => return Passed::Nothing(Ended::Speaker),
        Ok(read) => read,
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Passed::All,
        Err(_) => return Passed::Nothing(Ended::Speaker),
    };
    let written = match to.try_write(buffer.get(..read).unwrap_or_default()) {
        Ok(written) => written,
        Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
        Err(_) => return Passed::Nothing(Ended::Listener),
    };
    match buffer.get(written..read) {
        Some(rest) if !rest.is_empty() => Passed::Except(rest.to_vec()),
        _ => Passed::All,
    }
}

async fn write_all(to: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        timeout(STALLED, to.writable()).await.map_err(|_| ErrorKind::TimedOut)??;
        match to.try_write(bytes) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn discard(from: &TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        from.readable().await?;
        match from.try_read(&mut buffer) {
            Ok(0) => return Ok(()),
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;
    use tokio::task::JoinHandle;

    use super::*;

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
        (near.unwrap(), far.unwrap().0)
    }

    /// Client, broker, and the tunnel between them.
    async fn tunnel(
        client_said: &'static [u8],
        broker_said: &'static [u8],
    ) -> (TcpStream, TcpStream, JoinHandle<()>) {
        let (client, near) = pair().await;
        let (broker, far) = pair().await;
        let near = End { stream: near, said: Bytes::from_static(client_said) };
        let far = End { stream: far, said: Bytes::from_static(broker_said) };
        (client, broker, tokio::spawn(carry(near, far)))
    }

    #[tokio::test]
    async fn what_was_said_during_the_handshake_comes_first() {
        let (mut client, mut broker, _tunnel) = tunnel(b"CONNECT", b"INFO").await;
        client.write_all(b" PING").await.unwrap();
        broker.write_all(b" PONG").await.unwrap();
        let mut heard = [0; 12];
        broker.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"CONNECT PING");
        let mut heard = [0; 9];
        client.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"INFO PONG");
    }

    #[tokio::test]
    async fn megabytes_arrive_whole_although_the_reader_is_slow() {
        let (client, mut broker, _tunnel) = tunnel(b"", b"").await;
        let sent: Vec<u8> = (0..8_000_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let expected = sent.clone();
        let (_reads, mut writes) = client.into_split();
        let writer = tokio::spawn(async move { writes.write_all(&sent).await });
        let mut heard = Vec::new();
        while heard.len() < expected.len() {
            let mut chunk = [0; 777];
            let read = broker.read(&mut chunk).await.unwrap();
            assert_ne!(read, 0);
            heard.extend_from_slice(&chunk[..read]);
        }
        writer.await.unwrap().unwrap();
        assert!(heard == expected);
    }

    #[tokio::test]
    async fn the_brokers_last_word_is_heard_by_a_client_who_still_talks() {
        let (mut client, mut broker, tunnel) = tunnel(b"", b"").await;
        broker.write_all(b"-ERR 'Authorization Violation'").await.unwrap();
        drop(broker);
        client.write_all(&[0; 100_000]).await.unwrap();
        let mut heard = String::new();
        client.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "-ERR 'Authorization Violation'");
        drop(client);
        tunnel.await.unwrap();
    }

    #[tokio::test]
    async fn the_broker_learns_that_a_client_left() {
        let (client, mut broker, tunnel) = tunnel(b"", b"").await;
        drop(client);
        assert_eq!(broker.read(&mut [0; 1]).await.unwrap(), 0);
        tunnel.await.unwrap();
    }
}
