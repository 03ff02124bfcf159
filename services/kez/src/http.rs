//! The same person over HTTP: for where only HTTP gets through, and to hold the gateway to what it promises.

mod chains;
mod sse;
mod stream;
pub mod transport;

use std::sync::Arc;

use hyper::{Method, StatusCode};
use kez_contract::config::ClientConfig;
use kez_contract::inbox::{Page, Send, Sent, Stored};
use kez_contract::registry::{Record, Registered};
use kez_contract::{Problem, http};
use kez_crypto::{Handle, MessageId, PublicKey, Registration, Sealed, SecretKey, Timestamp, request_auth};
use kez_service::Clock;

use crate::chains::{ChainFault, Memory};
use crate::client::devices::{Devices, judge, judge_all, vouched};
use crate::client::{Delivered, Judged, Mail, local_handle};
use crate::mail::{Opened, Received, document, refusal, write};
use crate::server_time::ServerTime;
use crate::speaker::Speaker;
use transport::{Transport, read};

pub use stream::HttpFollow;

/// What a server tells its clients, and what time it is there.
pub async fn config(base: &str) -> Result<(ClientConfig, Option<ServerTime>), Problem> {
    let transport = Transport::new(base)?;
    let config = transport.get(http::CONFIG, &[]).await?;
    Ok((config, transport.server_time()))
}

/// A person who asks a gateway, each request signed for itself.
#[derive(Clone)]
pub struct HttpClient {
    transport: Transport,
    server: String,
    me: Speaker,
    clock: Clock,
    memory: Memory,
    devices: Arc<Devices>,
}

impl HttpClient {
    /// A client of the gateway at a base URL (without a slash at its end); nothing is sent yet.
    pub fn new(base: &str, server: &str, me: impl Into<Speaker>, clock: &Clock) -> Result<Self, Problem> {
        let transport = Transport::new(base)?;
        let (memory, devices) = (Memory::default(), Arc::new(Devices::new(&Memory::default())));
        let (server, me, clock) = (server.to_owned(), me.into(), clock.clone());
        Ok(Self { transport, server, me, clock, memory, devices })
    }

    /// The same client, with what was seen of sigchains before.
    pub fn remembering(self, memory: &Memory) -> Self {
        Self { memory: memory.clone(), devices: Arc::new(Devices::new(memory)), ..self }
    }

    /// The same client, that knows what time it is at the server before it has asked anything.
    pub fn at(self, server_time: Option<ServerTime>) -> Self {
        if let Some(time) = server_time {
            self.transport.hear(time);
        }
        self
    }

    /// Registers a handle for this identity.
    pub async fn register(&self, handle: &str) -> Result<Registered, Problem> {
        let handle = local_handle(handle, &self.server)?;
        let key = self.me.own_key("register")?;
        let envelope = Registration::create(&handle, &self.server, self.now(), key);
        let answer = self.transport.request(Method::POST, http::REGISTER, &[], envelope).await?;
        Ok(Registered { created: answer.status == StatusCode::CREATED, record: read(&answer.body)? })
    }

    /// The record of a handle, with or without `@server`.
    pub async fn lookup(&self, handle: &str) -> Result<Record, Problem> {
        let handle = local_handle(handle, &self.server)?;
        self.transport.get(&http::USER.replace("{handle}", handle.as_str()), &[]).await
    }

    /// The record of a key.
    pub async fn by_primary(&self, primary: &PublicKey) -> Result<Record, Problem> {
        self.transport.get(&http::BY_PRIMARY.replace("{primary}", &primary.identifier()), &[]).await
    }

    /// Under which handle this identity is registered.
    pub async fn handle(&self) -> Result<Handle, Problem> {
        let record = self.by_primary(&self.me.primary()).await?;
        Handle::parse(&record.handle).map_err(refusal)
    }

