//! What an account's texts prove: one rule for all channels, without a network and without a clock.

use std::collections::BTreeSet;

use kez_contract::sigchain::{Status, Why};
use kez_crypto::{Claim, Fault, Identifier, Primary, Timestamp, encoding, json};

use crate::found::{Found, Text, Unfound};

/// So many claims of one account are looked at.
const CLAIMS: usize = 256;

/// What has to be proven.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub subject: &'a Identifier,
    pub primary: &'a Primary,
    /// Whether the identity's sigchain has taken its claim back.
    pub revoked: bool,
    pub now: Timestamp,
}

/// What a check found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub status: Status,
    /// Why it is not verified.
    pub why: Option<Why>,
    /// The same for people.
    pub detail: Option<String>,
    /// Where it was looked for, or found.
    pub evidence: String,
    /// The text of the claim's envelope, when it is signed by the identity and of the account.
    pub claim: Option<String>,
}

impl Wanted<'_> {
    /// Whether a text settles it, so that nothing more needs to be read.
    pub fn is_proven_by(&self, text: &str) -> bool {
        encoding::find(text).into_iter().flatten().any(|envelope| self.read(&envelope).is_ok())
    }

    /// Judges what was found: by a good claim if there is one, or else by the fault that says most.
    pub fn judge(&self, found: Found) -> Finding {
        let mut seen = BTreeSet::new();
        let mut worst: Option<Judged<'_>> = None;
        for (candidate, evidence) in found.texts.iter().flat_map(candidates).take(CLAIMS) {
            let Some(judged) = self.judge_one(candidate, evidence, &mut seen) else { continue };
            let Some(why) = judged.why else { return judged.finding() };
            if worst.as_ref().is_none_or(|worst| worst.why.is_some_and(|other| says_more(why, other))) {
                worst = Some(judged);
            }
        }
        match (found.gap, worst) {
            (Some(gap), _) => gap.into(),
            (None, Some(worst)) => worst.finding(),
            (None, None) => Unfound::new(Why::Absent, detail(Why::Absent), &found.place).into(),
        }
    }

    /// The verdict on one candidate; none when it was seen before, or is no claim at all.
    fn judge_one<'a>(
        &self,
        candidate: Result<Vec<u8>, Fault>,
        evidence: &'a str,
        seen: &mut BTreeSet<Vec<u8>>,
    ) -> Option<Judged<'a>> {
        let broken = Judged { why: Some(Why::Malformed), claim: None, evidence };
        let Ok(envelope) = candidate else { return Some(broken) };
        if !seen.insert(envelope.clone()) {
            return None;
        }
        match self.read(&envelope) {
            Ok(claim) => Some(Judged { why: None, claim: Some(claim), evidence }),
            Err(Why::Absent) => None,
            Err(why @ (Why::Expired | Why::Revoked)) => {
                Some(Judged { why: Some(why), claim: String::from_utf8(envelope).ok(), evidence })
            }
            Err(why) => Some(Judged { why: Some(why), claim: None, evidence }),
        }
    }

    /// The claim's text, in the order of the protocol: of this account, of this identity, signed, in force.
    fn read(&self, envelope: &[u8]) -> Result<String, Why> {
        self.names_others(envelope).map_or(Ok(()), Err)?;
        let claim = Claim::parse(envelope).map_err(why)?;
        claim.check(self.subject, self.primary, self.now).map_err(why)?;
        if self.revoked {
            return Err(Why::Revoked);
        }
        Ok(String::from_utf8_lossy(envelope).into_owned())
    }

    /// Whether the claim says itself that it is another one. Nothing of that is signed for sure, and need not be: a check
    /// of its signature would be work that strangers order.
    fn names_others(&self, envelope: &[u8]) -> Option<Why> {
        let envelope = json::parse(envelope).ok().filter(|envelope| envelope["kez"] == "claim")?;
        let payload = &envelope["payload"];
        if Identifier::parse(payload["subject"].as_str()?).ok()? != *self.subject {
            return Some(Why::WrongSubject);
        }
        let primary = Primary::parse(payload["primary"].as_str()?).ok()?;
        (primary != *self.primary).then_some(Why::WrongPrimary)
    }
}

/// What came of one candidate.
struct Judged<'a> {
    /// None when it is a good claim.
    why: Option<Why>,
    claim: Option<String>,
    evidence: &'a str,
}

impl Judged<'_> {
    fn finding(self) -> Finding {
        let evidence = self.evidence.to_owned();
        let status = if self.why.is_none() { Status::Verified } else { Status::Failed };
        let detail = self.why.map(|why| detail(why).to_owned());
        Finding { status, why: self.why, detail, evidence, claim: self.claim }
    }
}

