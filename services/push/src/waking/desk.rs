//! Where mail is decided on: whom it wakes, and who pushes.

mod networks;
mod taken;
mod turns;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use kez_contract::push::Outcome;
use kez_service::random;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, timeout_at};

use super::ledger::{Entry, Finished, until};
use super::mail::Mail;
use super::verdict::{Verdict, judge};
use super::{LEASE, Waking, Work};
use crate::sender::{Answer, KEPT_FOR, pause};
use crate::store::{Claim, Kept, Push, Pushed};
use taken::{RENEWAL, Taken};
use turns::{Room, Turn, Turns};

/// Messages that are being woken for.
const IN_HAND: usize = 256;
/// The broker learns that mail is being seen to, if it has waited for longer than that.
const OLD: Duration = Duration::from_secs(5);
/// When what could not be decided on is looked at again.
const UNDECIDED: Duration = Duration::from_secs(5);
const CONTESTED: i64 = 1_000;
const NO_ROOM: i64 = 5_000;

/// The desk, and its room.
#[derive(Clone)]
struct Desk {
    waking: Waking,
    ledger: mpsc::Sender<Entry>,
    in_hand: Arc<Semaphore>,
    turns: Turns,
}

/// What a message asks for.
struct Plan {
    mail: Mail,
    due: Vec<Due>,
    taken_over: Vec<Kept>,
    again_at: Option<i64>,
}

/// A subscription that is to be pushed to.
struct Due {
    kept: Kept,
    /// If its push is a slow one.
    room: Option<Room>,
}

/// Decides on mail until the service stops; what is left then goes to other replicas.
pub async fn serve(waking: Waking, mut work: mpsc::Receiver<Work>, ledger: mpsc::Sender<Entry>) {
    let turns = Turns::new(waking.sender.clone());
    let desk = Desk { waking, ledger, in_hand: Arc::new(Semaphore::new(IN_HAND)), turns };
    while let Some(Some(work)) = desk.waking.stopping.run_until_cancelled(work.recv()).await {
        match work {
            Work::Arrived(mail) => desk.receive(mail).await,
            Work::Asleep(mail) => desk.wake(mail).await,
        }
    }
    work.close();
    let mut left = desk.waking.held.drain();
    while let Some(Work::Arrived(mail) | Work::Asleep(mail)) = work.recv().await {
        left.extend(mail);
    }
    desk.give_back(left, Duration::ZERO).await;
}

impl Desk {
    /// Sorts out what wakes nobody, or may not.
    async fn receive(&self, mail: Vec<Mail>) {
        let (now, mut asleep) = (self.waking.clock.now(), Vec::new());
        for mail in self.newest(mail).await {
            if mail.stored_at.saturating_add(i64::from(KEPT_FOR) * 1000) < now {
                self.settle(mail, Outcome::Expired).await;
            } else if self.waking.presence.is_online(&mail.primary) {
                if let Some(older) = self.waking.held.keep(mail) {
                    self.settle(older, Outcome::Collapsed).await;
                }
            } else {
                asleep.push(mail);
            }
        }
        if !asleep.is_empty() {
            self.wake(asleep).await;
        }
    }

    /// Of each person the newest message, which asks for all that the others do.
    async fn newest(&self, mail: Vec<Mail>) -> Vec<Mail> {
        let mut newest: HashMap<String, Mail> = HashMap::with_capacity(mail.len());
        for mail in mail {
            let older = match newest.get(&mail.primary) {
                Some(other) if other.sequence > mail.sequence => Some(mail),
                _ => newest.insert(mail.primary.clone(), mail),
            };
            if let Some(older) = older {
                self.settle(older, Outcome::Collapsed).await;
            }
        }
        newest.into_values().collect()
    }

    /// Wakes whoever is to be woken.
    async fn wake(&self, mail: Vec<Mail>) {
        let people: Vec<&str> = mail.iter().map(|mail| mail.primary.as_str()).collect();
        let Ok(subscriptions) = self.waking.store.subscriptions_of(people).await else {
            return self.give_back(mail, UNDECIDED).await;
        };
        let mut of: HashMap<String, Vec<Kept>> = HashMap::new();
        for kept in subscriptions {
            of.entry(kept.primary.clone()).or_default().push(kept);
        }
        let mut plans = Vec::new();
        for mail in mail {
            match of.get(&mail.primary) {
                // There is nobody to wake.
                None => mail.done(&self.waking.nats).await,
                Some(theirs) => plans.extend(self.plan(mail, theirs.clone()).await),
            }
        }
        while !plans.is_empty() {
            let part = plans.split_off(plans.len().saturating_sub(IN_HAND / 2));
            self.carry_out(part).await;
        }
    }

