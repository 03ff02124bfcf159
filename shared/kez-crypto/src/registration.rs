//! Registration: an identity takes a handle at a server (protocol section 4).

use crate::payload::{Members, payload, text};
use crate::{Fault, Handle, PublicKey, SecretKey, Signed, Tag, Timestamp};

/// How far `created_at` may be from the server's clock, either way.
const MAX_SKEW_SECONDS: i64 = 5 * 60;

/// A registration whose signature, time, server and handle hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Registration {
    /// The handle that is asked for.
    pub handle: Handle,
    /// The identity that asks.
    pub primary: PublicKey,
    /// The server's domain.
    pub server: String,
    /// When it was signed.
    pub created_at: Timestamp,
}

impl Registration {
    /// Signs a registration of the key's identity; the envelope's JCS text.
    pub fn create(handle: &Handle, server: &str, created_at: Timestamp, key: &SecretKey) -> Vec<u8> {
        let members =
            payload([("handle", text(handle)), ("server", text(server)), ("created_at", text(&created_at))]);
        Signed::create(Tag::HandleRegistration, members, key).to_json()
    }

    /// Checks a registration at a server, in protocol section 4's order. Whether the handle and the primary are still
    /// free is the registry's to decide.
    ///
    /// # Errors
    /// Those of [`Signed::parse`], then [`Fault::Malformed`] for members that are missing, [`Fault::StaleTimestamp`]
    /// beyond five minutes either way, [`Fault::WrongServer`], [`Fault::InvalidHandle`], [`Fault::ReservedHandle`].
    pub fn check(envelope: &[u8], server: &str, now: Timestamp) -> Result<Self, Fault> {
        let signed = Signed::parse(envelope, Tag::HandleRegistration)?;
        let members = Members(&signed.payload);
        let (handle, named) = (members.text("handle")?, members.text("server")?);
        let created_at = members.time("created_at")?;
        if created_at.seconds_since(now).abs() > MAX_SKEW_SECONDS {
            return Err(Fault::StaleTimestamp);
        }
        if named != server {
            return Err(Fault::WrongServer);
        }
        Ok(Self {
            handle: Handle::parse(handle)?,
            primary: signed.ed25519()?,
            server: named.into(),
            created_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_779_678_000;

    #[test]
    fn is_taken_within_five_minutes() {
        let (alice, key) = (Handle::parse("alice").unwrap(), SecretKey::from_seed([1; 32]));
        let at = |seconds: i64| {
            let envelope = Registration::create(&alice, "kez.lat", Timestamp::from_unix(NOW + seconds), &key);
            Registration::check(&envelope, "kez.lat", Timestamp::from_unix(NOW)).map(|taken| taken.primary)
        };
        assert_eq!([at(-300), at(0), at(300)], [Ok(key.public()); 3]);
        assert_eq!([at(-301), at(301)], [Err(Fault::StaleTimestamp); 2]);
    }

    #[test]
    fn members_must_be_there() {
        let key = SecretKey::from_seed([1; 32]);
        let members = [("handle", "alice"), ("server", "kez.lat"), ("created_at", "2026-05-25T03:00:00Z")];
        for left_out in members {
            let kept = members.map(|member| (member.0, text(member.1).filter(|_| member != left_out)));
            let envelope = Signed::create(Tag::HandleRegistration, payload(kept), &key).to_json();
            let checked = Registration::check(&envelope, "kez.lat", Timestamp::from_unix(NOW));
            assert_eq!(checked, Err(Fault::Malformed), "{left_out:?}");
        }
    }
}
