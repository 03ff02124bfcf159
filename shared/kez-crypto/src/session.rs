//! Sessions: a connection key speaks for an identity, for a while (protocol section 3).

use crate::payload::{Members, payload, text};
use crate::{Fault, PublicKey, SecretKey, Signed, Tag, Timestamp};

const MAX_AHEAD_SECONDS: i64 = 5 * 60;
const MAX_LIFETIME_SECONDS: i64 = 24 * 60 * 60;
const WAKE: &str = "wake";

/// What a session may be used for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// Whatever the identity may do.
    Everything,
    /// Looking what mail has come, and from whom: `"use": "wake"`. So a device can be woken by something that it trusts with
    /// less than itself.
    Wake,
}

/// A session whose signature, server, connection key and times hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Session {
    /// The identity that the session speaks for.
    pub primary: PublicKey,
    /// The device that signed, which must be active in the primary's sigchain ([`Fault::UnknownDevice`] otherwise).
    pub device: Option<PublicKey>,
    /// The connection key, a NATS user nkey `U…`.
    pub session: String,
    /// What it is good for.
    pub purpose: Purpose,
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
        Self::create_for(Purpose::Everything, primary, session, server, [created_at, expires_at], key)
    }

    /// The same for a session that is good for waking alone.
    pub fn create_to_wake(
        primary: PublicKey,
        session: PublicKey,
        server: &str,
        created_at: Timestamp,
        expires_at: Timestamp,
        key: &SecretKey,
    ) -> Vec<u8> {
        Self::create_for(Purpose::Wake, primary, session, server, [created_at, expires_at], key)
    }

    fn create_for(
        purpose: Purpose,
        primary: PublicKey,
        session: PublicKey,
        server: &str,
        [created_at, expires_at]: [Timestamp; 2],
        key: &SecretKey,
    ) -> Vec<u8> {
        let device = Some(key.public()).filter(|device| *device != primary);
        let members = payload([
            ("primary", text(&primary)),
            ("device", device.as_ref().and_then(text)),
            ("session", text(&session.nkey())),
            ("use", (purpose == Purpose::Wake).then(|| WAKE.into())),
            ("server", text(server)),
            ("created_at", text(&created_at)),
            ("expires_at", text(&expires_at)),
        ]);
        Signed::create(Tag::Session, members, key).to_json()
    }

    /// Checks a session that came with a connection signed by `session_nkey`.
    ///
    /// # Errors
    /// Those of [`Signed::parse`], then [`Fault::Malformed`] for members that are missing and for a use that is not known:
    /// to take it for an unlimited session would give more than was signed. Then [`Fault::WrongServer`],
    /// [`Fault::WrongSession`] for another connection key, [`Fault::Expired`] from `expires_at` on, and
    /// [`Fault::StaleTimestamp`] when it was signed more than five minutes ahead or lasts longer than 24 hours or
    /// no time at all.
    pub fn check(envelope: &[u8], server: &str, session_nkey: &str, now: Timestamp) -> Result<Self, Fault> {
        let signed = Signed::parse(envelope, Tag::Session)?;
        let members = Members(&signed.payload);
        let (session, named) = (members.text("session")?, members.text("server")?);
        let (created_at, expires_at) = (members.time("created_at")?, members.time("expires_at")?);
        PublicKey::from_nkey(session)?;
        let purpose = match members.optional_text("use")? {
            None => Purpose::Everything,
            Some(WAKE) => Purpose::Wake,
            Some(_) => return Err(Fault::Malformed),
        };
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
            primary: signed.ed25519()?,
            device: signed.device,
            session: session.into(),
            purpose,
            server: named.into(),
            created_at,
            expires_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const NOW: i64 = 1_779_678_000;

    fn check(from: i64, to: i64, key: &SecretKey) -> Result<Session, Fault> {
        let (primary, session) = (SecretKey::from_seed([1; 32]).public(), PublicKey::from_bytes([7; 32]));
        let [from, to] = [from, to].map(|seconds| Timestamp::from_unix(NOW + seconds));
        let envelope = Session::create(primary, session, "kez.lat", from, to, key);
        Session::check(&envelope, "kez.lat", &session.nkey(), Timestamp::from_unix(NOW))
    }

    #[test]
    fn times_are_bounded() {
        let key = SecretKey::from_seed([1; 32]);
        let day = MAX_LIFETIME_SECONDS;
        for (from, to) in [(0, 1), (0, day), (-day + 1, 1), (300, 301), (300, 300 + day)] {
            assert_eq!(check(from, to, &key).map(|session| session.device), Ok(None), "{from} {to}");
        }
        for (from, to) in [(-1, 0), (-10, -5), (-day, 0), (-2 * day, -1)] {
            assert_eq!(check(from, to, &key), Err(Fault::Expired), "{from} {to}");
        }
        for (from, to) in [(301, 302), (0, day + 1), (-day, 1), (2, 1), (1, 1)] {
            assert_eq!(check(from, to, &key), Err(Fault::StaleTimestamp), "{from} {to}");
        }
    }

    #[test]
    fn a_device_signs_for_its_primary() {
        let device = SecretKey::from_seed([2; 32]);
        let session = check(0, 60, &device).unwrap();
        assert_eq!(session.device, Some(device.public()));
        assert_eq!(session.primary, SecretKey::from_seed([1; 32]).public());
    }

    #[test]
    fn is_bound_to_server_and_connection() {
        let (key, now) = (SecretKey::from_seed([1; 32]), Timestamp::from_unix(NOW));
        let nkey = key.public().nkey();
        let envelope =
            Session::create(key.public(), key.public(), "kez.lat", now, now.plus_seconds(60), &key);
        assert_eq!(Session::check(&envelope, "evil.example", &nkey, now), Err(Fault::WrongServer));
        let other = PublicKey::from_bytes([8; 32]).nkey();
        assert_eq!(Session::check(&envelope, "kez.lat", &other, now), Err(Fault::WrongSession));
    }

    #[test]
    fn the_connection_key_is_an_nkey() {
        let key = SecretKey::from_seed([1; 32]);
        let account = format!("A{}", key.public().nkey().get(1..).unwrap());
        for session in ["", "U", &key.public().to_hex(), &account] {
            let members = payload([
                ("session", text(session)),
                ("server", text("kez.lat")),
                ("created_at", text("2026-05-25T03:00:00Z")),
                ("expires_at", text("2026-05-25T04:00:00Z")),
            ]);
            let envelope = Signed::create(Tag::Session, members, &key).to_json();
            let checked = Session::check(&envelope, "kez.lat", session, Timestamp::from_unix(NOW));
            assert_eq!(checked, Err(Fault::Malformed), "{session}");
        }
    }

    #[test]
    fn a_use_limits_what_it_is_good_for() {
        let key = SecretKey::from_seed([1; 32]);
        let (now, nkey) = (Timestamp::from_unix(NOW), key.public().nkey());
        let end = now.plus_seconds(60);
        for (create, purpose) in [
            (Session::create as fn(_, _, &str, _, _, &_) -> _, Purpose::Everything),
            (Session::create_to_wake, Purpose::Wake),
        ] {
            let envelope = create(key.public(), key.public(), "kez.lat", now, end, &key);
            let session = Session::check(&envelope, "kez.lat", &nkey, now).unwrap();
            assert_eq!(session.purpose, purpose);
        }
        for unknown in
            ["".into(), "Wake".into(), "everything".into(), "chat".into(), Value::Null, 1.into()].map(Some)
        {
            let members = payload([
                ("session", text(&nkey)),
                ("use", unknown.clone()),
                ("server", text("kez.lat")),
                ("created_at", text(&now)),
                ("expires_at", text(&end)),
            ]);
            let envelope = Signed::create(Tag::Session, members, &key).to_json();
            assert_eq!(
                Session::check(&envelope, "kez.lat", &nkey, now),
                Err(Fault::Malformed),
                "{unknown:?}"
            );
        }
    }
}