    /// What is to be done for a message, if anything is.
    async fn plan(&self, mail: Mail, theirs: Vec<Kept>) -> Option<Plan> {
        let now = self.waking.clock.now();
        let mut plan = Plan { mail, due: Vec::new(), taken_over: Vec::new(), again_at: None };
        for kept in theirs {
            let verdict = judge(&kept, plan.mail.sequence, plan.mail.stored_at, now);
            match verdict {
                Verdict::Covered => {}
                Verdict::Due => plan.due.push(Due { kept, room: None }),
                Verdict::TakeOver(then) => {
                    plan.taken_over.push(kept);
                    plan.look_again(then);
                }
                Verdict::Wait(then) => plan.look_again(then),
            }
        }
        if plan.due.is_empty() && plan.again_at.is_none() {
            self.settle(plan.mail, Outcome::Collapsed).await;
            return None;
        }
        Some(plan)
    }

    /// Takes the subscriptions that are due, all in one transaction, and has them pushed to.
    async fn carry_out(&self, mut plans: Vec<Plan>) {
        let mut rooms = Vec::with_capacity(plans.len());
        for plan in &mut plans {
            let Ok(room) = self.in_hand.clone().acquire_owned().await else { return };
            rooms.push(room);
            plan.postpone_slow(&self.turns, self.waking.clock.now());
        }
        let lease = self.waking.clock.now() + LEASE;
        let claims: Vec<Claim> = plans.iter().flat_map(|plan| plan.claims(lease)).collect();
        let taken_at = Instant::now();
        let Ok(taken) = self.waking.store.claim(&claims).await else {
            let mail = plans.into_iter().map(|plan| plan.mail).collect();
            return self.give_back(mail, UNDECIDED).await;
        };
        let mut taken = taken.into_iter();
        for (mut plan, room) in plans.into_iter().zip(rooms) {
            plan.keep_taken(&mut taken, self.waking.clock.now());
            if plan.due.is_empty() {
                let again = plan.again_at.unwrap_or_default();
                plan.mail.again(&self.waking.nats, until(again, self.waking.clock.now())).await;
                continue;
            }
            let desk = self.clone();
            self.waking.tasks.spawn(async move { desk.push_all(plan, room, lease, taken_at).await });
        }
    }

    /// Pushes to all that were taken for a message.
    async fn push_all(&self, plan: Plan, room: OwnedSemaphorePermit, until: i64, taken_at: Instant) {
        let Plan { mail, due, mut again_at, .. } = plan;
        if mail.arrived.elapsed() > OLD {
            mail.in_hand(&self.waking.nats).await;
        }
        let sequence = mail.sequence;
        let (taken, rooms): (Vec<Taken>, Vec<Option<Room>>) =
            due.into_iter().map(|due| (Taken::new(due.kept, until, taken_at), due.room)).unzip();
        let mut pushes: FuturesUnordered<_> =
            taken.iter().zip(rooms).map(|(taken, room)| self.push(taken, room, sequence)).collect();
        let mut mine = Some((mail, room));
        let mut renewed = taken_at;
        while let Some((mail, _)) = &mine {
            let push = match timeout_at(renewed + RENEWAL, pushes.next()).await {
                Ok(Some(push)) => push,
                Ok(None) => break,
                // While this goes on none of them comes to an end, so that each is written down by the lease that it has.
                Err(_) => {
                    renewed = Instant::now();
                    self.renew(mail, &taken).await;
                    continue;
                }
            };
            let again = match push.pushed {
                Pushed::Failed { retry_at, .. } => Some(retry_at),
                Pushed::Not { again_at } => Some(again_at),
                Pushed::Accepted { .. } | Pushed::Over => None,
            };
            again_at = again.into_iter().chain(again_at).min();
            // What is known of one device does not wait for the others.
            let ends = if pushes.is_empty() { mine.take() } else { None };
            let last = ends.map(|(mail, room)| Finished { mail, again_at, _room: room });
            let _ = self.ledger.send(Entry { push, last }).await;
        }
    }

