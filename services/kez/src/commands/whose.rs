//! Whose sigchain a command is about: somebody's, or one's own. No passphrase is needed to read it.

use clap::Args;
use kez_contract::Code;
use kez_crypto::{FullHandle, Handle, Primary};

use crate::chains::Verified;
use crate::client::Client;
use crate::failure::Failure;
use crate::identity::IdentityFile;
use crate::mail::refusal;
use crate::server::ServerArgs;

/// Somebody, or oneself.
#[derive(Debug, Clone, Args)]
pub struct Whose {
    /// A handle, with or without @server, ed25519:<64 hex digits> or nostr:npub1… [default: you]
    who: Option<String>,

    #[command(flatten)]
    pub file: IdentityFile,

    #[command(flatten)]
    pub server: ServerArgs,
}

impl Whose {
    /// The chain, read as nobody, verified and compared with what was seen of it before.
    pub async fn chain(&self) -> Result<Verified, Failure> {
        self.check()?;
        let client = self.server.connect_as_nobody(&self.file.memory()?).await?;
        let primary = self.primary(&client).await?;
        Ok(client.chain(primary).await?)
    }

    /// Whether somebody can be meant at all.
    pub fn check(&self) -> Result<(), Failure> {
        self.who.as_deref().map_or(Ok(()), check)
    }

    /// Whose it is.
    pub async fn primary(&self, client: &Client) -> Result<Primary, Failure> {
        match &self.who {
            Some(who) => find(client, who).await,
            None => Ok(self.file.primary()?.into()),
        }
    }
}

/// Whether this can be somebody with a chain at all; what server they are of is found out later.
pub(super) fn check(who: &str) -> Result<(), Failure> {
    let checked = match who {
        key if key.contains(':') => Primary::parse(key).map(drop),
        full if full.contains('@') => FullHandle::parse(full).map(drop),
        handle => Handle::parse(handle).map(drop),
    };
    checked.map_err(|fault| Failure::argument(refusal(fault)))
}

/// The key of somebody.
pub(super) async fn find(client: &Client, who: &str) -> Result<Primary, Failure> {
    client.resolve_primary(who).await.map_err(|problem| match problem.code {
        Code::NotFound => Failure { advice: None, ..problem.into() },
        _ => problem.into(),
    })
}