impl From<Unfound> for Finding {
    fn from(unfound: Unfound) -> Self {
        let Unfound { why, detail, evidence } = unfound;
        Self { status: status(why), why: Some(why), detail: Some(detail), evidence, claim: None }
    }
}

/// What in a text is meant to be a claim.
fn candidates(text: &Text) -> impl Iterator<Item = (Result<Vec<u8>, Fault>, &str)> {
    let mut found = encoding::find(&text.text);
    if found.is_empty() && text.own && is_attempt(&text.text) {
        found.push(Err(Fault::Malformed));
    }
    found.into_iter().map(|candidate| (candidate, text.evidence.as_str()))
}

/// Whether a text that stands where only a claim should stand begins like one.
fn is_attempt(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with("kez") || text.starts_with('{') || text.starts_with('"')
}

fn status(why: Why) -> Status {
    match why {
        Why::Absent
        | Why::Malformed
        | Why::WrongPrimary
        | Why::WrongSubject
        | Why::BadSignature
        | Why::Expired
        | Why::Revoked
        | Why::NoSuchAccount => Status::Failed,
        Why::Timeout | Why::TooLarge | Why::NoAnswer | Why::Forbidden | Why::RateLimited => {
            Status::Unreachable
        }
    }
}

fn why(fault: Fault) -> Why {
    match fault {
        Fault::WrongSubject => Why::WrongSubject,
        Fault::WrongPrimary => Why::WrongPrimary,
        Fault::BadSignature | Fault::KeyMismatch => Why::BadSignature,
        Fault::Expired => Why::Expired,
        // Another document that Kez signs is no claim.
        Fault::WrongEnvelope => Why::Absent,
        _ => Why::Malformed,
    }
}

/// The nearer a claim comes to a good one, the more its fault says.
fn says_more(why: Why, other: Why) -> bool {
    let order =
        [Why::Revoked, Why::Expired, Why::BadSignature, Why::WrongPrimary, Why::Malformed, Why::WrongSubject];
    let place = |why| order.iter().position(|of_order| *of_order == why).unwrap_or(order.len());
    place(why) < place(other)
}

fn detail(why: Why) -> &'static str {
    match why {
        Why::Absent => "the account answers, and holds no claim",
        Why::Malformed => "the account holds a claim that cannot be read",
        Why::WrongPrimary => "the account holds the claim of another identity",
        Why::WrongSubject => "the account holds the claim of another account",
        Why::BadSignature => "the account holds a claim whose signature does not verify",
        Why::Expired => "the claim has expired",
        Why::Revoked => "the identity has taken its claim back",
        _ => "nothing is known of the account",
    }
}