    /// Keeps what waits for its turn, and the message that it waits for.
    async fn renew(&self, mail: &Mail, taken: &[Taken]) {
        mail.in_hand(&self.waking.nats).await;
        let (until, since) = (self.waking.clock.now() + LEASE, Instant::now());
        let renewals = taken.iter().filter_map(|taken| Some((taken, taken.renewal(mail.sequence, until)?)));
        let (waiting, claims): (Vec<&Taken>, Vec<Claim>) = renewals.unzip();
        // Without a database they stay ours for as long as they were taken before.
        if let Ok(ours) = self.waking.store.claim(&claims).await {
            waiting.iter().zip(ours).for_each(|(taken, is_ours)| taken.renewed(is_ours, until, since));
        }
    }

    /// Pushes to one subscription, when it is its turn.
    async fn push(&self, taken: &Taken, room: Option<Room>, sequence: i64) -> Push {
        let turn = self.turns.next(&taken.kept, room);
        let pushed = match self.waking.stopping.run_until_cancelled(turn).await {
            Some(Some(turn)) if taken.begin() => self.push_now(turn, &taken.kept).await,
            Some(None) => Pushed::Not { again_at: self.waking.clock.now() + NO_ROOM },
            _ => Pushed::Not { again_at: 0 },
        };
        Push { id: taken.kept.id, sequence, until: taken.until(), pushed }
    }

    async fn push_now(&self, turn: Turn, kept: &Kept) -> Pushed {
        let (waking, begun_at) = (&self.waking, self.waking.clock.now());
        let (status, after) = match self.turns.push(turn, kept).await {
            Answer::Accepted(_) => {
                waking.counts.count(Outcome::Accepted);
                return Pushed::Accepted { begun_at };
            }
            Answer::Gone(_) => {
                waking.counts.count(Outcome::Gone);
                return Pushed::Over;
            }
            Answer::Refused(status) => {
                tracing::warn!(status, "a push network refuses a subscription, which is deleted");
                waking.counts.count(Outcome::Refused);
                return Pushed::Over;
            }
            Answer::Later { status, after } => (status, after),
        };
        waking.counts.count(if status.is_some() { Outcome::Delayed } else { Outcome::Failed });
        let (now, attempts) = (waking.clock.now(), kept.attempts.saturating_add(1));
        let asked = after.map(|after| after.from(now));
        let pause = pause(u32::try_from(attempts).unwrap_or(0), asked, random::bytes());
        let pause = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        Pushed::Failed { retry_at: now.saturating_add(pause), attempts }
    }

    async fn settle(&self, mail: Mail, outcome: Outcome) {
        self.waking.counts.count(outcome);
        mail.done(&self.waking.nats).await;
    }

    async fn give_back(&self, mail: Vec<Mail>, after: Duration) {
        for mail in mail {
            mail.again(&self.waking.nats, after).await;
        }
    }
}

impl Plan {
    fn look_again(&mut self, then: i64) {
        self.again_at = Some(self.again_at.map_or(then, |before| before.min(then)));
    }

    /// Puts off slow pushes, where too many of them wait already.
    fn postpone_slow(&mut self, turns: &Turns, now: i64) {
        let due = self.due.len();
        self.due.retain_mut(|due| {
            let is_slow = turns.is_slow(&due.kept);
            due.room = if is_slow { turns.room() } else { None };
            !is_slow || due.room.is_some()
        });
        if self.due.len() < due {
            self.look_again(now + NO_ROOM);
        }
    }

    fn claims(&self, until: i64) -> impl Iterator<Item = Claim> {
        let sequence = self.mail.sequence;
        let claim = move |kept: &Kept, until| Claim { kept: kept.clone(), sequence, until };
        let due = self.due.iter().map(move |due| claim(&due.kept, Some(until)));
        due.chain(self.taken_over.iter().map(move |kept| claim(kept, None)))
    }

    /// Lets go of what somebody else has taken first; `taken` says so of each claim, in order.
    fn keep_taken(&mut self, taken: &mut impl Iterator<Item = bool>, now: i64) {
        let claims = self.due.len();
        self.due.retain(|_| taken.next().unwrap_or(false));
        let over = self.taken_over.iter().filter(|_| !taken.next().unwrap_or(false)).count();
        if self.due.len() < claims || over > 0 {
            self.look_again(now + CONTESTED);
        }
    }
}