    /// Seals a text to somebody (a handle, or `ed25519:<hex>`) and sends it, once.
    pub async fn send(&self, to: &str, text: &str) -> Result<Delivered, Problem> {
        let to = if to.contains(':') {
            PublicKey::parse(to).map_err(refusal)?
        } else {
            PublicKey::parse(&self.lookup(to).await?.primary).map_err(refusal)?
        };
        let sent_at = self.server_now();
        let (id, sealed) = write(&self.me, &to, text, sent_at)?;
        Ok(Delivered { id, to, sent_at, sent: self.deliver(&to, &sealed).await? })
    }

    /// Whether I am there on other devices; whoever speaks as a device has at least the identity itself beside it.
    pub async fn has_siblings(&self) -> Result<bool, ChainFault> {
        let speaks_as_device = self.me.as_device().is_some();
        Ok(speaks_as_device || self.chain(self.me.primary()).await?.chain().devices().next().is_some())
    }

    /// Gives my other devices a copy of what was sent, for which nobody is woken, once.
    pub async fn copy(&self, delivered: &Delivered, text: &str) -> Result<Sent, Problem> {
        let envelope = document(delivered.copy(&self.me, text)?.canonical())?;
        self.post(&Send { silent: true, ..Send::new(self.me.primary().identifier(), envelope) }).await
    }

    /// Signs a text and seals it to somebody.
    pub fn seal(&self, to: &PublicKey, text: &str) -> Result<(MessageId, Sealed), Problem> {
        write(&self.me, to, text, self.server_now())
    }

    /// Sends a sealed message, once.
    pub async fn deliver(&self, to: &PublicKey, sealed: &Sealed) -> Result<Sent, Problem> {
        self.post(&Send::new(to.identifier(), document(sealed.canonical())?)).await
    }

    async fn post(&self, request: &Send) -> Result<Sent, Problem> {
        let body = serde_json::to_vec(request).unwrap_or_default();
        read(&self.transport.request(Method::POST, http::MESSAGES, &[], body).await?.body)
    }

    /// What lies in the mailbox after sequence `since`, at most `limit` messages, opened.
    pub async fn fetch(&self, handle: &Handle, since: u64, limit: u32) -> Result<Mail, Problem> {
        self.judged(handle, since, limit).await?.whole()
    }

    /// The same, with those among them that have to wait.
    pub async fn judged(&self, handle: &Handle, since: u64, limit: u32) -> Result<Judged, Problem> {
        let auth = request_auth::sign(&request_auth::inbox(handle, since), self.now(), self.own_key()?);
        let path =
            format!("{}?since={since}&limit={limit}", http::INBOX.replace("{handle}", handle.as_str()));
        let page: Page = self.transport.get(&path, &[(http::AUTH_HEADER, &auth)]).await?;
        let open = |stored: &Stored| Opened::new(stored, self.me.key(), self.server_now());
        let ask = |sender, device| async move { self.has_device(sender, &device).await };
        let messages = judge_all(&page.messages, open, ask).await;
        Ok(Judged { messages, next: page.next, more: page.more })
    }

    /// Opens a stored message. Where a device has signed, its sender's chain is asked whether it is theirs, and an error
    /// says that it could not be asked.
    async fn open(&self, stored: &Stored) -> Result<Received, Problem> {
        let opened = Opened::new(stored, self.me.key(), self.server_now());
        match opened.device() {
            Some((sender, device)) => judge(opened, vouched(|| self.has_device(sender, &device)).await),
            None => Ok(opened.judged(false)),
        }
    }

    /// Over HTTP a request is signed by the identity itself: `X-KEZ-Auth` has no place for a device.
    fn own_key(&self) -> Result<&SecretKey, Problem> {
        self.me.own_key("sign requests over HTTP")
    }

    /// The server's clock as far as it is known, by which mail is dated and judged. What is signed for the server to
    /// check has this machine's own time: no server has anything signed for another hour.
    fn server_now(&self) -> Timestamp {
        self.transport.server_time().map_or_else(|| self.now(), ServerTime::now)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.clock.now())
    }
}
