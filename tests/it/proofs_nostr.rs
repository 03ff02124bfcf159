//! A nostr key says whose it is: signed events, from real relays, none of which has to be believed.

use kez_contract::sigchain::{Status, Why};
use kez_crypto::encoding::{compact, markdown};
use kez_crypto::{NostrSecret, Primary};
use kez_proofs::{Checker, Settings};
use kez_service::random;
use serde_json::{Value, json};
use tests::accounts::claimant::NOW;
use tests::accounts::relay::{Manner, event};
use tests::accounts::{Accounts, Claimant, Relay, SHORT};

const PROFILE: u32 = 0;
const NOTE: u32 = 1;
const APPLICATION_DATA: u32 = 30078;

/// Two relays, a checker that asks both, and a nostr key that an identity claims.
struct World {
    accounts: Accounts,
    relays: [Relay; 2],
    key: NostrSecret,
    alice: Claimant,
}

impl World {
    async fn start() -> Self {
        let accounts = Accounts::start().await;
        let relays = [accounts.relay("one.test").await, accounts.relay("two.test").await];
        let key = NostrSecret::from_bytes(random::bytes()).unwrap();
        let alice = Claimant::of(&format!("nostr:{}", key.public().npub()));
        Self { accounts, relays, key, alice }
    }

    fn settings(&self) -> Settings {
        let nostr_relays = self.relays.iter().map(|relay| relay.url().parse().unwrap()).collect();
        Settings { nostr_relays, ..self.accounts.settings() }
    }

    fn checker(&self) -> Checker {
        Checker::new(&self.settings()).unwrap()
    }

    fn hasty_checker(&self) -> Checker {
        Checker::new(&Settings { milliseconds: SHORT, ..self.settings() }).unwrap()
    }

    /// An event of alice's nostr key.
    fn says(&self, kind: u32, at: i64, content: &str) -> Value {
        event(&self.key, kind, at, &json!([["d", "kez"], ["t", "kez"]]), content)
    }

    /// A profile with this about its owner.
    fn about(&self, at: i64, about: &str) -> Value {
        self.says(PROFILE, at, &json!({ "name": "alice", "about": about }).to_string())
    }
}

#[tokio::test]
async fn events_hold_claims() {
    let world = World::start().await;
    for kind in [PROFILE, NOTE, APPLICATION_DATA] {
        let publish = |claim: Option<&[u8]>| {
            let event = match (kind, claim) {
                (PROFILE, claim) => world.about(1, &claim.map_or("hello".to_owned(), compact)),
                (NOTE, Some(claim)) => world.says(NOTE, 1, &markdown(claim)),
                (_, Some(claim)) => world.says(kind, 1, &String::from_utf8_lossy(claim)),
                (_, None) => world.says(kind, 1, "hello"),
            };
            world.relays[1].set([event]);
        };
        world.alice.sees_all_judged(&world.checker(), publish).await;
    }
}

#[tokio::test]
async fn an_identity_of_nostr_claims_its_own_key() {
    let world = World::start().await;
    let claim = kez_crypto::Claim::create(&world.alice.subject, NOW, None, &world.key);
    world.relays[0].set([world.says(NOTE, 1, &compact(&claim))]);
    let primary = Primary::from(world.key.public());
    let finding = world.checker().check(&world.alice.subject, &primary, false, NOW).await;
    assert_eq!(finding.status, Status::Verified, "{finding:?}");
}

#[tokio::test]
async fn the_event_is_shown_as_evidence() {
    let world = World::start().await;
    let note = world.says(NOTE, 1, &compact(&world.alice.claim()));
    let id = note["id"].as_str().unwrap().to_owned();
    world.relays[1].set([world.about(1, "hello"), note]);
    let evidence = world.alice.verifies(&world.checker()).await;
    assert_eq!(evidence, format!("{}#{id}", world.relays[1].url()));
    // Relays were asked for what counts, and told when that was all.
    let [request, close] = world.relays[1].heard().await;
    assert_eq!((&request[0], &close), (&json!("REQ"), &json!(["CLOSE", request[1]])));
    let kinds: Vec<&Value> =
        request.as_array().unwrap()[2..].iter().map(|filter| &filter["kinds"][0]).collect();
    assert_eq!(kinds, [&json!(0), &json!(1), &json!(30078)]);
}

