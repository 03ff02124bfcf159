//! What a server says of an account, held against what can be checked here.

use kez_contract::sigchain::{Status, Verdict, Why};
use kez_crypto::{Chain, Claim, Fault, Identifier, Timestamp};

use crate::failure::{Exit, Failure};
use crate::visible;

/// Checks the claim that a verdict rests on once more. A verdict may be a day old: what has ended since does not count
/// any more, and a claim that never was one makes the verdict a lie.
pub(super) fn confirm(
    verdict: Verdict,
    subject: &Identifier,
    chain: &Chain,
    now: Timestamp,
) -> Result<Verdict, Failure> {
    let primary = chain.primary();
    if verdict.subject != subject.as_str() || verdict.primary != primary.to_string() {
        return Err(lie("it is about something else than was asked"));
    }
    if verdict.status != Status::Verified {
        return Ok(verdict);
    }
    let claim = verdict.claim.as_ref().ok_or_else(|| lie("it shows no claim"))?;
    let claim = Claim::parse(claim.get().as_bytes()).map_err(|fault| lie(&fault.to_string()))?;
    match claim.check(subject, &primary, now) {
        Err(Fault::Expired) => Ok(over(verdict, Why::Expired, "the claim has expired since it was checked")),
        Err(fault) => Err(lie(&fault.to_string())),
        Ok(()) if chain.was_revoked(subject) => {
            Ok(over(verdict, Why::Revoked, "the sigchain has taken the claim back since it was checked"))
        }
        Ok(()) => Ok(verdict),
    }
}

/// The verdict in one line.
pub(super) fn line(verdict: &Verdict) -> String {
    let evidence = visible::line(&verdict.evidence);
    let why = || match (&verdict.detail, verdict.why.and_then(word)) {
        (Some(detail), _) => format!(": {}", visible::line(detail)),
        (None, Some(word)) => format!(": {word}"),
        (None, None) => String::new(),
    };
    match verdict.status {
        Status::Verified => format!("verified  {evidence}"),
        Status::Failed => format!("failed{}  {evidence}", why()),
        Status::Unreachable => format!("unreachable{}  {evidence}", why()),
    }
}

/// The reason as programs see it.
fn word(why: Why) -> Option<String> {
    serde_json::to_value(why).ok()?.as_str().map(str::to_owned)
}

fn over(verdict: Verdict, why: Why, detail: &str) -> Verdict {
    Verdict { status: Status::Failed, why: Some(why), detail: Some(detail.to_owned()), ..verdict }
}

fn lie(why: &str) -> Failure {
    Failure::new(
        Exit::Failed,
        "false_verdict",
        format!("the server calls the account verified, and what it shows does not prove it: {why}"),
    )
    .advise("kez claim check --here asks the account itself")
}

#[cfg(test)]
mod tests {
    use kez_crypto::{Op, SecretKey};

    use super::*;
    use crate::chains::tests::{NOW, add, alice, claiming};
    use crate::mail::document;

    fn subject() -> Identifier {
        Identifier::parse("github:a").unwrap()
    }

    fn verdict(claim: Vec<u8>) -> Verdict {
        Verdict {
            subject: "github:a".to_owned(),
            primary: alice().public().identifier(),
            status: Status::Verified,
            why: None,
            detail: None,
            evidence: "https://gist.github.com/a".to_owned(),
            claim: document(claim).ok(),
            checked_at: NOW.to_string(),
        }
    }

    #[test]
    fn a_verdict_stands_on_a_claim_that_holds() {
        let chain = claiming(&["a"]);
        let good = Claim::create(&subject(), NOW, Some(NOW.plus_seconds(60)), &alice());
        let judge =
            |verdict, now| confirm(verdict, &subject(), chain.chain(), now).map(|it| (it.status, it.why));
        assert_eq!(judge(verdict(good.clone()), NOW).unwrap(), (Status::Verified, None));
        let later = NOW.plus_seconds(60);
        assert_eq!(judge(verdict(good.clone()), later).unwrap(), (Status::Failed, Some(Why::Expired)));

        let by_eve = Claim::create(&subject(), NOW, None, &SecretKey::from_seed([9; 32]));
        let of_another = Claim::create(&Identifier::parse("github:b").unwrap(), NOW, None, &alice());
        let tampered = String::from_utf8(good.clone()).unwrap().replace("github:a", "github:c").into_bytes();
        for claim in [by_eve, of_another, tampered, b"{}".to_vec()] {
            assert_eq!(judge(verdict(claim), NOW).unwrap_err().code, "false_verdict");
        }
        let none = Verdict { claim: None, ..verdict(good.clone()) };
        assert_eq!(judge(none, NOW).unwrap_err().code, "false_verdict");
        let other = Verdict { subject: "github:b".to_owned(), ..verdict(good) };
        assert_eq!(judge(other, NOW).unwrap_err().code, "false_verdict");
    }

    #[test]
    fn a_claim_that_was_taken_back_since_does_not_count() {
        let mut chain = claiming(&["a"]);
        let op = Op::Revoke { subject: subject() };
        let event = chain.sign_next(&op, NOW, &alice()).unwrap();
        chain.append(event).unwrap();
        let claim = || verdict(Claim::create(&subject(), NOW, None, &alice()));
        let judged = confirm(claim(), &subject(), chain.chain(), NOW).unwrap();
        assert_eq!((judged.status, judged.why), (Status::Failed, Some(Why::Revoked)));

        let event = chain.sign_next(&add("github:a"), NOW, &alice()).unwrap();
        chain.append(event).unwrap();
        assert_eq!(confirm(claim(), &subject(), chain.chain(), NOW).unwrap().status, Status::Verified);
    }
}