#[cfg(test)]
mod tests {
    use kez_crypto::SecretKey;
    use kez_crypto::encoding::{compact, markdown};

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_779_678_000);

    fn key() -> SecretKey {
        SecretKey::from_seed([1; 32])
    }

    fn claim(subject: &str, expires_in: Option<i64>, key: &SecretKey) -> Vec<u8> {
        let expires_at = expires_in.map(|seconds| NOW.plus_seconds(seconds));
        Claim::create(&Identifier::parse(subject).unwrap(), NOW, expires_at, key)
    }

    fn good() -> Vec<u8> {
        claim("github:alice", None, &key())
    }

    /// The good claim with one word exchanged for another.
    fn edited(from: &str, to: &str) -> String {
        let text = String::from_utf8(good()).unwrap();
        assert!(text.contains(from));
        text.replace(from, to)
    }

    fn judge_with(revoked: bool, found: Found) -> Finding {
        let subject = Identifier::parse("github:alice").unwrap();
        let primary = Primary::from(key().public());
        Wanted { subject: &subject, primary: &primary, revoked, now: NOW }.judge(found)
    }

    fn judge(texts: &[&str]) -> Finding {
        let mut found = Found::at("place");
        for (number, text) in texts.iter().enumerate() {
            found.add(*text, &number);
        }
        judge_with(false, found)
    }

    #[test]
    fn a_good_claim_counts_wherever_it_stands() {
        let (good, other) = (good(), claim("dns:kez.lat", None, &key()));
        for text in [
            String::from_utf8(good.clone()).unwrap(),
            compact(&good),
            markdown(&good),
            format!("# Me\n{}\n{}kez:z1:broken", markdown(&other), markdown(&good)),
        ] {
            let finding = judge(&["hello", "kez:z1:broken", &text]);
            assert_eq!(
                (finding.status, finding.why, finding.detail),
                (Status::Verified, None, None),
                "{text}"
            );
            assert_eq!((finding.evidence.as_str(), finding.claim.unwrap().into_bytes()), ("2", good.clone()));
        }
    }

    #[test]
    fn every_fault_is_told() {
        let mallory = SecretKey::from_seed([2; 32]);
        let hex = |key: &SecretKey| key.public().to_hex();
        let envelope = |bytes| String::from_utf8(bytes).unwrap();
        for (text, why) in [
            ("I am Alice".to_owned(), Why::Absent),
            (edited("\"claim\"", "\"profile\""), Why::Absent),
            ("kez:z1:broken".to_owned(), Why::Malformed),
            (edited("\"version\":1", "\"version\":2"), Why::Malformed),
            (edited("\"created_at\"", "\"made_at\""), Why::BadSignature),
            (edited("2026-", "2025-"), Why::BadSignature),
            (envelope(claim("github:alice", None, &mallory)), Why::WrongPrimary),
            // Who edits a claim to be another's has to sign it.
            (
                envelope(claim("github:alice", None, &mallory)).replacen(&hex(&mallory), &hex(&key()), 1),
                Why::BadSignature,
            ),
            (
                envelope(claim("github:bob", None, &key())).replace("github:bob", "github:alice"),
                Why::BadSignature,
            ),
            (envelope(claim("github:bob", None, &key())), Why::WrongSubject),
            (envelope(claim("github:bob", None, &mallory)), Why::WrongSubject),
            (envelope(claim("github:alice", Some(0), &key())), Why::Expired),
        ] {
            let finding = judge(&[&text]);
            assert_eq!((finding.status, finding.why), (Status::Failed, Some(why)), "{text}");
            assert_eq!(finding.claim.is_some(), why == Why::Expired, "{text}");
            assert_eq!(finding.evidence, if why == Why::Absent { "place" } else { "0" }, "{text}");
        }
    }

    #[test]
    fn the_fault_that_says_most_is_told() {
        let other = compact(&claim("github:bob", None, &key()));
        let mallory = compact(&claim("github:alice", None, &SecretKey::from_seed([2; 32])));
        let expired = compact(&claim("github:alice", Some(-1), &key()));
        let in_order = [&other, "kez:z1:broken", &mallory, &edited("2026-", "2025-"), &expired];
        for (length, why) in [
            (1, Why::WrongSubject),
            (2, Why::Malformed),
            (3, Why::WrongPrimary),
            (4, Why::BadSignature),
            (5, Why::Expired),
        ] {
            let mut texts = in_order[..length].to_vec();
            assert_eq!(judge(&texts).why, Some(why));
            texts.reverse();
            assert_eq!(judge(&texts).why, Some(why));
        }
    }

    #[test]
    fn a_revoked_claim_is_told_from_none() {
        let mut found = Found::at("place");
        found.add(compact(&good()), "there");
        let finding = judge_with(true, found);
        assert_eq!((finding.why, finding.claim.unwrap().into_bytes()), (Some(Why::Revoked), good()));
        assert_eq!(judge_with(true, Found::at("place")).why, Some(Why::Absent));
    }

    #[test]
    fn what_could_not_be_read_may_hold_the_proof() {
        let gap = || Some(Unfound::new(Why::Timeout, "late", "gap"));
        for (text, why, evidence) in [
            ("", Some(Why::Timeout), "gap"),
            ("kez:z1:x", Some(Why::Timeout), "gap"),
            (&compact(&good()), None, "here"),
        ] {
            let mut found = Found { gap: gap(), ..Found::at("place") };
            found.add(text, "here");
            let finding = judge_with(false, found);
            assert_eq!((finding.why, finding.evidence.as_str()), (why, evidence), "{text}");
        }
    }

    #[test]
    fn where_only_a_claim_should_stand_another_text_is_a_broken_one() {
        for (text, own, why) in [
            ("{\"a\":1}", true, Why::Malformed),
            ("{\"a\":1}", false, Why::Absent),
            ("kez:z9:abc", true, Why::Malformed),
            ("kez:z9:abc", false, Why::Absent),
            ("v=spf1 -all", true, Why::Absent),
            ("<!doctype html>", true, Why::Absent),
            ("", true, Why::Absent),
        ] {
            let mut found = Found::at("place");
            if own {
                found.add_own(text, "here")
            } else {
                found.add(text, "here")
            }
            assert_eq!(judge_with(false, found).why, Some(why), "{text}");
        }
    }

    #[test]
    fn strangers_order_little_work() {
        let broken: Vec<String> = (0..CLAIMS).map(|number| format!("kez:z1:{number}")).collect();
        let many = broken.join(" ");
        // Beyond what one text may hold, and beyond all texts together.
        let texts = [many.as_str(); 1 + CLAIMS / encoding::MAX_FOUND];
        let good = compact(&good());
        assert_eq!(judge(&[&texts[1..], &[&good]].concat()).why, Some(Why::Malformed));
        assert_eq!(judge(&[&[good.as_str()], &texts[..]].concat()).why, None);
    }
}
