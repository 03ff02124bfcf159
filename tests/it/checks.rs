//! Checks of accounts as people ask for them: remembered for a day, looked at afresh on request, and no longer good when the
//! claim is taken back or runs out.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use kez_contract::Code;
use kez_contract::sigchain::{Status, Verdict, Why};
use kez_crypto::{Claim, Identifier, Primary};
use tests::accounts::{Accounts, HERE, Page, Site};
use tests::chains::{add, identifier, now, revoke};
use tests::operator::until_replicas;
use tests::{Mesh, Person, Process};

const FILE: &str = "/.well-known/kez.json";
const A_DAY: i64 = 24 * 3600;

/// A site, and a mesh whose sigchain service reaches it.
async fn world(more: &str) -> (Accounts, Site, Mesh, Person) {
    let accounts = Accounts::start().await;
    let site = accounts.site("kez.test").await;
    let mut flags = reaching(&accounts);
    flags.push(more.to_owned());
    let flags = flags.iter().filter(|flag| !flag.is_empty()).map(|flag| ("sigchain", flag.as_str()));
    let mesh = Mesh::with(&flags.collect::<Vec<_>>()).await;
    let alice = mesh.person("alice").await;
    (accounts, site, mesh, alice)
}

/// What has a sigchain service reach these accounts.
fn reaching(accounts: &Accounts) -> Vec<String> {
    vec![
        format!("--proof-resolvers={}", accounts.names.address()),
        format!("--proof-networks={HERE}/32"),
        format!("--proof-ca-file={}", accounts.settings().ca_file.unwrap().display()),
    ]
}

async fn check(by: &Person, subject: &Identifier, of: &Person, fresh: bool) -> Verdict {
    by.client.verify(subject, &Primary::from(of.key()), fresh).await.unwrap()
}

