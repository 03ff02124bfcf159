//! The registry's promises rest on its database: the same stories on SQLite and on PostgreSQL.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use futures_util::future::{join_all, try_join_all};
use kez_contract::Code;
use kez_contract::registry::{
    ByHandle, ByPrimary, RESOLVE, Register, Resolve, WEB_BY_PRIMARY, WEB_LOOKUP, WEB_REGISTER,
};
use kez_crypto::{Handle, PublicKey, Registration, SecretKey, Timestamp};
use kez_service::{Fault, ask, random};
use registry::{Person, Store};
use serde_json::value::RawValue;
use sqlx::{Connection, Executor, SqliteConnection};
use tests::Mesh;
use tests::database::Database;
use tests::mesh::SERVER;

/// The databases that are here: SQLite always, PostgreSQL where it is installed.
fn databases() -> Vec<Database> {
    [Some(Database::sqlite()), Database::postgres()].into_iter().flatten().collect()
}

fn key(number: u8) -> PublicKey {
    SecretKey::from_seed([number; 32]).public()
}

fn person(handle: &str, primary: PublicKey) -> Person {
    Person {
        handle: handle.to_owned(),
        primary,
        registered_at: Timestamp::from_unix(1_800_000_000),
        proofs: vec![],
    }
}

/// A registration is kept word by word; what it says is not the store's business.
const REGISTRATION: &str = r#"{"kez":"handle_registration"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn four_replicas_start_at_once_on_one_database() {
    // Of SQLite many, since what races there is over in a millisecond.
    for database in (0..20).map(|_| Database::sqlite()).chain(Database::postgres()) {
        let stores = try_join_all((0..4).map(|_| {
            let url = database.url.clone();
            async move { tokio::spawn(async move { Store::open(&url).await }).await.unwrap() }
        }))
        .await
        .unwrap();
        let alice = person("alice", key(1));
        assert!(stores[0].add_person(&alice, REGISTRATION).await.unwrap());
        for store in &stores {
            assert_eq!(store.person_by_handle("alice").await.unwrap(), Some(alice.clone()));
            assert_eq!(store.person_by_primary(&key(1)).await.unwrap(), Some(alice.clone()));
            assert_eq!(store.person_by_handle("bob").await.unwrap(), None);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_who_race_for_a_handle_one_wins() {
    for database in databases() {
        let stores = [Store::open(&database.url).await.unwrap(), Store::open(&database.url).await.unwrap()];
        let racers = (0..50).map(|number| {
            let store = stores[number % 2].clone();
            let racer = person("alice", key(u8::try_from(number).unwrap()));
            tokio::spawn(
                async move { store.add_person(&racer, REGISTRATION).await.unwrap().then_some(racer) },
            )
        });
        let winners: Vec<Person> = join_all(racers).await.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(winners.len(), 1);
        assert_eq!(stores[0].person_by_handle("alice").await.unwrap().as_ref(), winners.first());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_handles_for_one_key_one_wins() {
    for database in databases() {
        let stores = [Store::open(&database.url).await.unwrap(), Store::open(&database.url).await.unwrap()];
        for round in 0..20 {
            let racers = ["alice", "bob"].into_iter().zip(&stores).map(|(name, store)| {
                let racer = person(&format!("{name}{round}"), key(round));
                async move { store.add_person(&racer, REGISTRATION).await.unwrap().then_some(racer.handle) }
            });
            let winners: BTreeSet<String> = join_all(racers).await.into_iter().flatten().collect();
            assert_eq!(winners.len(), 1);
            let stands = stores[0].person_by_primary(&key(round)).await.unwrap().unwrap();
            assert!(winners.contains(&stands.handle));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_profiles_the_latest_stays() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        store.add_person(&person("alice", key(1)), REGISTRATION).await.unwrap();
        assert_eq!(store.profile(&key(1)).await.unwrap(), None);
        let puts = (1..=30).rev().map(|second| {
            let store = store.clone();
            tokio::spawn(async move {
                store.put_profile(&key(1), Timestamp::from_unix(second), &second.to_string()).await.unwrap()
            })
        });
        let stored = join_all(puts).await.into_iter().filter(|put| *put.as_ref().unwrap()).count();
        assert!(stored >= 1);
        assert_eq!(store.profile(&key(1)).await.unwrap().as_deref(), Some("30"));
        for second in [29, 30] {
            assert!(!store.put_profile(&key(1), Timestamp::from_unix(second), "late").await.unwrap());
        }
        assert!(store.put_profile(&key(1), Timestamp::from_unix(31), "31").await.unwrap());
        assert_eq!(store.profile(&key(1)).await.unwrap().as_deref(), Some("31"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_are_replaced_unless_later_ones_were_signed() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        store.add_person(&person("alice", key(1)), REGISTRATION).await.unwrap();
        let set = async |subject: &str, at, guarded: bool| {
            let at = Timestamp::from_unix(at);
            store.set_proofs(&key(1), &[subject.to_owned()], at, guarded.then_some(at)).await.unwrap()
        };
        assert!(set("github:a", 100, true).await);
        assert!(!set("github:b", 99, true).await, "a replay");
        assert!(set("github:c", 100, true).await);
        assert!(set("github:d", 50, false).await, "the broker proves who calls now");
        let proofs = store.person_by_handle("alice").await.unwrap().unwrap().proofs;
        assert_eq!(proofs, ["github:d"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_finds_everybody_again() {
    for database in databases() {
        let alice = person("alice", key(1));
        let before = Store::open(&database.url).await.unwrap();
        before.add_person(&alice, REGISTRATION).await.unwrap();
        drop(before);
        let after = Store::open(&database.url).await.unwrap();
        assert_eq!(after.person_by_handle("alice").await.unwrap(), Some(alice));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_file_is_its_owners_alone() {
    let database = Database::sqlite();
    let store = Store::open(&database.url).await.unwrap();
    store.add_person(&person("alice", key(1)), REGISTRATION).await.unwrap();
    let path = database.url.trim_start_matches("sqlite://").trim_end_matches("?mode=rwc");
    for file in [path.to_owned(), format!("{path}-wal"), format!("{path}-shm")] {
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_stops_or_hangs_is_unavailable_until_it_is_back() {
    let Some(mut database) = Database::own_server() else { return };
    let store = Store::open(&database.url).await.unwrap();
    let alice = person("alice", key(1));
    store.add_person(&alice, REGISTRATION).await.unwrap();

    database.stop();
    unavailable(store.person_by_handle("alice").await);
    unavailable(store.add_person(&person("bob", key(2)), REGISTRATION).await);
    database.start();
    until_found(&store, &alice).await;

    database.freeze();
    unavailable(store.person_by_handle("alice").await);
    unavailable(store.put_profile(&key(1), Timestamp::from_unix(1), "{}").await);
    database.thaw();
    until_found(&store, &alice).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_file_that_somebody_locks_is_unavailable_to_writers_alone() {
    let database = Database::sqlite();
    let store = Store::open(&database.url).await.unwrap();
    let (alice, bob) = (person("alice", key(1)), person("bob", key(2)));
    store.add_person(&alice, REGISTRATION).await.unwrap();

    let mut other = SqliteConnection::connect(&database.url).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    unavailable(store.add_person(&bob, REGISTRATION).await);
    assert_eq!(store.person_by_handle("alice").await.unwrap(), Some(alice));
    other.execute("ROLLBACK").await.unwrap();
    assert!(store.add_person(&bob, REGISTRATION).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_people_are_found_in_memory() {
    let Some(mut database) = Database::own_server() else { return };
    let mut mesh = Mesh::broker().await;
    mesh.plan.database_url = database.url.clone();
    let _registry = mesh.another_registry().await;
    let (web, inbox) = (mesh.user("gateway").await, mesh.user("inbox").await);
    let alice = SecretKey::from_seed(random::bytes());
    let register = async |handle: &str, key: &SecretKey| {
        let (handle, now) = (Handle::parse(handle).unwrap(), Timestamp::from_unix(mesh.clock.now()));
        let envelope = String::from_utf8(Registration::create(&handle, SERVER, now, key)).unwrap();
        ask(&web, WEB_REGISTER, &Register { envelope: RawValue::from_string(envelope).unwrap() }).await
    };
    let look_up = async |handle: &str| ask(&web, WEB_LOOKUP, &ByHandle { handle: handle.to_owned() }).await;
    let record = register("alice", &alice).await.unwrap().record;

    database.stop();
    assert_eq!(look_up("alice").await.unwrap(), record);
    let by_primary = ByPrimary { primary: alice.public().identifier() };
    assert_eq!(ask(&web, WEB_BY_PRIMARY, &by_primary).await.unwrap(), record);
    // Long after what was read counts as fresh.
    mesh.clock.advance(3600);
    let resolve = Resolve { who: "alice".to_owned() };
    assert_eq!(ask(&inbox, RESOLVE, &resolve).await.unwrap().primary, alice.public().to_hex());
    let bob = SecretKey::from_seed(random::bytes());
    for refused in [register("bob", &bob).await.err(), look_up("bob").await.err()] {
        assert_eq!(
            refused.map(|problem| (problem.code, problem.retry_after)),
            Some((Code::Unavailable, Some(1)))
        );
    }

    database.start();
    let deadline = Instant::now() + Duration::from_secs(20);
    while let Err(problem) = register("bob", &bob).await {
        assert!(Instant::now() < deadline, "{problem}");
    }
    assert_eq!(look_up("bob").await.unwrap().primary, bob.public().identifier());
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_named_by_its_variable() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing").join("registry.db");
    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, "this is no database, whatever its name says".repeat(100)).unwrap();
    for url in [
        "mysql://kez:s3cret@localhost/kez".to_owned(),
        "postgres://kez:s3cret@127.0.0.1:1/kez".to_owned(),
        "postgres://kez:s3cret@127.0.0.1:notaport/kez".to_owned(),
        "sqlite::memory:".to_owned(),
        format!("sqlite://{}?mode=rwc", missing.display()),
        format!("sqlite://{}", folder.path().join("absent.db").display()),
        format!("sqlite://{}?mode=rwc", garbage.display()),
        format!("sqlite://{}?mode=nonsense", garbage.display()),
    ] {
        let Err(error) = Store::open(&url).await else { panic!("{url} was opened") };
        let shown = format!("{error:#} {error:?}");
        assert!(shown.contains("DATABASE_URL") && !shown.contains("s3cret"), "{url}: {shown}");
    }
}

/// Asks until the database, which is back, answers.
async fn until_found(store: &Store, person: &Person) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match store.person_by_handle(&person.handle).await {
            Ok(found) => return assert_eq!(found.as_ref(), Some(person)),
            Err(fault) => assert!(Instant::now() < deadline, "{fault:?}"),
        }
    }
}

fn unavailable<T>(result: Result<T, Fault>) {
    let problem = result.err().expect("nothing answers").into_problem();
    assert_eq!((problem.code, problem.retry_after), (Code::Unavailable, Some(1)), "{problem}");
}
