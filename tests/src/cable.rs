//! A cable between a client and a server that can be pulled, and that can lose live messages, as the broker itself may.

use std::net::SocketAddr;
use std::sync::Arc;

use kez_contract::event::LIVE;
use kez_contract::sigchain::chain_owner;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Result, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A cable that is plugged in and loses nothing, until it is told otherwise.
pub struct Cable {
    scheme: String,
    address: SocketAddr,
    state: Arc<State>,
    /// Ends with the cable.
    _carries: JoinSet<()>,
}

struct State {
    plugged: watch::Sender<bool>,
    loses: watch::Sender<Option<Kind>>,
    lost: watch::Sender<usize>,
}

/// What is lost on the way.
#[derive(Clone, Copy)]
enum Kind {
    Live,
    Lists,
}

impl Cable {
    /// A cable to the server at this URL (`nats://` or `http://`).
    pub async fn to(url: &str) -> Self {
        let (scheme, server) = url.split_once("://").expect("a URL");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = State {
            plugged: watch::Sender::new(true),
            loses: watch::Sender::new(None),
            lost: watch::Sender::new(0),
        };
        let (scheme, server, state) = (scheme.to_owned(), server.to_owned(), Arc::new(state));
        let mut carries = JoinSet::new();
        carries.spawn(accept(listener, server, scheme == "nats", state.clone()));
        Self { scheme, address, state, _carries: carries }
    }

    /// What to connect to instead.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Breaks every connection. New ones wait.
    pub fn pull(&self) {
        self.state.plugged.send_replace(false);
    }

    /// Lets those in who wait.
    pub fn plug(&self) {
        self.state.plugged.send_replace(true);
    }

    /// Loses live messages and events of sigchains from now on.
    pub fn lose_live(&self) {
        self.state.loses.send_replace(Some(Kind::Live));
    }

    /// Loses the broker's lists of who is connected from now on.
    pub fn lose_lists(&self) {
        self.state.loses.send_replace(Some(Kind::Lists));
    }

    /// How many are lost in all.
    pub fn lost(&self) -> usize {
        *self.state.lost.borrow()
    }

    /// Waits until so many are.
    pub async fn until_lost(&self, messages: usize) {
        self.state.lost.subscribe().wait_for(|lost| *lost >= messages).await.unwrap();
    }

    /// Loses no more once so many are lost in all.
    pub async fn lose_no_more_after(&self, messages: usize) {
        self.until_lost(messages).await;
        self.state.loses.send_replace(None);
    }
}

async fn accept(listener: TcpListener, server: String, speaks_nats: bool, state: Arc<State>) {
    let mut carried = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        state.plugged.subscribe().wait_for(|plugged| *plugged).await.unwrap();
        let server = TcpStream::connect(&server).await;
        let state = state.clone();
        carried.spawn(async move {
            // A server that is not there hangs up.
            let Ok(server) = server else { return };
            let ((mut from_client, to_client), (from_server, mut to_server)) =
                (client.into_split(), server.into_split());
            let mut plugged = state.plugged.subscribe();
            tokio::select! {
                _ = copy(&mut from_client, &mut to_server) => {}
                _ = down(from_server, to_client, speaks_nats, &state) => {}
                _ = plugged.wait_for(|plugged| !plugged) => {}
            }
        });
    }
}

impl Kind {
    fn is(self, subject: &str, said: &[u8]) -> bool {
        match self {
            // What a stream says once, whether somebody hears it or not.
            Self::Live => LIVE.owner(subject).is_some() || chain_owner(subject).is_some(),
            Self::Lists => String::from_utf8_lossy(said).contains(r#""num_connections":"#),
        }
    }
}

/// Carries what the server says; of NATS, message by message.
async fn down(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    speaks_nats: bool,
    state: &State,
) -> Result<()> {
    if !speaks_nats {
        return copy(&mut from, &mut to).await.map(drop);
    }
    let mut from = BufReader::new(from);
    loop {
        let mut said = Vec::new();
        if from.read_until(b'\n', &mut said).await? == 0 {
            return Ok(());
        }
        let line = String::from_utf8_lossy(&said).into_owned();
        let words: Vec<&str> = line.split_whitespace().collect();
        let message = matches!(words.first(), Some(&("MSG" | "HMSG")));
        if let Some(length) = words.last().and_then(|length| length.parse::<u64>().ok()).filter(|_| message) {
            // The line break after it, too.
            (&mut from).take(length + 2).read_to_end(&mut said).await?;
        }
        let loses = *state.loses.borrow();
        if message && loses.is_some_and(|kind| kind.is(words[1], &said)) {
            state.lost.send_modify(|lost| *lost += 1);
        } else {
            to.write_all(&said).await?;
        }
    }
}
