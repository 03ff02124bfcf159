//! Whose devices sign messages: asked of the senders' chains, each fetched once and then continued.

use std::collections::HashMap;
use std::time::Duration;

use kez_contract::inbox::Stored;
use kez_contract::{Code, Problem};
use kez_crypto::PublicKey;
use tokio::sync::{Mutex, watch};

use crate::chains::{ChainFault, Memory, Verified};
use crate::mail::{Opened, Received, Waiting};

/// Senders whose chains are kept; more than that begin anew.
const SENDERS: usize = 256;

/// The chains of those who have sent from a device.
pub(crate) struct Devices {
    chains: Mutex<HashMap<PublicKey, Verified>>,
    memory: Memory,
    hindrance: watch::Sender<Option<Problem>>,
}

impl Devices {
    pub(crate) fn new(memory: &Memory) -> Self {
        Self { chains: Mutex::default(), memory: memory.clone(), hindrance: watch::Sender::new(None) }
    }

    /// Why mail that is followed stands still, while it does: whether a device is its sender's cannot be told.
    pub(crate) fn hindrance(&self) -> watch::Receiver<Option<Problem>> {
        self.hindrance.subscribe()
    }

    /// Says so, or that it goes on.
    pub(crate) fn hinder(&self, problem: Option<&Problem>) {
        self.hindrance.send_if_modified(|held| {
            let is_new = held.as_ref().map(|held| held.code) != problem.map(|problem| problem.code);
            if is_new {
                *held = problem.cloned();
            }
            is_new
        });
    }

    /// Whether the chain of `primary` says that the device is active, now; `extend` brings what came since.
    pub(crate) async fn vouch(
        &self,
        primary: PublicKey,
        device: &PublicKey,
        extend: impl AsyncFnOnce(Verified) -> Result<Verified, ChainFault>,
    ) -> Result<bool, ChainFault> {
        // Held while it is fetched, so that a page of mail from one sender asks for one chain.
        let mut chains = self.chains.lock().await;
        // What is known stays when the rest cannot be had. No event is kept once it is verified: anybody's letter may name a
        // chain of ten thousand, as large as events can be.
        let known = chains.get(&primary).cloned();
        let known = known.unwrap_or_else(|| Verified::new(primary).keeping_no_events());
        let chain = extend(known).await?;
        self.memory.check(&chain)?;
        let is_active = chain.chain().has_device(device);
        if chains.len() >= SENDERS {
            chains.clear();
        }
        chains.insert(primary, chain);
        Ok(is_active)
    }
}

/// Times that a chain is asked for which could not be read or is shorter than it was: one replica may lag behind.
const TRIES: usize = 3;
/// The pause between them.
const PAUSE: Duration = Duration::from_millis(300);

/// What asking for a sender's chain has come to; asked again where another answer may come.
pub(crate) async fn vouched<Answer: Future<Output = Result<bool, ChainFault>>>(
    mut ask: impl FnMut() -> Answer,
) -> Result<bool, ChainFault> {
    for _ in 1..TRIES {
        match ask().await {
            Err(ChainFault::Asked(problem)) if problem.code == Code::Internal => {}
            Err(ChainFault::RolledBack { .. } | ChainFault::Withheld { .. }) => {}
            answer => return answer,
        }
        tokio::time::sleep(PAUSE).await;
    }
    ask().await
}

/// Judges messages one after the other. Once one has to wait, nobody is asked about the others.
pub(crate) async fn judge_all<Answer: Future<Output = Result<bool, ChainFault>>>(
    messages: &[Stored],
    open: impl Fn(&Stored) -> Opened,
    ask: impl Fn(PublicKey, PublicKey) -> Answer,
) -> Vec<Result<Received, Waiting>> {
    let mut judged = Vec::with_capacity(messages.len());
    let mut hindrance = None;
    for stored in messages {
        let opened = open(stored);
        let received = match (opened.device(), &hindrance) {
            (None, _) => Ok(opened.judged(false)),
            (Some(_), Some(problem)) => Err(Problem::clone(problem)),
            (Some((sender, device)), None) => judge(opened, vouched(|| ask(sender, device)).await),
        };
        judged.push(received.map_err(|problem| {
            hindrance = Some(problem.clone());
            Waiting { seq: stored.seq, received_at: stored.received_at.clone(), problem }
        }));
    }
    judged
}

/// Whether a message is its sender's, or that nobody can say now: an outage is to be waited for, and so is a memory of chains
/// that cannot be kept; a chain that does not hold vouches for nobody.
pub(crate) fn judge(opened: Opened, vouched: Result<bool, ChainFault>) -> Result<Received, Problem> {
    match vouched {
        Err(ChainFault::Asked(problem)) if waits(problem.code) => Err(problem),
        Err(fault @ ChainFault::Memory(_)) => Err(Problem::new(Code::Internal, fault.to_string())),
        vouched => Ok(opened.judged(vouched.unwrap_or(false))),
    }
}

