//! Whether accounts agree with who claims them: checked where they are, and remembered for a day.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use kez_contract::sigchain::{Status, Verdict, Verify, Why};
use kez_contract::{Code, Problem};
use kez_crypto::{Claim, Identifier, Primary, Timestamp};
use kez_proofs::{Checker, Finding};
use kez_service::limit::Limit;
use kez_service::{Call, Delivery, Fault};
use moka::future::Cache;
use moka::ops::compute::Op;
use moka::{Entry, Expiry};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::app::App;
use crate::chains::{primary, refuse};
use crate::config::Settings;
use crate::store::document;

/// Findings remembered at once.
const REMEMBERED: u64 = 20_000;
const A_DAY: Duration = Duration::from_secs(24 * 3600);
/// Who was not reached may be reached soon.
const A_MINUTE: Duration = Duration::from_secs(60);
/// Accounts that are looked at at once.
const AT_ONCE: usize = 64;
/// How long a look waits for its turn: whoever keeps all turns taken keeps nobody waiting for longer.
const TURN: Duration = Duration::from_secs(1);
/// Of the calls that this service answers at once, one in so many may wait for an account elsewhere. The others are for
/// what the whole mesh waits for: chains, and whose devices are whose.
const ONE_CALL_IN: u32 = 4;
/// Of so many checks one may be asked for afresh.
const ONE_FRESH_IN: u32 = 10;

#[derive(Clone)]
pub struct Proofs {
    checker: Checker,
    found: Cache<(Identifier, Primary), Arc<Found>>,
    /// Calls that wait for an account.
    calls: Arc<Semaphore>,
    looks: Arc<Semaphore>,
    checks: Limit,
    fresh_checks: Limit,
}

/// All turns are taken.
#[derive(Debug, Clone, Copy)]
struct Busy;

struct Found {
    finding: Finding,
    at: Timestamp,
    /// When the look was over.
    seen: Instant,
}

impl Proofs {
    /// For a service that answers so many calls at once.
    pub fn new(settings: &Settings, concurrency: u32) -> Result<Self> {
        let checks = settings.person_checks_per_minute;
        let fresh = NonZeroU32::new(checks.get() / ONE_FRESH_IN).unwrap_or(NonZeroU32::MIN);
        Ok(Self {
            checker: Checker::new(&settings.proofs)?,
            found: Cache::builder().max_capacity(REMEMBERED).expire_after(UntilStale).build(),
            calls: Arc::new(Semaphore::new(concurrency.div_ceil(ONE_CALL_IN) as usize)),
            looks: Arc::new(Semaphore::new(AT_ONCE)),
            checks: Limit::per_minute(checks),
            fresh_checks: Limit::per_minute(fresh),
        })
    }
}

/// A person asks.
pub async fn verify(app: App, call: Call<Verify>) -> Result<Verdict, Fault> {
    app.proofs.checks.check(&call.caller.primary)?;
    if call.body.fresh {
        app.proofs.fresh_checks.check(&call.caller.primary)?;
    }
    verdict(&app, &call.body).await
}

/// Somebody asks over HTTP; the gateway limits each address.
pub async fn web_verify(app: App, call: Delivery<Verify>) -> Result<Verdict, Fault> {
    verdict(&app, &call.body).await
}

async fn verdict(app: &App, asked: &Verify) -> Result<Verdict, Fault> {
    let subject = Identifier::parse(&asked.subject).map_err(refuse)?;
    let primary = primary(&asked.primary)?;
    if !Checker::supports(&subject) {
        let detail = format!("accounts of {} cannot be checked", subject.system());
        return Err(Fault::new(Code::UnsupportedSubject, detail));
    }
    let known = if asked.fresh { None } else { app.proofs.found.get(&(subject.clone(), primary)).await };
    let found = match known {
        Some(found) => found,
        None => find(app, &subject, &primary, asked.fresh).await?,
    };
    // A day is long: what was taken back or has expired since counts now.
    let revoked = app.ledger.current(primary, |known| known.chain().was_revoked(&subject)).await?;
    tell(&subject, &primary, &found, revoked, app.now())
}

/// Goes and looks. Those who ask at once for the same share one look.
async fn find(
    app: &App,
    subject: &Identifier,
    primary: &Primary,
    fresh: bool,
) -> Result<Arc<Found>, Problem> {
    let busy = |_| Problem::unavailable("too many accounts are being checked; try again in a moment");
    let _call = app.proofs.calls.try_acquire().map_err(|_| busy(Busy))?;
    if fresh {
        return look_again(app, subject, primary).await.map_err(busy);
    }
    let looking = look(app, subject, primary);
    let found = app.proofs.found.try_get_with((subject.clone(), *primary), looking).await;
    found.map_err(|error| busy(*error))
}

