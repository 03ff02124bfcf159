//! Who claims what, in SQL: as the stream has it, also after the tables were lost, and never in the way of the stream.

use std::time::{Duration, Instant};

use async_nats::Client as Nats;
use kez_contract::sigchain::{BySubject, Claimants, MAX_EVENT, WEB_CLAIMANTS};
use kez_contract::{Code, Problem};
use kez_crypto::chain::device_proof;
use kez_crypto::{Chain, Op, SecretKey, Signed, Tag};
use kez_service::{ask, random};
use sigchain::{Report, reindex};
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use tests::chains::{add, identifier, now, revoke};
use tests::database::Database;
use tests::{Chains, Mesh};

const PATIENCE: Duration = Duration::from_secs(20);

/// The databases that are here: SQLite always, PostgreSQL where it is installed.
fn databases() -> Vec<Database> {
    [Some(Database::sqlite()), Database::postgres()].into_iter().flatten().collect()
}

/// Two replicas of the sigchain service on one database.
async fn mesh_on(database: &Database) -> (Mesh, kez_service::Running) {
    let mut mesh = Mesh::broker().await;
    mesh.plan.sigchain_database_url = database.url.clone();
    mesh.start_services().await;
    let other = mesh.another_sigchain().await;
    (mesh, other)
}

async fn claimants(web: &Nats, subject: &str, after: Option<&str>) -> Result<Claimants, Problem> {
    let asked = BySubject { subject: subject.to_owned(), after: after.map(str::to_owned) };
    ask(web, WEB_CLAIMANTS, &asked).await
}

/// Asks until the tables say so: they are behind the stream by moments.
async fn until_claimed_by(web: &Nats, subject: &str, wanted: &[String]) -> Claimants {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = claimants(web, subject, None).await;
        if let Ok(found) = found
            && found.claimants.iter().map(|claimant| &claimant.primary).eq(wanted)
        {
            return found;
        }
        assert!(Instant::now() < deadline, "{subject} is not claimed by {wanted:?}");
    }
}

/// Chains of many kinds: claims, claims taken back and made again, devices, a successor.
async fn grow(chains: &Chains, count: u8) -> Vec<Chain> {
    let mut grown = Vec::new();
    for number in 0..count {
        let key = SecretKey::from_seed([number + 1; 32]);
        let device = SecretKey::from_seed([number + 100; 32]);
        let proof = data_encoding::HEXLOWER.encode(&device_proof(key.public(), &device));
        let mut chain = Chain::new(key.public());
        let ops = [
            add("github:shared"),
            add(&format!("dns:{number}.example")),
            Op::AddDevice { device: device.public(), name: format!("laptop '{number}'"), proof },
            revoke("github:shared"),
            add("github:shared"),
            revoke(&format!("dns:{number}.example")),
            revoke(&device.public().identifier()),
        ];
        for op in ops.iter().take(1 + usize::from(number) % ops.len()) {
            chains.append(&mut chain, op, &key).await.unwrap();
        }
        grown.push(chain);
    }
    grown
}