fn waits(code: Code) -> bool {
    matches!(code, Code::Unavailable | Code::RateLimited | Code::Unauthorized)
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use kez_crypto::{Fault, Op, SecretKey, Timestamp, chain::device_proof};

    use super::*;
    use crate::chains::tests::{NOW, alice, claiming};
    use crate::mail::document;
    use crate::mail::write;
    use crate::speaker::Speaker;

    fn laptop() -> SecretKey {
        SecretKey::from_seed([2; 32])
    }

    fn with_laptop() -> Verified {
        let mut chain = claiming(&["a"]);
        let proof = data_encoding::HEXLOWER.encode(&device_proof(alice().public(), &laptop()));
        let op = Op::AddDevice { device: laptop().public(), name: "laptop".into(), proof };
        let event = chain.sign_next(&op, NOW, &alice()).unwrap();
        chain.append(event).unwrap();
        chain
    }

    fn without_laptop() -> Verified {
        let mut chain = with_laptop();
        let op = Op::Revoke { subject: laptop().public().into() };
        let event = chain.sign_next(&op, NOW, &alice()).unwrap();
        chain.append(event).unwrap();
        chain
    }

    async fn ask(devices: &Devices, chain: Verified) -> Result<bool, ChainFault> {
        devices.vouch(alice().public(), &laptop().public(), async |_| Ok(chain)).await
    }

    #[tokio::test]
    async fn a_chain_vouches_for_its_devices_while_they_are_active() {
        let devices = Devices::new(&Memory::default());
        assert_eq!(ask(&devices, claiming(&["a"])).await, Ok(false));
        assert_eq!(ask(&devices, with_laptop()).await, Ok(true));
        assert_eq!(ask(&devices, without_laptop()).await, Ok(false));
        // Who withholds the revocation does not bring the device back.
        assert_eq!(ask(&devices, with_laptop()).await.unwrap_err().code(), "rolled_back");
    }

    #[tokio::test]
    async fn events_are_let_go_as_they_are_verified() {
        let devices = Devices::new(&Memory::default());
        let whole = with_laptop();
        let (first, then) = whole.events().split_at(1);
        for (known, events, vouches) in [(0, first, false), (1, then, true), (2, &[], true)] {
            let extend = async |mut chain: Verified| {
                assert_eq!(chain.length(), known);
                chain.extend(events.to_vec())?;
                assert!(chain.events().is_empty());
                Ok(chain)
            };
            let answer = devices.vouch(alice().public(), &laptop().public(), extend).await;
            assert_eq!(answer, Ok(vouches));
        }
        let chains = devices.chains.lock().await;
        assert_eq!(chains.values().next().unwrap().heads(), whole.heads());
    }

    #[test]
    fn an_outage_is_waited_for_and_a_broken_chain_is_not() {
        let bob = SecretKey::from_seed([3; 32]);
        let me = Speaker::device(&laptop(), alice().public());
        let (_, sealed) = write(&me, &bob.public(), "hi", NOW).unwrap();
        let received_at = Timestamp::from_unix(0).to_string();
        let stored = Stored { seq: 1, received_at, envelope: document(sealed.canonical()).unwrap() };
        let judged = |vouched| judge(Opened::new(&stored, &bob, NOW), vouched);
        assert_eq!(judged(Ok(true)).unwrap().text(), Some("hi"));
        for vouched in [
            Ok(false),
            Err(ChainFault::Broken { seq: 0, fault: Fault::BadSignature }),
            Err(Problem::new(Code::NotFound, "").into()),
        ] {
            assert_eq!(judged(vouched).unwrap().opened, Err(Fault::UnknownDevice));
        }
        assert_eq!(judged(Err(Problem::unavailable("").into())).unwrap_err().code, Code::Unavailable);
        // What could not be looked at is not taken for a no.
        let unkept = judged(Err(ChainFault::Memory("the disk is full".to_owned()))).unwrap_err();
        assert_eq!((unkept.code, unkept.detail.as_str()), (Code::Internal, "the disk is full"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_replica_that_lags_behind_is_asked_again() {
        let rolled_back =
            || ChainFault::RolledBack { primary: alice().public().into(), length: 1, remembered: 2 };
        let broken = || Problem::new(Code::Internal, "").into();
        for fault in [rolled_back, broken] {
            let mut asked = 0;
            let answer = vouched(|| {
                asked += 1;
                ready(if asked < TRIES { Err(fault()) } else { Ok(true) })
            });
            assert_eq!(answer.await, Ok(true));
        }
        let mut asked = 0;
        let answer = vouched(|| {
            asked += 1;
            ready(Err(rolled_back()))
        });
        assert_eq!(answer.await, Err(rolled_back()));
        assert_eq!(asked, TRIES);
    }
}
