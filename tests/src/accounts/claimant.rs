//! Somebody who claims an account, and everything that can be wrong with such a claim.

use kez_contract::sigchain::{Status, Why};
use kez_crypto::{Claim, Identifier, Primary, SecretKey, Timestamp};
use kez_proofs::{Checker, Finding};
use kez_service::random;

/// When the tests take place.
pub const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

/// An identity and the account that it claims.
pub struct Claimant {
    key: SecretKey,
    pub subject: Identifier,
}

/// A claim that an account publishes, and what it proves.
pub struct Case {
    pub what: &'static str,
    /// The envelope's text; none when nothing is published.
    pub envelope: Option<Vec<u8>>,
    revoked: bool,
    why: Option<Why>,
}

impl Claimant {
    pub fn of(subject: &str) -> Self {
        let subject = Identifier::parse(subject).unwrap();
        Self { key: SecretKey::from_seed(random::bytes()), subject }
    }

    pub fn primary(&self) -> Primary {
        self.key.public().into()
    }

    /// The claim that counts.
    pub fn claim(&self) -> Vec<u8> {
        Claim::create(&self.subject, NOW.plus_seconds(-60), None, &self.key)
    }

    /// The same as text.
    pub fn envelope(&self) -> String {
        String::from_utf8(self.claim()).unwrap()
    }

    pub async fn check(&self, checker: &Checker) -> Finding {
        checker.check(&self.subject, &self.primary(), false, NOW).await
    }

    /// A check that finds nothing good.
    #[track_caller]
    pub fn fails<'a>(&'a self, checker: &'a Checker, why: Why) -> impl Future<Output = Finding> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let finding = self.check(checker).await;
            assert_eq!(finding.why, Some(why), "{caller}: {finding:?}");
            assert!(finding.claim.is_none() && finding.detail.is_some(), "{caller}: {finding:?}");
            finding
        }
    }

    /// A check that finds the claim; where it stands.
    #[track_caller]
    pub fn verifies<'a>(&'a self, checker: &'a Checker) -> impl Future<Output = String> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let finding = self.check(checker).await;
            assert_eq!((finding.status, finding.why), (Status::Verified, None), "{caller}: {finding:?}");
            assert_eq!(finding.claim.map(String::into_bytes), Some(self.claim()), "{caller}");
            finding.evidence
        }
    }

    /// Every claim that an account may publish, good and bad.
    pub fn cases(&self) -> Vec<Case> {
        let good = self.claim();
        let signed = |subject: &str, expires_in: Option<i64>, key: &SecretKey| {
            let (subject, expires_at) =
                (Identifier::parse(subject).unwrap(), expires_in.map(|seconds| NOW.plus_seconds(seconds)));
            Claim::create(&subject, NOW.plus_seconds(-60), expires_at, key)
        };
        let own = self.subject.as_str();
        let mallory = SecretKey::from_seed(random::bytes());
        let tampered = String::from_utf8(good.clone()).unwrap().replacen("20", "19", 1).into_bytes();
        let case =
            |what, envelope: Vec<u8>, why| Case { what, envelope: Some(envelope), revoked: false, why };
        vec![
            case("good", good.clone(), None),
            case("good for a minute", signed(own, Some(60), &self.key), None),
            case("wrong primary", signed(own, None, &mallory), Some(Why::WrongPrimary)),
            case("wrong subject", signed("matrix:@a:b.example", None, &self.key), Some(Why::WrongSubject)),
            case("tampered", tampered, Some(Why::BadSignature)),
            case("cut off", good[..good.len() / 2].to_vec(), Some(Why::Malformed)),
            case("expired", signed(own, Some(0), &self.key), Some(Why::Expired)),
            Case { what: "revoked", envelope: Some(good), revoked: true, why: Some(Why::Revoked) },
            Case { what: "missing", envelope: None, revoked: false, why: Some(Why::Absent) },
        ]
    }

    /// Publishes one claim after the other, and sees each judged as it should be.
    pub async fn sees_all_judged(&self, checker: &Checker, mut publish: impl FnMut(Option<&[u8]>)) {
        for Case { what, envelope, revoked, why } in self.cases() {
            publish(envelope.as_deref());
            let finding = checker.check(&self.subject, &self.primary(), revoked, NOW).await;
            let status = if why.is_none() { Status::Verified } else { Status::Failed };
            assert_eq!((finding.status, finding.why), (status, why), "{what}: {finding:?}");
            assert!(!finding.evidence.is_empty() && finding.detail.is_some() == why.is_some(), "{what}");
            let is_own = matches!(why, None | Some(Why::Expired | Why::Revoked));
            assert_eq!(finding.claim.map(String::into_bytes), envelope.filter(|_| is_own), "{what}");
        }
    }
}
