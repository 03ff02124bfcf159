//! A nostr relay that speaks NIP-01 over WebSocket, honestly or not.

use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use kez_crypto::NostrSecret;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_websockets::{Message, ServerBuilder, WebSocketStream};

type Socket = WebSocketStream<TlsStream<TcpStream>>;

/// A relay with what it has and how it behaves.
pub struct Relay {
    url: String,
    said: Arc<Mutex<Said>>,
    /// Ends with the relay.
    _server: JoinSet<()>,
}

#[derive(Default)]
struct Said {
    events: Vec<Value>,
    manner: Manner,
    heard: watch::Sender<Vec<Value>>,
}

/// How a relay behaves.
#[derive(Debug, Clone, Default)]
pub enum Manner {
    /// Sends what it was asked for, and says when that was all.
    #[default]
    Honest,
    /// Sends all it has, whatever it was asked for.
    Lying,
    /// Takes the request, and says nothing.
    Silent,
    /// One event after the other, for ever.
    Endless,
    /// Closes the subscription for a reason.
    Refusing(&'static str),
}

impl Relay {
    pub(super) fn start(host: &str, listener: TcpListener, tls: TlsAcceptor) -> Self {
        let url = format!("wss://{host}:{}/", listener.local_addr().unwrap().port());
        let said = Arc::new(Mutex::new(Said::default()));
        let mut server = JoinSet::new();
        let known = said.clone();
        server.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (tls, known) = (tls.clone(), known.clone());
                connections.spawn(async move {
                    let Ok(secured) = tls.accept(stream).await else { return };
                    let Ok((_, socket)) = ServerBuilder::new().accept(secured).await else { return };
                    serve(socket, &known).await;
                });
            }
        });
        Self { url, said, _server: server }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the relay has from now on.
    pub fn set(&self, events: impl IntoIterator<Item = Value>) {
        self.said.lock().unwrap().events = events.into_iter().collect();
    }

    pub fn behave(&self, manner: Manner) {
        self.said.lock().unwrap().manner = manner;
    }

    /// The first messages that come, as many as are expected.
    pub async fn heard<const EXPECTED: usize>(&self) -> [Value; EXPECTED] {
        let mut heard = self.said.lock().unwrap().heard.subscribe();
        let heard = heard.wait_for(|heard| heard.len() >= EXPECTED).await.unwrap().clone();
        heard.try_into().unwrap()
    }
}

/// An event as its author signs it.
pub fn event(author: &NostrSecret, kind: u32, created_at: i64, tags: &Value, content: &str) -> Value {
    let pubkey = hex(author.public().as_bytes());
    let signed = json!([0, pubkey, created_at, kind, tags, content]).to_string();
    let (id, sig) = (hex(&Sha256::digest(&signed)), hex(&author.sign(signed.as_bytes())));
    json!({
        "id": id, "pubkey": pubkey, "created_at": created_at, "kind": kind, "tags": tags, "content": content,
        "sig": sig
    })
}

async fn serve(mut socket: Socket, said: &Mutex<Said>) {
    while let Some(Ok(message)) = socket.next().await {
        let Some(message) = message.as_text().map(|text| serde_json::from_str::<Value>(text).unwrap()) else {
            continue;
        };
        said.lock().unwrap().heard.send_modify(|heard| heard.push(message.clone()));
        if message[0] == "REQ" && answer(&mut socket, said, &message).await.is_err() {
            return;
        }
    }
}

async fn answer(
    socket: &mut Socket,
    said: &Mutex<Said>,
    request: &Value,
) -> Result<(), tokio_websockets::Error> {
    let (events, manner) = {
        let said = said.lock().unwrap();
        (said.events.clone(), said.manner.clone())
    };
    let (subscription, filters) = (&request[1], &request.as_array().unwrap()[2..]);
    match manner {
        Manner::Silent => return Ok(()),
        Manner::Refusing(reason) => return say(socket, &json!(["CLOSED", subscription, reason])).await,
        Manner::Endless => loop {
            say(socket, &json!(["EVENT", subscription, events[0]])).await?;
        },
        Manner::Honest | Manner::Lying => {}
    }
    let lying = matches!(manner, Manner::Lying);
    let asked_for = |event: &&Value| lying || filters.iter().any(|filter| matches(filter, event));
    for event in events.iter().filter(asked_for) {
        say(socket, &json!(["EVENT", subscription, event])).await?;
    }
    say(socket, &json!(["EOSE", subscription])).await
}

fn matches(filter: &Value, event: &Value) -> bool {
    let holds = |list: &Value, value: &Value| list.as_array().unwrap().contains(value);
    holds(&filter["authors"], &event["pubkey"]) && holds(&filter["kinds"], &event["kind"])
}

async fn say(socket: &mut Socket, message: &Value) -> Result<(), tokio_websockets::Error> {
    socket.send(Message::text(message.to_string())).await
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