async fn compare(mesh: &Mesh) -> anyhow::Result<Report> {
    reindex(&mesh.user("sigchain").await, &mesh.plan.sigchain_database_url, true).await
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_are_found_by_their_subject_with_their_events() {
    for database in databases() {
        let (mesh, _other) = mesh_on(&database).await;
        let (chains, web) = (Chains::of(&mesh).await, mesh.user("gateway").await);
        let keys: Vec<SecretKey> = (0..105).map(|_| SecretKey::from_seed(random::bytes())).collect();
        let mut primaries: Vec<String> = keys.iter().map(|key| key.public().identifier()).collect();
        primaries.sort();
        for key in &keys {
            chains.append(&mut Chain::new(key.public()), &add("github:x"), key).await.unwrap();
        }
        let first = until_claimed_by(&web, "github:x", &primaries[..100]).await;
        assert!(first.more);
        for claimant in &first.claimants {
            let event = kez_crypto::chain::parse_event(claimant.event.get().as_bytes()).unwrap();
            assert_eq!((event.primary.to_string(), event.op), (claimant.primary.clone(), add("github:x")));
        }
        let rest = claimants(&web, "github:x", Some(&primaries[99])).await.unwrap();
        assert!(!rest.more && rest.claimants.iter().map(|claimant| &claimant.primary).eq(&primaries[100..]));

        let mut chain = chains.read(keys[0].public()).await;
        chains.append(&mut chain, &revoke("github:x"), &keys[0]).await.unwrap();
        primaries.retain(|primary| *primary != keys[0].public().identifier());
        until_claimed_by(&web, "github:x", &primaries[..100]).await;
        assert!(claimants(&web, "github:nobody", None).await.unwrap().claimants.is_empty());
        assert_eq!(claimants(&web, "nonsense", None).await.unwrap_err().code, Code::Malformed);
    }
}

/// The first event of a chain, as long as an event may be: members that nobody knows are signed, too.
fn long_claim(subject: &str, key: &SecretKey) -> Vec<u8> {
    let event = Chain::new(key.public()).sign_next(&add(subject), now(), key);
    let mut payload = Signed::parse(&event, Tag::SigchainEvent).unwrap().payload;
    let name = "padding";
    let rest = MAX_EVENT - event.len() - format!(r#""{name}":"","#).len();
    payload.insert(name.to_owned(), "x".repeat(rest).into());
    let event = Signed::create(Tag::SigchainEvent, payload, key).to_json();
    assert_eq!(event.len(), MAX_EVENT);
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn long_events_of_others_hide_nobody_who_claims_the_same() {
    let database = Database::sqlite();
    let (mesh, _other) = mesh_on(&database).await;
    let (chains, web) = (Chains::of(&mesh).await, mesh.user("gateway").await);
    // More than one reply can carry.
    let keys: Vec<SecretKey> = (0..72).map(|_| SecretKey::from_seed(random::bytes())).collect();
    for key in &keys {
        chains.hand_in(&long_claim("github:x", key)).await.unwrap();
    }
    let mut primaries: Vec<String> = keys.iter().map(|key| key.public().identifier()).collect();
    primaries.sort();
    let first = until_claimed_by(&web, "github:x", &primaries[..32]).await;
    assert!(first.more);
    let (mut found, mut pages) = (Vec::new(), 0);
    loop {
        let page = claimants(&web, "github:x", found.last().map(String::as_str)).await.unwrap();
        found.extend(page.claimants.into_iter().map(|claimant| claimant.primary));
        pages += 1;
        if !page.more {
            break;
        }
    }
    assert!(found == primaries && pages == 3, "{} in {pages} pages", found.len());
    let alice = mesh.person("alice").await;
    let told = alice.client.claimants(&identifier("github:x"), None).await.unwrap();
    assert!(told.more && told.claimants.len() == 32, "across the wall, too");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_were_lost_are_the_same_when_they_are_filled_again() {
    for (database, fresh) in databases().into_iter().zip(databases()) {
        let (mut mesh, other) = mesh_on(&database).await;
        let chains = Chains::of(&mesh).await;
        let grown = grow(&chains, 20).await;
        let before = compare(&mesh).await.unwrap();
        let events: u64 = grown.iter().map(Chain::length).sum();
        let claims: usize = grown.iter().map(|chain| chain.claims().count()).sum();
        assert_eq!((before.chains, before.events, before.claims), (20, events, claims as u64));
        assert!(before.devices > 0);

        // The service starts on a database that has nothing in it.
        other.stop().await.unwrap();
        mesh.sigchain.take().unwrap().stop().await.unwrap();
        mesh.plan.sigchain_database_url = fresh.url.clone();
        mesh.sigchain = Some(mesh.another_sigchain().await);
        assert_eq!(compare(&mesh).await.unwrap(), before);

        // Somebody falsifies a row, and one is lost; the service goes on meanwhile.
        falsify(&fresh.url).await;
        let error = compare(&mesh).await.unwrap_err().to_string();
        assert!(error.contains("reindex"), "{error}");
        let web = mesh.user("sigchain").await;
        assert_eq!(reindex(&web, &fresh.url, false).await.unwrap(), before);
        assert_eq!(compare(&mesh).await.unwrap(), before);
    }
}

async fn falsify(url: &str) {
    let statements = [
        "UPDATE sigchain_claims SET subject = 'github:forged' WHERE subject = 'github:shared'",
        "DELETE FROM sigchain_devices",
    ];
    for statement in statements {
        if url.starts_with("sqlite") {
            SqliteConnection::connect(url).await.unwrap().execute(statement).await.unwrap();
        } else {
            PgConnection::connect(url).await.unwrap().execute(statement).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_down_events_are_appended_and_it_catches_up() {
    let Some(mut database) = Database::own_server() else { return };
    let (mesh, _other) = mesh_on(&database).await;
    let (chains, web) = (Chains::of(&mesh).await, mesh.user("gateway").await);
    let alice = SecretKey::from_seed(random::bytes());
    let me = [alice.public().identifier()];
    let mut chain = Chain::new(alice.public());
    chains.append(&mut chain, &add("github:alice"), &alice).await.unwrap();
    until_claimed_by(&web, "github:alice", &me).await;

    database.stop();
    for number in 0..10 {
        chains.append(&mut chain, &add(&format!("dns:{number}.example")), &alice).await.unwrap();
    }
    assert_eq!(chains.read(alice.public()).await, chain);
    assert_eq!(claimants(&web, "github:alice", None).await.unwrap_err().code, Code::Unavailable);

    // Also for a replica that starts without it.
    let late = mesh.another_sigchain().await;
    assert_eq!(chains.read(alice.public()).await, chain);
    database.start();
    until_claimed_by(&web, "dns:9.example", &me).await;
    late.stop().await.unwrap();
    assert_eq!(compare(&mesh).await.unwrap().claims, 11);
}
