//! Sigchains over NATS: fetched and verified, continued, and what the server says of accounts.

use std::time::Duration;

use kez_contract::sigchain::{
    APPEND, Append, Appended, BySubject, CLAIMANTS, Claimants, EVENTS, EventPage, Events, HEAD, Head,
    OfPrimary, VERIFY, Verdict, Verify,
};
use kez_contract::{Code, Document, Problem};
use kez_crypto::{Identifier, Op, Primary, PublicKey};

use super::{Client, connection};
use crate::chains::{ChainFault, PAGE, Verified, download};
use crate::mail::refusal;

/// A replica may not have what another one has stored a moment ago: a chain that ends early is looked at so often before
/// the server is said to withhold the rest.
const LOOKS: usize = 4;

/// A check waits for an account elsewhere, by default up to ten seconds.
const CHECK: Duration = Duration::from_secs(14);

/// How often an event is signed anew because another one came first. Of twenty who append at once one wins each time.
const RACES: usize = 64;

impl Client {
    /// The last event of somebody's chain, as the server says; none while the chain is empty.
    pub async fn head(&self, primary: &Primary) -> Result<Option<Head>, Problem> {
        match self.call(&HEAD, &OfPrimary { primary: primary.to_string() }).await {
            Ok(head) => Ok(Some(head)),
            Err(problem) if problem.code == Code::NotFound => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// Somebody's chain: every event verified, and not other than it was seen before.
    pub async fn chain(&self, primary: impl Into<Primary>) -> Result<Verified, ChainFault> {
        self.extended(&Verified::new(primary)).await
    }

    /// The chain with what came since, not other than it was seen before.
    pub(super) async fn extended(&self, chain: &Verified) -> Result<Verified, ChainFault> {
        let primary = chain.primary();
        let mut look = 0;
        loop {
            let extended = download(chain.clone(), |since| self.events(&primary, since)).await;
            let checked = extended.and_then(|chain| self.connection.memory.check(&chain).map(|()| chain));
            match checked {
                Err(fault) if fault.may_be_lag() && look + 1 < LOOKS => {
                    tokio::time::sleep(connection::delay(look)).await;
                    look += 1;
                }
                checked => return checked,
            }
        }
    }

    /// Signs the event that carries out `op` at the end of my chain, and has it stored. When another event comes first,
    /// it is signed again behind that one, unless the chain does not let it any more.
    pub async fn append(&self, op: &Op) -> Result<Appended, ChainFault> {
        let key = self.connection.me.own_key("continue the sigchain")?;
        let mut chain = self.chain(self.primary()).await?;
        let mut race = 0;
        loop {
            let event = chain.sign_next(op, self.now(), key)?;
            match self.append_event(&event).await {
                Ok(appended) => {
                    chain.append(event)?;
                    self.connection.memory.check(&chain)?;
                    return Ok(appended);
                }
                Err(problem) if came_late(&problem) && race < RACES => {
                    // Those who lost together do not come again together.
                    let jitter = u64::from(u8::from_le_bytes(kez_service::random::bytes()));
                    tokio::time::sleep(Duration::from_millis(jitter / 8)).await;
                    race += 1;
                    chain = self.extended(&chain).await?;
                }
                Err(problem) => return Err(problem.into()),
            }
        }
    }

    /// Has a signed event of my chain stored, again and again while the server is unavailable.
    pub async fn append_event(&self, event: &Document) -> Result<Appended, Problem> {
        let request = Append { event: event.clone() };
        self.patiently(|| self.call(&APPEND, &request)).await
    }

    /// Who claims an account, by their chains; readers verify.
    pub async fn claimants(&self, subject: &Identifier, after: Option<String>) -> Result<Claimants, Problem> {
        self.call(&CLAIMANTS, &BySubject { subject: subject.to_string(), after }).await
    }

    /// What the server finds when it asks an account whose it is.
    pub async fn verify(
        &self,
        subject: &Identifier,
        primary: &Primary,
        fresh: bool,
    ) -> Result<Verdict, Problem> {
        let request = Verify { subject: subject.to_string(), primary: primary.to_string(), fresh };
        self.call_within(CHECK, &VERIFY, &request).await
    }

    /// The key of somebody, of either algorithm: by handle, as the registry has it, or as it is.
    pub async fn resolve_primary(&self, who: &str) -> Result<Primary, Problem> {
        if who.contains(':') {
            return Primary::parse(who).map_err(refusal);
        }
        self.resolve(who).await.map(Primary::from)
    }

    /// Whether somebody's chain says that a device is theirs.
    pub async fn has_device(&self, primary: PublicKey, device: &PublicKey) -> Result<bool, ChainFault> {
        self.devices.vouch(primary, device, async |chain| self.extended(&chain).await).await
    }

    async fn events(&self, primary: &Primary, since: u64) -> Result<EventPage, Problem> {
        self.call(&EVENTS, &Events { primary: primary.to_string(), since, limit: PAGE }).await
    }
}

/// Whether an event was refused because the chain had gone on.
fn came_late(problem: &Problem) -> bool {
    matches!(problem.code, Code::WrongSeq | Code::WrongPrev | Code::Conflict)
}
