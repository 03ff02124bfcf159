//! Sessions: a connection key speaks for an identity, for a while (protocol section 3).

use crate::payload::{Members, payload, text};
use crate::{Fault, PublicKey, SecretKey, Signed, Tag, Timestamp};

const MAX_AHEAD_SECONDS: i64 = 5 * 60;
const MAX_LIFETIME_SECONDS: i64 = 24 * 60 * 60;

/// A session whose signature, server, connection key and times hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Session {
    /// The identity that the session speaks for.
    pub primary: PublicKey,
    /// The device that signed, which must be active in the primary's sigchain ([`Fault::UnknownDevice`] otherwise).
    pub device: Option<PublicKey>,
    /// The connection key, a NATS user nkey `U…`.
    pub session: String,
    /// The server's domain.
    pub server: String,
    /// When it was signed.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Session {
    /// Signs a session for `primary`; the envelope's JCS text. When `key` is not the primary's own, it signs as a
    /// device of it.
    pub fn create(
        primary: PublicKey,
        session: PublicKey,
        server: &str,
        created_at: Timestamp,
        expires_at: Timestamp,
        key: &SecretKey,
    ) -> Vec<u8> {
        let device = Some(key.public()).filter(|device| *device != primary);
        let members = payload([
            ("primary", text(primary)),
            ("device", device.and_then(text)),
            ("session", text(session.nkey())),
            ("server", text(server)),
            ("created_at", text(created_at)),
            ("expires_at", text(expires_at)),
        ]);
        Signed::create(Tag::Session, members, key).to_json()
    }

    /// Checks a session that came with a connection signed by `session_nkey`.
    ///
    /// # Errors
    /// Those of [`Signed::parse`], then [`Fault::Malformed`] for members that are missing, [`Fault::WrongServer`],
    /// [`Fault::WrongSession`] for another connection key, [`Fault::Expired`] from `expires_at` on, and
    /// [`Fault::StaleTimestamp`] when it was signed more than five minutes ahead or lasts longer than 24 hours or
    /// no time at all.
    pub fn check(envelope: &[u8], server: &str, session_nkey: &str, now: Timestamp) -> Result<Self, Fault> {
        let signed = Signed::parse(envelope, Tag::Session)?;
        let members = Members(&signed.payload);
        let (session, named) = (members.text("session")?, members.text("server")?);
        let (created_at, expires_at) = (members.time("created_at")?, members.time("expires_at")?);
        PublicKey::from_nkey(session)?;
        if named != server {
            return Err(Fault::WrongServer);
        }
        if session != session_nkey {
            return Err(Fault::WrongSession);
        }
        if now >= expires_at {
            return Err(Fault::Expired);
        }
        let lifetime = expires_at.seconds_since(created_at);
        if created_at.seconds_since(now) > MAX_AHEAD_SECONDS
            || !(1..=MAX_LIFETIME_SECONDS).contains(&lifetime)
        {
            return Err(Fault::StaleTimestamp);
        }
        Ok(Self {
            primary: signed.primary,
            device: signed.device,
            session: session.into(),
            server: named.into(),
            created_at,
            expires_at,
        })
    }
}
