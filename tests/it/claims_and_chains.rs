//! What somebody claims is seen, verified and followed by others, in the library and on the command line.

use futures_util::StreamExt;
use hickory_server::proto::rr::RecordType::TXT;
use kez::chains::{Entry, Verified};
use kez::client::{Client, Connection};
use kez::http::HttpClient;
use kez::speaker::Speaker;
use kez_contract::Code;
use kez_crypto::encoding::{compact, txt_pieces};
use kez_crypto::{Chain, Claim, Fault, Identifier, NostrSecret, SecretKey};
use kez_service::{Clock, random};
use serde_json::Value;
use tests::accounts::{Accounts, Reply};
use tests::chains::{add, add_device, identifier, now, revoke, revoke_device};
use tests::mesh::SERVER;
use tests::{Chains, Mesh, Person, Shell};

const DOMAIN: &str = "dns:alice.test";
const RECORD: &str = "_kez.alice.test";

/// Everything that a chain claims.
fn claims(chain: &Verified) -> Vec<&str> {
    chain.chain().claims().map(Identifier::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_and_revocations_are_seen_by_others() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let mut news = bob.client.watch(alice.key(), 0).await.unwrap();
    let mut heads = Vec::new();
    for op in [add("github:alice"), add(DOMAIN), revoke("github:alice")] {
        let appended = alice.client.append(&op).await.unwrap();
        assert!(appended.created);
        heads.push(appended.event.head);
    }
    for (seq, head) in heads.iter().enumerate() {
        let watched = news.next().await.unwrap().unwrap();
        assert_eq!((&watched.head, watched.primary), (head, alice.key().into()));
        assert_eq!(Entry::read(&watched.event).seq, seq as u64);
    }
    let stranger = mesh.stranger().await;
    for (way, chain) in [
        ("NATS", bob.client.chain(alice.key()).await),
        ("HTTP", mesh.http_client(&bob.secret).chain(alice.key()).await),
        ("NATS, unregistered", stranger.client.chain(alice.key()).await),
    ] {
        let chain = chain.unwrap();
        assert_eq!(claims(&chain), [DOMAIN], "{way}");
        assert_eq!(chain.heads(), heads, "{way}");
        assert!(chain.chain().was_revoked(&identifier("github:alice")), "{way}");
    }
    let head = bob.client.head(&alice.key().into()).await.unwrap().unwrap();
    assert_eq!(Some(&head.head), heads.last());
    assert_eq!(bob.client.head(&bob.key().into()).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_on_the_command_line() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let (hers, his) = (Shell::of(&mesh, &alice.secret), Shell::of(&mesh, &bob.secret));
    assert_eq!(his.kez(&["claim", "list", "alice"]).well(), "No accounts.\n");
    let said = hers.kez(&["claim", "add", "github:alice"]).well();
    assert!(said.contains("Event 0") && said.contains("kez claim publish-help github:alice"), "{said}");
    hers.kez(&["claim", "add", DOMAIN]).well();
    let again = hers.kez(&["claim", "add", DOMAIN]).one_line(4);
    assert!(again.contains("active in the sigchain already"), "{again}");
    let revoked = &hers.kez(&["claim", "revoke", "github:alice", "--json"]).json()[0];
    assert_eq!((&revoked["op"], &revoked["seq"]), (&"revoke".into(), &2.into()));

    let listed = his.kez(&["claim", "list", "alice", "--json"]).json();
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0]["subject"], &listed[0]["seq"]), (&DOMAIN.into(), &1.into()));
    let shown = &his.kez(&["sigchain", "show", "alice@kez.test", "--json"]).json()[0];
    assert_eq!(
        (&shown["claims"][0], &shown["events"][0]["subject"]),
        (&DOMAIN.into(), &"github:alice".into())
    );
    assert_eq!(shown["head"], revoked["head"]);
    let found = &his.kez(&["whois", "alice", "--json"]).json()[0];
    assert_eq!((&found["handle"], &found["sigchain"]["length"]), (&"alice".into(), &3.into()));
    assert_eq!(found["accounts"][0]["subject"], DOMAIN);

    let nobody = his.kez(&["claim", "list", "carol"]).one_line(3);
    assert!(
        nobody.contains("carol") || nobody.contains("registered") || nobody.contains("nobody"),
        "{nobody}"
    );
    let broken = his.kez(&["claim", "add", "alice"]);
    assert_eq!(broken.code, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_chain_is_fetched_page_by_page_and_verified() {
    const EVENTS: usize = 1000;
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let chains = Chains::of(&mesh).await;
    let mut chain = Chain::new(alice.key());
    for number in 0..EVENTS {
        let op = if number % 2 == 0 { add("github:alice") } else { revoke("github:alice") };
        chains.append(&mut chain, &op, &alice.secret).await.unwrap();
    }
    for read in [bob.client.chain(alice.key()).await, mesh.http_client(&bob.secret).chain(alice.key()).await]
    {
        let read = read.unwrap();
        assert_eq!((read.length(), read.chain()), (EVENTS as u64, &chain));
    }
    // Who follows it from the start gets all of it, and goes on.
    let mut news = bob.client.watch(alice.key(), 0).await.unwrap();
    let appended = alice.client.append(&add(DOMAIN)).await.unwrap();
    let mut last = None;
    for _ in 0..=EVENTS {
        last = Some(news.next().await.unwrap().unwrap().head);
    }
    assert_eq!(last, Some(appended.event.head));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_appends_at_once_from_two_places_loses_nothing() {
    let mesh = Mesh::start().await;
    let alice = mesh.person("alice").await;
    // Her other machine's clock runs ahead.
    let clock = Clock::default();
    clock.advance(2);
    let connection =
        Connection { clock: clock.clone(), ..mesh.connection(&mesh.plan.nats_url, &alice.secret) };
    let other = Client::connect(connection).await.unwrap();
    let (here, there) = tokio::join!(
        async {
            for number in 0..10 {
                alice.client.append(&add(&format!("github:here{number}"))).await.unwrap();
            }
        },
        async {
            for number in 0..10 {
                other.append(&add(&format!("github:there{number}"))).await.unwrap();
            }
        }
    );
    assert_eq!((here, there), ((), ()));
    let chain = alice.client.chain(alice.key()).await.unwrap();
    assert_eq!((chain.length(), claims(&chain).len()), (20, 20));
    // What has become senseless meanwhile is refused, not repeated; of the same second it would be the same event.
    clock.advance(10);
    let twice = add("github:both");
    let (first, second) = tokio::join!(alice.client.append(&twice), other.append(&twice));
    let refused = first.err().or(second.err()).unwrap();
    assert_eq!(refused.code(), Code::AlreadyActive.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nostr_identity_is_read_like_any_other() {
    let mesh = Mesh::start().await;
    let (bob, nostr) = (mesh.person("bob").await, NostrSecret::from_bytes(random::bytes()).unwrap());
    let chains = Chains::of(&mesh).await;
    let mut chain = Chain::new(nostr.public());
    chains.append(&mut chain, &add("github:alice"), &nostr).await.unwrap();
    assert_eq!(bob.client.chain(nostr.public()).await.unwrap().chain(), &chain);
    assert_eq!(mesh.http_client(&bob.secret).chain(nostr.public()).await.unwrap().chain(), &chain);

    let (his, primary) = (Shell::of(&mesh, &bob.secret), chain.primary().to_string());
    let found = &his.kez(&["whois", &primary, "--json"]).json()[0];
    assert_eq!(
        (&found["primary"], &found["accounts"][0]["subject"]),
        (&primary.clone().into(), &"github:alice".into())
    );
    let exported = his.kez(&["sigchain", "export", &primary]).well();
    let verified = &his.kez_reading(&["sigchain", "verify", "-", "--json"], exported.as_bytes()).json()[0];
    assert_eq!((&verified["primary"], &verified["length"]), (&primary.into(), &1.into()));
}

/// A mesh whose sigchain service asks a name server of the test's.
async fn with_accounts() -> (Accounts, Mesh) {
    let accounts = Accounts::start().await;
    let resolver = format!("--proof-resolvers={}", accounts.settings().resolvers[0]);
    (accounts, Mesh::with(&[("sigchain", &resolver)]).await)
}

/// Checks Alice's domain by the server, or from here.
fn check(shell: &Shell, accounts: &Accounts, more: &[&str]) -> (Option<i32>, Value) {
    let resolver = format!("--proof-resolvers={}", accounts.settings().resolvers[0]);
    let arguments = ["claim", "check", DOMAIN, "alice", "--json", &resolver];
    let done = shell.kez(&[&arguments[..], more].concat());
    let verdict = serde_json::from_str(&done.stdout).unwrap_or_else(|_| panic!("{done:?}"));
    (done.code, verdict)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_is_published_checked_and_expires() {
    let (accounts, mesh) = with_accounts().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let (hers, his) = (Shell::of(&mesh, &alice.secret), Shell::of(&mesh, &bob.secret));
    hers.kez(&["claim", "add", DOMAIN]).well();
    for how in ["--fresh", "--here"] {
        let (code, verdict) = check(&his, &accounts, &[how]);
        assert_eq!((code, &verdict["why"]), (Some(1), &"absent".into()), "{how} {verdict}");
    }

    let created = &hers.kez(&["claim", "create", DOMAIN, "--format", "compact", "--json"]).json()[0];
    let pieces = txt_pieces(created["text"].as_str().unwrap());
    accounts.names.set(RECORD, TXT, [Reply::texts([pieces])]);
    for how in ["--fresh", "--here"] {
        let (code, verdict) = check(&his, &accounts, &[how]);
        assert_eq!((code, &verdict["status"]), (Some(0), &"verified".into()), "{how} {verdict}");
        assert!(verdict["evidence"].as_str().unwrap().contains(RECORD), "{verdict}");
    }
    let found = &his.kez(&["whois", "alice", "--json"]).json()[0];
    assert_eq!(found["accounts"][0]["verdict"]["status"], "verified", "{found}");
    let said = his.kez(&["whois", "alice"]).well();
    assert!(said.contains(&format!("account     {DOMAIN}  verified  ")), "{said}");

    // Its end has come: for whoever looks now, and for whoever was told before.
    let ended = Claim::create(&identifier(DOMAIN), now().plus_seconds(-60), Some(now()), &alice.secret);
    accounts.names.set(RECORD, TXT, [Reply::texts([txt_pieces(&compact(&ended))])]);
    for how in ["--fresh", "--here"] {
        let (code, verdict) = check(&his, &accounts, &[how]);
        assert_eq!((code, &verdict["why"]), (Some(1), &"expired".into()), "{how} {verdict}");
    }

    // What the chain has taken back proves nothing, whatever the account says.
    hers.kez(&["claim", "revoke", DOMAIN]).well();
    let lasting = Claim::create(&identifier(DOMAIN), now(), None, &alice.secret);
    accounts.names.set(RECORD, TXT, [Reply::texts([txt_pieces(&compact(&lasting))])]);
    for how in ["--fresh", "--here"] {
        let (code, verdict) = check(&his, &accounts, &[how]);
        assert_eq!((code, &verdict["why"]), (Some(1), &"revoked".into()), "{how} {verdict}");
    }
    accounts.names.set(RECORD, TXT, [Reply::Fails]);
    // What the service saw within the day stands, and the chain has taken it back; the command remembers nothing.
    for (how, exit, status) in [("--fresh", 1, "failed"), ("--here", 5, "unreachable")] {
        let (code, verdict) = check(&his, &accounts, &[how]);
        assert_eq!((code, &verdict["status"]), (Some(exit), &status.into()), "{how} {verdict}");
    }
}

/// A device of somebody's, connected.
async fn device(mesh: &Mesh, person: &Person, name: &str) -> (SecretKey, Client) {
    let key = SecretKey::from_seed(random::bytes());
    person.client.append(&add_device(person.key(), &key, name)).await.unwrap();
    let me = Speaker::device(&key, person.key());
    let connection = Connection { me, ..mesh.connection(&mesh.plan.nats_url, &person.secret) };
    (key, Client::connect(connection).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_writes_for_its_owner_while_the_chain_says_so() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let (key, laptop) = device(&mesh, &alice, "laptop").await;
    let mut mail = bob.follow().await;
    laptop.send("bob", "from my laptop").await.unwrap();
    let received = mail.next().await.unwrap();
    assert_eq!((received.text(), received.from()), (Some("from my laptop"), Some(alice.key())));
    assert_eq!(received.opened.unwrap().device, Some(key.public()));
    let http = mesh.http_client(&bob.secret);
    assert_eq!(http.fetch(&bob.name(), 0, 10).await.unwrap().messages[0].text(), Some("from my laptop"));

    // What only the identity itself may do.
    assert_eq!(laptop.append(&add("github:alice")).await.unwrap_err().code(), Code::KeyMismatch.as_str());
    assert_eq!(laptop.register("laptop").await.unwrap_err().code, Code::KeyMismatch);

    let over_http = HttpClient::new(&mesh.http(), SERVER, Speaker::device(&key, alice.key()), &mesh.clock);
    let refused = over_http.unwrap().fetch(&alice.name(), 0, 10).await.unwrap_err();
    assert!(refused.code == Code::KeyMismatch && refused.detail.contains("over HTTP"), "{refused}");

    // Somebody who is no device of hers, and a device that is one no longer.
    let sealed = |key: &SecretKey| {
        let me = Speaker::device(key, alice.key());
        kez::mail::write(&me, &bob.key(), "believe me", now()).unwrap().1
    };
    let eve = mesh.person("eve").await;
    eve.client.deliver(&bob.key(), &sealed(&eve.secret)).await.unwrap();
    assert_eq!(mail.next().await.unwrap().opened.unwrap_err(), Fault::UnknownDevice);
    alice.client.append(&revoke_device(&key)).await.unwrap();
    eve.client.deliver(&bob.key(), &sealed(&key)).await.unwrap();
    assert_eq!(mail.next().await.unwrap().opened.unwrap_err(), Fault::UnknownDevice);
    let read = http.fetch(&bob.name(), 0, 10).await.unwrap();
    assert_eq!(read.messages.last().unwrap().opened, Err(Fault::UnknownDevice));
}