async fn look(app: &App, subject: &Identifier, primary: &Primary) -> Result<Arc<Found>, Busy> {
    let Ok(Ok(_turn)) = timeout(TURN, app.proofs.looks.acquire()).await else { return Err(Busy) };
    let at = app.now();
    let finding = app.proofs.checker.check(subject, primary, false, at).await;
    Ok(Arc::new(Found { finding, at, seen: Instant::now() }))
}

/// A look beside what is known, which it takes the place of. That the account was not reached says nothing against what it
/// said before: whoever uses up the requests that a channel takes of us could make every account there doubtful.
async fn look_again(app: &App, subject: &Identifier, primary: &Primary) -> Result<Arc<Found>, Busy> {
    let asked = Instant::now();
    let entry = app.proofs.found.entry((subject.clone(), *primary));
    let entry = entry.and_try_compute_with(|known| async move {
        let known = known.map(Entry::into_value);
        if known.as_ref().is_some_and(|known| known.seen >= asked) {
            return Ok(Op::Nop);
        }
        let found = look(app, subject, primary).await?;
        let kept = known.filter(|known| found.is_nothing() && !known.is_nothing());
        Ok(Op::Put(kept.unwrap_or(found)))
    });
    entry.await?.into_entry().map(Entry::into_value).ok_or(Busy)
}

fn tell(
    subject: &Identifier,
    primary: &Primary,
    found: &Found,
    revoked: bool,
    now: Timestamp,
) -> Result<Verdict, Fault> {
    let finding = &found.finding;
    let claim = finding.claim.as_deref();
    let expired = claim.is_some_and(|text| {
        Claim::parse(text.as_bytes()).is_ok_and(|claim| claim.check(subject, primary, now).is_err())
    });
    let since = match finding.status {
        Status::Verified if revoked => Some((Why::Revoked, "the identity has taken this claim back")),
        Status::Verified if expired => Some((Why::Expired, "the claim has expired")),
        _ => None,
    };
    Ok(Verdict {
        subject: subject.to_string(),
        primary: primary.to_string(),
        status: since.map_or(finding.status, |_| Status::Failed),
        why: since.map(|(why, _)| why).or(finding.why),
        detail: since.map(|(_, detail)| detail.to_owned()).or_else(|| finding.detail.clone()),
        evidence: finding.evidence.clone(),
        claim: claim.map(|text| document(text.as_bytes())).transpose()?,
        checked_at: found.at.to_string(),
    })
}

impl Found {
    /// Whether nothing is known, for the account was not reached.
    fn is_nothing(&self) -> bool {
        self.finding.status == Status::Unreachable
    }

    /// How long it is still good.
    fn rest(&self, now: Instant) -> Duration {
        let whole = if self.is_nothing() { A_MINUTE } else { A_DAY };
        whole.saturating_sub(now.saturating_duration_since(self.seen))
    }
}

/// What is known of an account goes stale after a day; that it was not reached, after a minute. To be kept makes nothing
/// younger.
struct UntilStale;

impl Expiry<(Identifier, Primary), Arc<Found>> for UntilStale {
    fn expire_after_create(
        &self,
        _: &(Identifier, Primary),
        found: &Arc<Found>,
        now: Instant,
    ) -> Option<Duration> {
        Some(found.rest(now))
    }

    fn expire_after_update(
        &self,
        _: &(Identifier, Primary),
        found: &Arc<Found>,
        now: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(found.rest(now))
    }
}

#[cfg(test)]
mod tests {
    use kez_contract::sigchain::Status::{self, Unreachable, Verified};

    use super::*;

    fn rest(status: Status, age: Duration) -> Duration {
        let finding = Finding { status, why: None, detail: None, evidence: String::new(), claim: None };
        let seen = Instant::now();
        Found { finding, at: Timestamp::from_unix(0), seen }.rest(seen + age)
    }

    #[test]
    fn what_is_kept_is_no_younger_for_it() {
        for (status, age, expected) in [
            (Verified, Duration::ZERO, A_DAY),
            (Verified, A_DAY - A_MINUTE, A_MINUTE),
            (Verified, A_DAY + A_MINUTE, Duration::ZERO),
            (Unreachable, Duration::ZERO, A_MINUTE),
            (Unreachable, A_MINUTE, Duration::ZERO),
        ] {
            assert_eq!(rest(status, age), expected, "{status:?} {age:?}");
        }
    }
}
