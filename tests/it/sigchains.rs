//! Chains as the service keeps them: what follows is stored, what races is told apart, and nothing else gets in.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use kez_contract::Code;
use kez_contract::sigchain::{APPEND, Append, Head};
use kez_crypto::{Chain, NostrSecret, Primary, SecretKey};
use kez_service::random;
use serde_json::Value;
use serde_json::value::RawValue;
use tests::chains::{add, now, revoke};
use tests::{Chains, Mesh, Process, operator};

fn key() -> SecretKey {
    SecretKey::from_seed(random::bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_appended_and_read_back_word_by_word() {
    let mesh = Mesh::start().await;
    let chains = Chains::of(&mesh).await;
    let alice = key();
    let mut chain = Chain::new(alice.public());
    let mut heads = Vec::new();
    for op in [add("github:alice"), add("dns:alice.example"), revoke("github:alice"), add("github:alice")] {
        let appended = chains.append(&mut chain, &op, &alice).await.unwrap();
        assert!(appended.created);
        assert_eq!(appended.event, Head { seq: chain.length() - 1, head: chain.head().unwrap() });
        heads.push(appended.event);
    }
    assert_eq!(chains.read(alice.public()).await, chain);

    let primary = Primary::from(alice.public());
    let page = chains.page(&primary, 1, 2).await.unwrap();
    assert_eq!((page.events.len(), page.more, page.head.as_ref()), (2, true, heads.last()));
    let rest = chains.page(&primary, 3, 2).await.unwrap();
    assert_eq!((rest.events.len(), rest.more, rest.head.as_ref()), (1, false, heads.last()));
    let beyond = chains.page(&primary, 4, 2).await.unwrap();
    assert_eq!((beyond.events.len(), beyond.more, beyond.head.as_ref()), (0, false, heads.last()));

    let nobody = chains.page(&key().public().into(), 0, 10).await.unwrap();
    assert!(nobody.events.is_empty() && nobody.head.is_none() && !nobody.more);
    for limit in [0, 1001] {
        assert_eq!(chains.page(&primary, 0, limit).await.unwrap_err().code, Code::Malformed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nostr_identity_has_a_chain_too() {
    let mesh = Mesh::start().await;
    let chains = Chains::of(&mesh).await;
    let alice = NostrSecret::from_bytes(random::bytes()).unwrap();
    let mut chain = Chain::new(alice.public());
    chains.append(&mut chain, &add("github:alice"), &alice).await.unwrap();
    chains.append(&mut chain, &revoke("github:alice"), &alice).await.unwrap();
    assert_eq!(chains.read(alice.public()).await, chain);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_event_again_is_no_error_and_is_stored_once() {
    let mesh = Mesh::start().await;
    let _other = mesh.another_sigchain().await;
    let chains = Chains::of(&mesh).await;
    let alice = key();
    let mut chain = Chain::new(alice.public());
    let first = chain.sign_next(&add("github:alice"), now(), &alice);
    // Ten at the same moment, whichever replica each comes to.
    let answers = join_all((0..10).map(|_| chains.hand_in(&first))).await;
    let created = answers.iter().filter(|answer| answer.as_ref().unwrap().created).count();
    assert_eq!(created, 1, "{answers:?}");
    chain.append(&first).unwrap();
    chains.append(&mut chain, &add("dns:alice.example"), &alice).await.unwrap();
    let again = chains.hand_in(&first).await.unwrap();
    assert_eq!((again.created, again.event.seq), (false, 0));
    assert_eq!(chains.read(alice.public()).await, chain);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_rule_is_refused_by_its_name_and_nothing_is_stored() {
    let mesh = Mesh::start().await;
    let chains = Chains::of(&mesh).await;
    let vectors = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/sigchain.json")).unwrap();
    let vectors: Value = serde_json::from_slice(&vectors).unwrap();
    let events: Vec<Vec<u8>> =
        vectors["events"].as_array().unwrap().iter().map(|event| event.to_string().into()).collect();
    let primary = Primary::parse(vectors["primary"].as_str().unwrap()).unwrap();
    let mut refused = vectors["refused"].as_array().unwrap().clone();
    refused.sort_by_key(|case| case["after"].as_u64());
    let mut stored = 0;
    for case in refused {
        while (stored as u64) < case["after"].as_u64().unwrap() {
            chains.hand_in(&events[stored]).await.unwrap();
            stored += 1;
        }
        let problem = chains.hand_in(case["event"].to_string().as_bytes()).await;
        // An event of another chain is the beginning of that one, here.
        let expected = match case["error"].as_str().unwrap() {
            "wrong_primary" => "wrong_seq",
            error => error,
        };
        let problem = problem.unwrap_err();
        assert_eq!(problem.code.as_str(), expected, "{}", case["name"]);
        let late = matches!(problem.code, Code::WrongSeq | Code::WrongPrev) && expected == case["error"];
        let head = late && stored > 0;
        assert_eq!(problem.current.is_some(), head, "{}", case["name"]);
        assert_eq!(chains.events(&primary).await.len(), stored, "{}", case["name"]);
    }
    let long = format!(r#"{{"x":"{}"}}"#, "x".repeat(16 * 1024));
    assert_eq!(chains.hand_in(long.as_bytes()).await.unwrap_err().code, Code::TooLarge);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_nats_everybody_appends_to_their_own_chain() {
    let mesh = Mesh::start().await;
    let alice = mesh.person("alice").await;
    let mallory = mesh.person("mallory").await;
    let event = Chain::new(alice.key()).sign_next(&add("github:alice"), now(), &alice.secret);
    let request =
        || Append { event: RawValue::from_string(String::from_utf8(event.clone()).unwrap()).unwrap() };
    let refused = mallory.client.call(&APPEND, &request()).await.unwrap_err();
    assert_eq!(refused.code, Code::WrongPrimary);
    alice.client.call(&APPEND, &request()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_who_race_one_wins_each_step() {
    let mesh = Mesh::start().await;
    let _other = mesh.another_sigchain().await;
    let chains = Chains::of(&mesh).await;
    let alice = key();
    let racers = (0..20).map(|racer| {
        let (chains, alice) = (&chains, &alice);
        async move {
            let (mut won, mut lost) = (BTreeSet::new(), 0);
            while won.len() < 5 {
                let chain = chains.read(alice.public()).await;
                let op = add(&format!("dns:{racer}-{}.example", won.len()));
                match chains.hand_in(&chain.sign_next(&op, now(), alice)).await {
                    Ok(appended) => assert!(appended.created && won.insert(appended.event.seq)),
                    Err(problem) => {
                        let late = [Code::Conflict, Code::WrongSeq, Code::WrongPrev].contains(&problem.code);
                        assert!(late, "{problem}");
                        assert!(problem.current.is_some_and(|head| head.seq >= chain.length()));
                        lost += 1;
                    }
                }
            }
            (won, lost)
        }
    });
    let results = join_all(racers).await;
    let lost: u32 = results.iter().map(|(_, lost)| lost).sum();
    assert!(lost > 0, "they did race");
    let steps: Vec<u64> = results.iter().flat_map(|(won, _)| won.iter().copied()).collect();
    let distinct: BTreeSet<u64> = steps.iter().copied().collect();
    assert_eq!(steps.len(), 100);
    assert_eq!(distinct, (0..100).collect::<BTreeSet<_>>(), "each step has one winner");
    let chain = chains.read(alice.public()).await;
    assert_eq!((chain.length(), chain.claims().count()), (100, 100));
}

#[tokio::test(flavor = "multi_thread")]
async fn load_killed_in_the_middle_of_appends_what_was_acknowledged_is_there_whole() {
    let mut mesh = Mesh::start().await;
    mesh.sigchain.take().unwrap().stop().await.unwrap();
    let flags = [format!("--database-url={}", mesh.plan.sigchain_database_url)];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let operator = mesh.user("operator").await;
    let mut service = Process::start(&mesh, "sigchain", &flags);
    operator::until_replicas(&operator, "sigchain", 1).await;
    let chains = Chains::of(&mesh).await;
    let people: Vec<SecretKey> = (0..16).map(|_| key()).collect();
    for _ in 0..2 {
        let (stop, stopping) = tokio::sync::watch::channel(false);
        let writers = people.iter().map(|person| {
            let (chains, stopping) = (&chains, stopping.clone());
            async move {
                let mut acknowledged = Vec::new();
                let mut chain = chains.read(person.public()).await;
                while !*stopping.borrow() {
                    let op = add(&format!("dns:{}.example", chain.length()));
                    let event = chain.sign_next(&op, now(), person);
                    match chains.hand_in(&event).await {
                        Ok(appended) => acknowledged.push(appended.event),
                        Err(problem) => {
                            assert_eq!(problem.code, Code::Unavailable, "{problem}");
                            break;
                        }
                    }
                    chain.append(&event).unwrap();
                }
                acknowledged
            }
        });
        let killer = async {
            // Once they are at it: every chain has grown.
            for person in &people {
                let length = chains.read(person.public()).await.length();
                while chains.read(person.public()).await.length() == length {}
            }
            service.kill();
            stop.send_replace(true);
        };
        let (acknowledged, ()) = tokio::join!(join_all(writers), killer);
        service = Process::start(&mesh, "sigchain", &flags);
        operator::until_replicas(&operator, "sigchain", 1).await;
        for (person, acknowledged) in people.iter().zip(acknowledged) {
            assert!(!acknowledged.is_empty());
            let chain = chains.read(person.public()).await;
            let last = acknowledged.last().unwrap();
            assert!(chain.length() > last.seq, "what was acknowledged is there");
            assert!(chain.length() <= last.seq + 2, "and at most the one that was on its way");
            let events = chains.events(&person.public().into()).await;
            let mut replayed = Chain::new(person.public());
            events.iter().take(last.seq as usize + 1).for_each(|event| replayed.append(event).unwrap());
            assert_eq!(replayed.head().as_ref(), Some(&last.head));
        }
    }
}
