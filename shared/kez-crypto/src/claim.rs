//! Claims: an identity says that an account is its own, in words that the account can publish (protocol sections 3, 7).

use crate::encoding::MAX_ENVELOPE_BYTES;
use crate::payload::{Members, payload, text};
use crate::{Fault, Identifier, Primary, Signed, Signer, Tag, Timestamp};

/// A claim whose signature holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Claim {
    /// The account.
    pub subject: Identifier,
    /// The identity that claims it.
    pub primary: Primary,
    /// When it was signed.
    pub created_at: Timestamp,
    /// When it ends, if ever.
    pub expires_at: Option<Timestamp>,
}

impl Claim {
    /// Signs a claim of the key's identity; the envelope's JCS text, which [`crate::encoding`] makes publishable.
    pub fn create<'a>(
        subject: &Identifier,
        created_at: Timestamp,
        expires_at: Option<Timestamp>,
        key: impl Into<Signer<'a>>,
    ) -> Vec<u8> {
        let members = payload([
            ("subject", text(subject)),
            ("created_at", text(&created_at)),
            ("expires_at", expires_at.as_ref().and_then(text)),
        ]);
        Signed::create(Tag::Claim, members, key).to_json()
    }

    /// Reads a claim's envelope and checks its signature.
    ///
    /// # Errors
    /// [`Fault::TooLarge`] beyond [`MAX_ENVELOPE_BYTES`], those of [`Signed::parse`], [`Fault::Malformed`] for members
    /// that are missing or of the wrong kind.
    pub fn parse(envelope: &[u8]) -> Result<Self, Fault> {
        if envelope.len() > MAX_ENVELOPE_BYTES {
            return Err(Fault::TooLarge);
        }
        let signed = Signed::parse(envelope, Tag::Claim)?;
        let members = Members(&signed.payload);
        let expires_at = members.optional_text("expires_at")?.map(Timestamp::parse).transpose()?;
        Ok(Self {
            subject: Identifier::parse(members.text("subject")?)?,
            primary: signed.primary,
            created_at: members.time("created_at")?,
            expires_at,
        })
    }

    /// Whether it is the claim that is looked for. Whether the identity has revoked it is for its sigchain to say.
    ///
    /// # Errors
    /// The first of [`Fault::WrongSubject`], [`Fault::WrongPrimary`] and, from `expires_at` on, [`Fault::Expired`] that
    /// applies.
    pub fn check(&self, subject: &Identifier, primary: &Primary, now: Timestamp) -> Result<(), Fault> {
        if self.subject != *subject {
            return Err(Fault::WrongSubject);
        }
        if self.primary != *primary {
            return Err(Fault::WrongPrimary);
        }
        if self.expires_at.is_some_and(|end| now >= end) {
            return Err(Fault::Expired);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::{NostrSecret, PublicKey, SecretKey};

    const NOW: Timestamp = Timestamp::from_unix(1_779_678_000);

    fn subject(text: &str) -> Identifier {
        Identifier::parse(text).unwrap()
    }

    #[test]
    fn reads_what_it_writes() {
        let (ed25519, nostr) = (SecretKey::from_seed([1; 32]), NostrSecret::from_bytes([1; 32]).unwrap());
        for (key, primary) in [
            (Signer::from(&ed25519), ed25519.public().into()),
            ((&nostr).into(), Primary::Nostr(nostr.public())),
        ] {
            for expires_at in [None, Some(NOW.plus_seconds(1))] {
                let claim = Claim { subject: subject("dns:kez.lat"), primary, created_at: NOW, expires_at };
                let envelope = Claim::create(&claim.subject, NOW, expires_at, key);
                assert_eq!(Claim::parse(&envelope), Ok(claim));
            }
        }
    }

    #[test]
    fn nostr_claims_are_signed_as_they_always_were() {
        // Bitcoin's libsecp256k1 verifies this signature over the SHA-256 of the payload's JCS.
        let key = NostrSecret::from_bytes([1; 32]).unwrap();
        let envelope = Claim::create(&subject("github:tudisco"), NOW, None, &key);
        insta::assert_snapshot!(String::from_utf8(envelope).unwrap(), @r#"{"kez":"claim","payload":{"created_at":"2026-05-25T03:00:00Z","primary":"nostr:npub1rwzv24nmzfjypx2a8m264ws9vht3uxp5vpypnluuzl67n4waq78suk0wul","subject":"github:tudisco","type":"kez.claim","version":1},"signature":{"alg":"nostr-secp256k1-schnorr-sha256-jcs","key":"nostr:npub1rwzv24nmzfjypx2a8m264ws9vht3uxp5vpypnluuzl67n4waq78suk0wul","sig":"e0ab0c988d3da4db243d1491c37b9f0c9c1c21e7e4ae30bbe3164b1cc87e02ae5fb3fab28746e1ce029163733066b9bc67fccb1807a58f5e80139c1fd345228b"}}"#);
    }

    #[test]
    fn is_one_account_of_one_identity_for_a_time() {
        let primary = Primary::from(PublicKey::from_bytes([7; 32]));
        let other = Primary::from(PublicKey::from_bytes([8; 32]));
        let claim = |expires_at: Option<Timestamp>| Claim {
            subject: subject("mastodon:a@b.example"),
            primary,
            created_at: NOW,
            expires_at,
        };
        let (account, another) = (subject("ap:a@b.example"), subject("ap:b@b.example"));
        assert_eq!(claim(None).check(&account, &primary, NOW), Ok(()));
        assert_eq!(claim(Some(NOW)).check(&another, &other, NOW), Err(Fault::WrongSubject));
        assert_eq!(claim(Some(NOW)).check(&account, &other, NOW), Err(Fault::WrongPrimary));
        assert_eq!(claim(Some(NOW)).check(&account, &primary, NOW), Err(Fault::Expired));
        assert_eq!(claim(Some(NOW.plus_seconds(1))).check(&account, &primary, NOW), Ok(()));
    }

    #[test]
    fn members_must_be_there() {
        let key = SecretKey::from_seed([1; 32]);
        let whole = json!({"subject": "dns:kez.lat", "created_at": NOW, "expires_at": NOW, "x": 1});
        let parse = |name: &str, value: Option<serde_json::Value>| {
            let mut members: Map<_, _> = whole.as_object().cloned().unwrap();
            members.remove(name);
            members.extend(value.map(|value| (name.to_owned(), value)));
            Claim::parse(&Signed::create(Tag::Claim, members, &key).to_json()).map(|claim| claim.expires_at)
        };
        assert_eq!(parse("x", None), Ok(Some(NOW)));
        assert_eq!(parse("expires_at", None), Ok(None));
        for (name, value) in [
            ("subject", None),
            ("subject", Some(json!("kez.lat"))),
            ("created_at", None),
            ("created_at", Some(json!(0))),
            ("expires_at", Some(json!(null))),
            ("expires_at", Some(json!("tomorrow"))),
        ] {
            assert_eq!(parse(name, value.clone()), Err(Fault::Malformed), "{name} {value:?}");
        }
        let long = parse("x", Some(json!("x".repeat(MAX_ENVELOPE_BYTES))));
        assert_eq!(long, Err(Fault::TooLarge));
    }
}
