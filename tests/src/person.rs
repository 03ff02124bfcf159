//! A person in a test: a key, a connection, and what people do.

use kez::client::{Client, Follow};
use kez::mail::Received;
use kez_crypto::{Handle, PublicKey, SecretKey, Timestamp, request_auth};
use kez_service::Clock;

/// Somebody, connected.
pub struct Person {
    pub secret: SecretKey,
    pub client: Client,
    /// Empty while not registered.
    pub handle: String,
}

/// A text message, where it stands in its mailbox.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text {
    pub seq: u64,
    pub text: String,
}

impl From<&Received> for Text {
    fn from(received: &Received) -> Self {
        let text = received.text().unwrap_or_else(|| panic!("not a text: {received:?}"));
        Self { seq: received.seq, text: text.to_owned() }
    }
}

impl Person {
    pub fn key(&self) -> PublicKey {
        self.secret.public()
    }

    /// The primary as subjects carry it.
    pub fn hex(&self) -> String {
        self.key().to_hex()
    }

    /// Their handle, of somebody registered.
    pub fn name(&self) -> Handle {
        Handle::parse(&self.handle).unwrap()
    }

    /// `X-KEZ-Auth` for a request that stands for this text, signed now.
    pub fn auth(&self, text: &str) -> String {
        request_auth::sign(text, Timestamp::from_unix(Clock::default().now()), &self.secret)
    }

    /// Sends a text and answers its sequence.
    pub async fn send(&self, to: &Person, text: &str) -> u64 {
        self.client.send(&to.handle, text).await.unwrap().sent.seq
    }

    /// Everything that lies in the mailbox: the texts in order, each with who wrote it.
    pub async fn texts(&self) -> Vec<(PublicKey, String)> {
        let all = self.everything().await;
        all.iter().map(|received| (received.from().unwrap(), Text::from(received).text)).collect()
    }

    /// Everything that lies in the mailbox, in order.
    pub async fn mailbox(&self) -> Vec<Text> {
        self.everything().await.iter().map(Text::from).collect()
    }

    async fn everything(&self) -> Vec<Received> {
        let mut since = 0;
        let mut all = Vec::new();
        loop {
            let mail = self.client.fetch(since, 500).await.unwrap();
            all.extend(mail.messages);
            since = mail.next;
            if !mail.more {
                return all;
            }
        }
    }

    /// Follows the mailbox from its beginning.
    pub async fn follow(&self) -> Follow {
        self.client.follow(0).await.unwrap()
    }
}