#[tokio::test]
async fn relays_cannot_make_up_events() {
    let world = World::start().await;
    let (good, mallory) = (compact(&world.alice.claim()), NostrSecret::from_bytes(random::bytes()).unwrap());
    let hello = world.says(NOTE, 1, "hello");
    let with = |member: &str, value: Value| {
        let mut forged = hello.clone();
        forged[member] = value;
        forged
    };
    let of_mallory = event(&mallory, NOTE, 1, &json!([]), &good);
    let mut as_alice = of_mallory.clone();
    as_alice["pubkey"] = hello["pubkey"].clone();
    // The id of what is shown, with the signature of something else that alice has signed.
    let mut resigned = world.says(NOTE, 1, &good);
    resigned["sig"] = hello["sig"].clone();
    let mut loud = world.says(NOTE, 1, &good);
    loud["sig"] = loud["sig"].as_str().unwrap().to_uppercase().into();
    let mut renamed = world.says(NOTE, 1, &good);
    renamed["id"] = hello["id"].clone();
    // Alice's own, and not her words.
    let repost = world.says(6, 1, &good);
    world.relays[0].behave(Manner::Lying);
    for forged in [
        with("content", good.clone().into()),
        with("sig", "00".repeat(64).into()),
        with("sig", json!(null)),
        of_mallory,
        as_alice,
        resigned,
        loud,
        renamed,
        repost,
        json!({}),
        json!("event"),
    ] {
        world.relays[0].set([forged.clone()]);
        let finding = world.alice.check(&world.checker()).await;
        assert_eq!(finding.why, Some(Why::Absent), "{forged}");
    }
    // It is only their faults that make them worthless.
    world.relays[0].set([world.says(NOTE, 1, &good)]);
    world.alice.verifies(&world.checker()).await;
}

#[tokio::test]
async fn what_was_replaced_counts_no_longer() {
    let world = World::start().await;
    let good = compact(&world.alice.claim());
    let [one, two] = &world.relays;
    // One relay has the old profile still, the other one the new.
    for (old, new) in [
        (world.about(1, &good), world.about(2, "I left")),
        (world.says(APPLICATION_DATA, 1, &good), world.says(APPLICATION_DATA, 2, "I left")),
    ] {
        one.set([old.clone()]);
        two.set([new.clone()]);
        world.alice.fails(&world.checker(), Why::Absent).await;
        two.set([new, old]);
        world.alice.fails(&world.checker(), Why::Absent).await;
    }
    // Notes stay.
    one.set([world.says(NOTE, 1, &good), world.says(NOTE, 2, "I left")]);
    two.set([]);
    world.alice.verifies(&world.checker()).await;
}

#[tokio::test]
async fn one_relay_that_answers_is_enough() {
    let world = World::start().await;
    let [one, two] = &world.relays;
    two.set([world.says(NOTE, 1, &compact(&world.alice.claim()))]);
    one.set([world.says(NOTE, 1, "hello")]);
    // Who says nothing is waited for, but not so long that the other one's answer is lost.
    let checker = Checker::new(&Settings { milliseconds: 4_000, ..world.settings() }).unwrap();
    for manner in [Manner::Silent, Manner::Endless, Manner::Refusing("auth-required: no")] {
        one.behave(manner);
        world.alice.verifies(&checker).await;
    }
}

#[tokio::test]
async fn relays_that_do_not_answer_say_nothing_about_the_key() {
    let world = World::start().await;
    for (manner, why) in [
        (Manner::Refusing("auth-required: no"), Why::NoAnswer),
        (Manner::Refusing("rate-limited: slow down"), Why::RateLimited),
        (Manner::Endless, Why::TooLarge),
        (Manner::Silent, Why::Timeout),
    ] {
        let checker = if why == Why::Timeout { world.hasty_checker() } else { world.checker() };
        for relay in &world.relays {
            // Somebody else's, so that it is not their number that ends it.
            let mallory = NostrSecret::from_bytes([9; 32]).unwrap();
            relay.set([event(&mallory, NOTE, 1, &json!([]), &"x".repeat(10_000))]);
            relay.behave(manner.clone());
        }
        let finding = world.alice.fails(&checker, why).await;
        assert_eq!((finding.status, finding.evidence.as_str()), (Status::Unreachable, world.relays[0].url()));
    }
}

#[tokio::test]
async fn without_relays_nothing_is_known() {
    let world = World::start().await;
    let site = world.accounts.site("site.test").await;
    let no_relay = vec![format!("wss://{}/", site.authority()).parse().unwrap()];
    for nostr_relays in [Vec::new(), no_relay] {
        let settings = Settings { nostr_relays, ..world.accounts.settings() };
        world.alice.fails(&Checker::new(&settings).unwrap(), Why::NoAnswer).await;
    }
    let nobody = Claimant::of("nostr:npub1qqqqqq");
    nobody.fails(&world.checker(), Why::NoSuchAccount).await;
}