fn account(site: &Site) -> Identifier {
    identifier(&format!("web:{}", site.url("")))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_is_remembered_for_a_day_and_looked_at_afresh_on_request() {
    let (_accounts, site, mesh, alice) = world("").await;
    let bob = mesh.person("bob").await;
    let subject = account(&site);
    let absent = check(&bob, &subject, &alice, false).await;
    assert_eq!((absent.status, absent.why), (Status::Failed, Some(Why::Absent)));
    let claim = Claim::create(&subject, now(), None, &alice.secret);
    site.put(FILE, Page::text(claim.clone()));
    let asked = site.asked().len();
    assert_eq!(check(&bob, &subject, &alice, false).await.status, Status::Failed, "as it was found");
    assert_eq!(site.asked().len(), asked, "nobody looked");

    let verified = check(&bob, &subject, &alice, true).await;
    assert_eq!((verified.status, verified.evidence.as_str()), (Status::Verified, site.url(FILE).as_str()));
    assert_eq!(verified.claim.unwrap().get().as_bytes(), claim);
    // Over HTTP, and for everybody else, it is the same finding.
    site.remove(FILE);
    let path = format!("/v1/verify?subject={subject}&primary={}", alice.key());
    let remembered: Verdict = mesh.web().get(&path).await.read(200);
    assert_eq!((remembered.status, &remembered.checked_at), (Status::Verified, &verified.checked_at));
    assert_eq!(site.asked().len(), asked + 1);
    let gone: Verdict = mesh.web().get(&format!("{path}&fresh=true")).await.read(200);
    assert_eq!((gone.status, gone.why), (Status::Failed, Some(Why::Absent)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_not_reached_is_still_what_it_said_before() {
    let (_accounts, site, mesh, alice) = world("").await;
    let bob = mesh.person("bob").await;
    let subject = account(&site);
    site.put(FILE, Page::text(Claim::create(&subject, now(), None, &alice.secret)));
    let verified = check(&bob, &subject, &alice, false).await;
    assert_eq!(verified.status, Status::Verified);

    // Somebody has used up the requests that the channel takes of us.
    site.put(FILE, Page::status(429));
    mesh.clock.advance(60);
    for fresh in [true, false, true] {
        let asked = site.asked().len();
        let still = check(&bob, &subject, &alice, fresh).await;
        assert_eq!((still.status, &still.checked_at), (Status::Verified, &verified.checked_at));
        assert_eq!(site.asked().len(), asked + usize::from(fresh), "it was looked at");
    }
    // Of an account of which nothing is known, that is all there is to tell; and it stands until it is reached.
    let other = identifier(&format!("web:{}", site.url("/~alice")));
    site.put(&format!("/~alice{FILE}"), Page::status(429));
    for fresh in [false, true] {
        let unknown = check(&bob, &other, &alice, fresh).await;
        assert_eq!((unknown.status, unknown.why), (Status::Unreachable, Some(Why::RateLimited)));
    }
    // What the account says itself counts at once.
    site.remove(FILE);
    let absent = check(&bob, &subject, &alice, true).await;
    assert_eq!((absent.status, absent.why), (Status::Failed, Some(Why::Absent)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_is_taken_back_or_runs_out_counts_no_more_at_once() {
    let (_accounts, site, mesh, alice) = world("").await;
    let subject = account(&site);
    let until = now().plus_seconds(A_DAY / 2);
    site.put(FILE, Page::text(Claim::create(&subject, now(), Some(until), &alice.secret)));
    alice.client.append(&add(subject.as_str())).await.unwrap();
    assert_eq!(check(&alice, &subject, &alice, false).await.status, Status::Verified);
    let asked = site.asked().len();

    alice.client.append(&revoke(subject.as_str())).await.unwrap();
    let revoked = check(&alice, &subject, &alice, false).await;
    assert_eq!((revoked.status, revoked.why), (Status::Failed, Some(Why::Revoked)));
    alice.client.append(&add(subject.as_str())).await.unwrap();
    assert_eq!(check(&alice, &subject, &alice, false).await.status, Status::Verified);

    mesh.clock.advance(A_DAY / 2 + 1);
    let expired = check(&alice, &subject, &alice, false).await;
    assert_eq!((expired.status, expired.why), (Status::Failed, Some(Why::Expired)));
    assert_eq!(site.asked().len(), asked, "all of it without another look");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_ask_at_once_share_one_look() {
    let (_accounts, site, _mesh, alice) = world("").await;
    let subject = account(&site);
    site.put(FILE, Page::text(Claim::create(&subject, now(), None, &alice.secret)));
    let asks = futures_util::future::join_all((0..20).map(|_| check(&alice, &subject, &alice, false))).await;
    assert!(asks.iter().all(|verdict| verdict.status == Status::Verified));
    assert_eq!(site.asked().len(), 1);
}

/// Asks for so many accounts at a site that never answers; how many are told that it is unreachable, and how many to come
/// back, when all are answered.
async fn ask_in_vain(
    site: &Site,
    by: &Person,
    of: &Person,
    accounts: std::ops::Range<usize>,
) -> (usize, usize) {
    let answers = join_all(accounts.map(async |number| {
        site.put(&format!("/~{number}{FILE}"), Page::Silent);
        let subject = identifier(&format!("web:{}", site.url(&format!("/~{number}"))));
        by.client.verify(&subject, &Primary::from(of.key()), false).await
    }));
    let (found, refused): (Vec<_>, Vec<_>) = answers.await.into_iter().partition(Result::is_ok);
    for verdict in &found {
        assert_eq!(verdict.as_ref().unwrap().why, Some(Why::Timeout));
    }
    for problem in &refused {
        assert_eq!(problem.as_ref().unwrap_err().code, Code::Unavailable, "{problem:?}");
    }
    (found.len(), refused.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_that_never_answer_hold_up_nothing_but_a_few_checks() {
    let (accounts, site, mut mesh, alice) = world("").await;
    mesh.sigchain.take().unwrap().stop().await.unwrap();
    let mut flags = reaching(&accounts);
    flags.extend([
        format!("--database-url={}", mesh.plan.sigchain_database_url),
        "--concurrency=16".to_owned(),
    ]);
    let _few = Process::start(&mesh, "sigchain", &flags.iter().map(String::as_str).collect::<Vec<_>>());
    until_replicas(&mesh.user("operator").await, "sigchain", 1).await;
    let bob = mesh.person("bob").await;
    let others = async {
        while site.asked().len() < 4 {
            tokio::task::yield_now().await;
        }
        for _ in 0..8 {
            let begun = Instant::now();
            alice.client.head(&alice.key().into()).await.unwrap();
            assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        }
    };
    let (answers, ()) = tokio::join!(ask_in_vain(&site, &bob, &alice, 0..40), others);
    assert_eq!(answers, (4, 36));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_get_a_turn_may_come_again() {
    let (_accounts, site, mesh, alice) = world("").await;
    let (bob, carol) = (mesh.person("bob").await, mesh.person("carol").await);
    let (bobs, carols) =
        tokio::join!(ask_in_vain(&site, &bob, &alice, 0..40), ask_in_vain(&site, &carol, &alice, 40..80));
    assert_eq!((bobs.0 + carols.0, bobs.1 + carols.1), (64, 16));
    // That nobody looked is not remembered.
    let asked = site.asked().len();
    assert_eq!(asked, 64);
    let looked_at = |path: &str| site.asked().iter().any(|(asked, _)| asked == path);
    let number = (0..80).find(|number| !looked_at(&format!("/~{number}{FILE}"))).unwrap();
    site.put(&format!("/~{number}{FILE}"), Page::status(404));
    let subject = identifier(&format!("web:{}", site.url(&format!("/~{number}"))));
    for fresh in [false, true] {
        assert_eq!(check(&alice, &subject, &alice, fresh).await.why, Some(Why::Absent));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_are_limited_for_each_caller_and_fresh_ones_more_so() {
    let (_accounts, site, mesh, alice) = world("--person-checks-per-minute=20").await;
    let bob = mesh.person("bob").await;
    let (subject, primary) = (account(&site), Primary::from(alice.key()));
    for _ in 0..2 {
        alice.client.verify(&subject, &primary, true).await.unwrap();
    }
    let refused = alice.client.verify(&subject, &primary, true).await.unwrap_err();
    assert_eq!((refused.code, refused.limit_per_minute), (Code::RateLimited, Some(2)));
    assert!(refused.retry_after.and_then(NonZeroU64::new).is_some());
    let mut answered = 3;
    let refused = loop {
        match alice.client.verify(&subject, &primary, false).await {
            Ok(_) => answered += 1,
            Err(problem) => break problem,
        }
    };
    assert_eq!((refused.code, refused.limit_per_minute), (Code::RateLimited, Some(20)));
    assert!((20..=22).contains(&answered), "{answered}");
    bob.client.verify(&subject, &primary, true).await.unwrap();
}
