//! Sigchains for those who speak HTTP alone: read line by line, appended to, and asked who claims what.

use std::time::{Duration, Instant};

use kez_contract::sigchain::{Claimants, Head, Status, Verdict, Why};
use kez_crypto::{Chain, NostrSecret, SecretKey, Signer};
use kez_service::random;
use reqwest::Method;
use serde_json::{Value, json};
use tests::chains::{add, identifier, now, revoke};
use tests::web::{Answer, answer};
use tests::{Chains, Mesh, Web};
use tokio::net::UdpSocket;

fn somebody() -> SecretKey {
    SecretKey::from_seed(random::bytes())
}

fn path(chain: &Chain) -> String {
    let primary = chain.primary().to_string();
    format!("/v1/sigchains/{}", primary.replace(':', "/"))
}

/// Signs what comes next and posts it; the event, and the answer.
async fn post<'k>(
    web: &Web,
    chain: &mut Chain,
    subject: &str,
    key: impl Into<Signer<'k>>,
) -> (String, Answer) {
    let event = chain.sign_next(&add(subject), now(), key);
    let answer = web.post(&path(chain), event.clone()).await;
    if answer.status == 201 {
        chain.append(&event).unwrap();
    }
    (String::from_utf8(event).unwrap(), answer)
}

async fn get_unless(web: &Web, path: &str, etag: &str) -> Answer {
    answer(web.request(Method::GET, path).header("If-None-Match", etag)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_is_written_and_read_line_by_line() {
    let mesh = Mesh::start().await;
    let web = mesh.web();
    let alice = somebody();
    let nostr = NostrSecret::from_bytes(random::bytes()).unwrap();
    let signers: [Signer<'_>; 2] = [(&alice).into(), (&nostr).into()];
    for key in signers {
        let mut chain = Chain::new(key.public());
        let path = path(&chain);
        web.get(&path).await.refused(404, "not_found");
        let (first, posted) = post(&web, &mut chain, "github:alice", key).await;
        let head = posted.read::<Head>(201);
        assert_eq!(head, Head { seq: 0, head: chain.head().unwrap() });
        assert_eq!(web.post(&path, first.clone()).await.read::<Head>(200), head, "the same event again");

        let (second, posted) = post(&web, &mut chain, "dns:alice.example", key).await;
        assert_eq!(posted.read::<Value>(201), json!({ "seq": 1, "head": chain.head().unwrap() }));
        let whole = web.get(&path).await;
        assert_eq!((whole.status, whole.body.as_str()), (200, format!("{first}\n{second}\n").as_str()));
        assert_eq!(whole.header("content-type"), "application/jsonl");
        let etag = format!("\"{}\"", chain.head().unwrap());
        assert_eq!(whole.header("etag"), etag);

        for (since, body) in [
            (0, whole.body.clone()),
            (1, format!("{second}\n")),
            (2, String::new()),
            (u64::MAX, String::new()),
        ] {
            let part = web.get(&format!("{path}?since={since}")).await;
            assert_eq!(
                (part.status, &part.body, part.header("etag")),
                (200, &body, etag.as_str()),
                "{since}"
            );
        }
        let unchanged = get_unless(&web, &path, &etag).await;
        assert_eq!(
            (unchanged.status, unchanged.body.as_str(), unchanged.header("etag")),
            (304, "", etag.as_str())
        );
        assert_eq!(get_unless(&web, &path, &format!("\"{}\"", head.head)).await.body, whole.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_does_not_fit_is_told_why() {
    let mesh = Mesh::start().await;
    let web = mesh.web();
    let (alice, bob) = (somebody(), somebody());
    let mut chain = Chain::new(alice.public());
    let path = path(&chain);
    post(&web, &mut chain, "github:alice", &alice).await.1.read::<Head>(201);
    let current = json!({ "seq": 0, "head": chain.head().unwrap() });

    // Signed on top of nothing, of which the sender knew no better.
    let late = Chain::new(alice.public()).sign_next(&add("dns:a.example"), now(), &alice);
    assert_eq!(web.post(&path, late).await.refused(409, "wrong_seq")["current"], current);
    let mut fork = Chain::new(alice.public());
    fork.append(&fork.sign_next(&add("dns:b.example"), now(), &alice)).unwrap();
    let forked = fork.sign_next(&add("dns:c.example"), now(), &alice);
    assert_eq!(web.post(&path, forked).await.refused(409, "wrong_prev")["current"], current);

    let (_, twice) = post(&web, &mut chain, "github:alice", &alice).await;
    let document = twice.refused(422, "already_active");
    assert!(document.get("current").is_none(), "{document}");
    let absent = chain.sign_next(&revoke("dns:d.example"), now(), &alice);
    web.post(&path, absent).await.refused(422, "not_active");
    let earlier = chain.sign_next(&add("dns:e.example"), now().plus_seconds(-60), &alice);
    web.post(&path, earlier).await.refused(422, "clock_backwards");
    let bobs = Chain::new(bob.public()).sign_next(&add("github:bob"), now(), &bob);
    web.post(&path, bobs).await.refused(422, "wrong_primary");
    let forged = chain.sign_next(&add("github:bob"), now(), &bob);
    web.post(&path, forged).await.refused(401, "key_mismatch");
    let good = String::from_utf8(chain.sign_next(&add("dns:f.example"), now(), &alice)).unwrap();
    web.post(&path, good.replace("dns:f", "dns:g")).await.refused(401, "bad_signature");
    web.post(&path, good.replacen('{', "{\"more\":1,", 1)).await.refused(400, "malformed");
    // A second primary cannot hide the first.
    let two = good.replacen("\"primary\":", &format!("\"primary\":\"{}\",\"primary\":", bob.public()), 1);
    web.post(&path, two).await.refused(400, "malformed");
    for path in ["/v1/sigchains/rsa/00", "/v1/sigchains/ed25519/00", "/v1/sigchains/nostr/npub1x"] {
        let refused = web.get(path).await;
        assert_eq!(refused.status, 400, "{refused:?}");
    }
    assert_eq!(web.get(&path).await.body.lines().count(), 1, "nothing of it was stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_of_many_pages_arrives_whole() {
    let mesh = Mesh::start().await;
    let chains = Chains::of(&mesh).await;
    let alice = somebody();
    let mut chain = Chain::new(alice.public());
    for number in 0..1100 {
        chains.append(&mut chain, &add(&format!("github:alice{number}")), &alice).await.unwrap();
    }
    let web = mesh.web();
    for since in [0, 50, 1000, 1099] {
        let answer = web.get(&format!("{}?since={since}", path(&chain))).await;
        assert_eq!((answer.status, answer.body.lines().count()), (200, 1100 - since));
        assert_eq!(answer.header("etag"), format!("\"{}\"", chain.head().unwrap()));
    }
    let mut read = Chain::new(alice.public());
    for line in web.get(&path(&chain)).await.body.lines() {
        read.append_downloaded(line.as_bytes()).unwrap();
    }
    assert_eq!(read, chain);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_claims_an_account_is_found() {
    let mesh = Mesh::start().await;
    let (web, chains) = (mesh.web(), Chains::of(&mesh).await);
    let mut claimed = Vec::new();
    for _ in 0..3 {
        let key = somebody();
        let mut chain = Chain::new(key.public());
        chains.append(&mut chain, &add("github:shared"), &key).await.unwrap();
        claimed.push(chain.primary().to_string());
    }
    claimed.sort();
    let found = loop {
        // The tables beside the stream follow it.
        let found: Claimants = web.get("/v1/claims?subject=github:shared").await.read(200);
        if found.claimants.len() == 3 {
            break found;
        }
    };
    let primaries: Vec<_> = found.claimants.iter().map(|claimant| claimant.primary.clone()).collect();
    assert_eq!((primaries, found.more), (claimed.clone(), false));
    assert!(found.claimants.iter().all(|claimant| claimant.event.get().contains(&claimant.primary)));
    let after: Claimants =
        web.get(&format!("/v1/claims?subject=github:shared&after={}", claimed[0])).await.read(200);
    assert_eq!(after.claimants.len(), 2);
    let nobody: Claimants = web.get("/v1/claims?subject=github:nobody").await.read(200);
    assert!(nobody.claimants.is_empty());
    web.get("/v1/claims?subject=nonsense").await.refused(400, "malformed");
    web.get(&format!("/v1/verify?subject=nonsense&primary={}", claimed[0])).await.refused(400, "malformed");
    web.get("/v1/verify?subject=github:shared&primary=nobody").await.refused(400, "malformed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_does_not_answer_is_waited_for_and_said_to_be_unreachable() {
    // Whoever asks here hears nothing.
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let resolvers = format!("--proof-resolvers={}", silent.local_addr().unwrap());
    let mesh = Mesh::with(&[("sigchain", &resolvers), ("sigchain", "--proof-milliseconds=20000")]).await;
    let alice = mesh.person("alice").await;
    let path = format!("/v1/verify?subject=dns:alice.example&primary={}", somebody().public());
    let (web, account, me) = (mesh.web(), identifier("dns:other.example"), alice.key().into());
    let begun = Instant::now();
    let (over_http, over_nats) = tokio::join!(web.get(&path), alice.client.verify(&account, &me, false));
    println!("an account that does not answer was given up after {:?}", begun.elapsed());
    assert!(begun.elapsed() > Duration::from_secs(5), "longer than other calls may take");
    for verdict in [over_http.read::<Verdict>(200), over_nats.unwrap()] {
        assert_eq!((verdict.status, verdict.why), (Status::Unreachable, Some(Why::Timeout)));
    }
}
