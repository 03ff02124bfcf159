//! The same person over HTTP: for where only HTTP gets through, and to hold the gateway to what it promises.

mod sse;
mod stream;
pub mod transport;

use hyper::{Method, StatusCode};
use kez_contract::config::ClientConfig;
use kez_contract::inbox::{Page, Send, Sent};
use kez_contract::registry::{Record, Registered};
use kez_contract::{Problem, http};
use kez_crypto::{Handle, MessageId, PublicKey, Registration, Sealed, SecretKey, Timestamp, request_auth};
use kez_service::Clock;

use crate::client::{Delivered, Mail, local_handle};
use crate::mail::{Received, document, refusal, write};
use transport::{Transport, read};

pub use stream::HttpFollow;

/// What a server tells its clients.
pub async fn config(base: &str) -> Result<ClientConfig, Problem> {
    Transport::new(base)?.get(http::CONFIG, &[]).await
}

/// A person who asks a gateway, each request signed for itself.
#[derive(Clone)]
pub struct HttpClient {
    transport: Transport,
    server: String,
    identity: SecretKey,
    clock: Clock,
}

impl HttpClient {
    /// A client of the gateway at a base URL (without a slash at its end); nothing is sent yet.
    pub fn new(base: &str, server: &str, identity: &SecretKey, clock: &Clock) -> Result<Self, Problem> {
        let transport = Transport::new(base)?;
        Ok(Self { transport, server: server.to_owned(), identity: identity.clone(), clock: clock.clone() })
    }

    /// Registers a handle for this identity.
    pub async fn register(&self, handle: &str) -> Result<Registered, Problem> {
        let handle = local_handle(handle, &self.server)?;
        let envelope = Registration::create(&handle, &self.server, self.now(), &self.identity);
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
        let record = self.by_primary(&self.identity.public()).await?;
        Handle::parse(&record.handle).map_err(refusal)
    }

    /// Seals a text to somebody (a handle, or `ed25519:<hex>`) and sends it, once.
    pub async fn send(&self, to: &str, text: &str) -> Result<Delivered, Problem> {
        let to = if to.contains(':') {
            PublicKey::parse(to).map_err(refusal)?
        } else {
            PublicKey::parse(&self.lookup(to).await?.primary).map_err(refusal)?
        };
        let (id, sealed) = self.seal(&to, text)?;
        Ok(Delivered { id, sent: self.deliver(&to, &sealed).await? })
    }

    /// Signs a text and seals it to somebody.
    pub fn seal(&self, to: &PublicKey, text: &str) -> Result<(MessageId, Sealed), Problem> {
        write(&self.identity, to, text, self.now())
    }

    /// Sends a sealed message, once.
    pub async fn deliver(&self, to: &PublicKey, sealed: &Sealed) -> Result<Sent, Problem> {
        let request = Send { to: to.identifier(), envelope: document(sealed.canonical())? };
        let body = serde_json::to_vec(&request).unwrap_or_default();
        read(&self.transport.request(Method::POST, http::MESSAGES, &[], body).await?.body)
    }

    /// What lies in the mailbox after sequence `since`, at most `limit` messages, opened.
    pub async fn fetch(&self, handle: &Handle, since: u64, limit: u32) -> Result<Mail, Problem> {
        let auth = request_auth::sign(&request_auth::inbox(handle, since), self.now(), &self.identity);
        let path =
            format!("{}?since={since}&limit={limit}", http::INBOX.replace("{handle}", handle.as_str()));
        let page: Page = self.transport.get(&path, &[(http::AUTH_HEADER, &auth)]).await?;
        let open = |stored| Received::open(stored, &self.identity, self.now());
        Ok(Mail { messages: page.messages.iter().map(open).collect(), next: page.next, more: page.more })
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.clock.now())
    }
}
