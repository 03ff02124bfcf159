//! Who exists: registering, and finding the key behind a name.

use std::time::Duration;

use kez_contract::registry::{
    BY_PRIMARY, ByHandle, ByPrimary, LOOKUP, REGISTER, Record, Register, Registered,
};
use kez_contract::{Code, Problem};
use kez_crypto::{FullHandle, Handle, PublicKey, Registration};

use super::Client;
use crate::mail::{document, refusal};

/// How often a sign-in may still be given the rights of somebody unregistered, right after registering: the sign-in
/// service hears of registrations within moments.
const SIGN_INS: u32 = 20;

impl Client {
    /// Registers a handle for this identity, and signs in again with the rights that come with it.
    pub async fn register(&self, handle: &str) -> Result<Registered, Problem> {
        let handle = local_handle(handle, self.server())?;
        let key = self.connection.me.own_key("register")?;
        let envelope = Registration::create(&handle, self.server(), self.now(), key);
        let registered = self.call(&REGISTER, &Register { envelope: document(envelope)? }).await?;
        self.gain_rights().await?;
        Ok(registered)
    }

    /// The record of a handle, with or without `@server`.
    pub async fn lookup(&self, handle: &str) -> Result<Record, Problem> {
        let handle = local_handle(handle, self.server())?;
        let record = self.call(&LOOKUP, &ByHandle { handle: handle.to_string() }).await?;
        check(&record, self.server())?;
        if record.handle != handle.as_str() {
            return Err(Problem::new(Code::Internal, "the server answered with somebody else's record"));
        }
        Ok(record)
    }

    /// The record of a key.
    pub async fn by_primary(&self, primary: &PublicKey) -> Result<Record, Problem> {
        let record = self.call(&BY_PRIMARY, &ByPrimary { primary: primary.identifier() }).await?;
        if check(&record, self.server())? != *primary {
            return Err(Problem::new(Code::Internal, "the server answered with somebody else's record"));
        }
        Ok(record)
    }

    /// The key of somebody: by handle, as the registry has it, or `ed25519:<hex>`, which needs nobody's word.
    pub async fn resolve(&self, who: &str) -> Result<PublicKey, Problem> {
        if who.contains(':') {
            return PublicKey::parse(who).map_err(refusal);
        }
        check(&self.lookup(who).await?, self.server())
    }

    /// Tries a call that only the registered may make, one that leaves nothing behind: asking for mail would make a cursor
    /// for this key, which holds back what other devices have read.
    async fn gain_rights(&self) -> Result<(), Problem> {
        for attempt in 0..SIGN_INS {
            self.reconnect().await?;
            match self.page(0, 0).await {
                Err(problem) if problem.code == Code::Unauthorized => {
                    tokio::time::sleep(Duration::from_millis(50) * attempt).await;
                }
                // No page is that small: the inbox itself has refused, or something else than rights hinders.
                _ => return Ok(()),
            }
        }
        Err(Problem::unavailable("the handle is registered, but the sign-in service has not heard of it yet"))
    }
}

/// The handle of somebody at this server.
pub fn local_handle(text: &str, server: &str) -> Result<Handle, Problem> {
    if !text.contains('@') {
        return Handle::parse(text).map_err(refusal);
    }
    let full = FullHandle::parse(text).map_err(refusal)?;
    if full.server == server {
        Ok(full.handle)
    } else {
        Err(Problem::new(
            Code::WrongServer,
            format!("this is {server}; people of other servers are not reached from here"),
        ))
    }
}

/// The key in a record that is sound in itself.
fn check(record: &Record, server: &str) -> Result<PublicKey, Problem> {
    let sound = Handle::parse(&record.handle).is_ok() && record.fqhn == format!("{}@{server}", record.handle);
    PublicKey::parse(&record.primary)
        .ok()
        .filter(|_| sound)
        .ok_or_else(|| Problem::new(Code::Internal, "the server answered with a broken record"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_of_this_server() {
        assert_eq!(local_handle("alice", "kez.lat").unwrap().as_str(), "alice");
        assert_eq!(local_handle("alice@kez.lat", "kez.lat").unwrap().as_str(), "alice");
        assert_eq!(local_handle("alice@example.org", "kez.lat").unwrap_err().code, Code::WrongServer);
        assert_eq!(local_handle("Alice", "kez.lat").unwrap_err().code, Code::InvalidHandle);
    }

    #[test]
    fn records_name_the_server_and_a_key() {
        let record = |fqhn: &str, primary: &str| Record {
            handle: "alice".to_owned(),
            fqhn: fqhn.to_owned(),
            primary: primary.to_owned(),
            sigchain_url: String::new(),
            registered_at: String::new(),
            proofs: Vec::new(),
        };
        let key = format!("ed25519:{}", "a".repeat(64));
        assert!(check(&record("alice@kez.lat", &key), "kez.lat").is_ok());
        assert!(check(&record("bob@kez.lat", &key), "kez.lat").is_err());
        assert!(check(&record("alice@kez.lat", "nostr:npub1x"), "kez.lat").is_err());
    }
}
