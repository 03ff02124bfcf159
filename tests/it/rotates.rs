//! Somebody moves to another key: the handle follows, and the key that it leaves can do nothing any more.

use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use kez::mail::document;
use kez_contract::Code;
use kez_contract::event::{REGISTRY_FEED, RegistryFact};
use kez_contract::registry::{BY_PRIMARY, ByPrimary, PUT_PROFILE, PUT_PROOFS, PutProfile, PutProofs, Record};
use kez_crypto::{Chain, Profile, SecretKey, request_auth};
use kez_service::random;
use serde_json::Value;
use tests::chains::{now, rotate};
use tests::guest::{Credentials, Guest};
use tests::{Mesh, Owner, Person, Tap};

fn somebody() -> SecretKey {
    SecretKey::from_seed(random::bytes())
}

/// Somebody with this key, who is connected and registers the handle.
async fn register(mesh: &Mesh, secret: &SecretKey, handle: &str) -> Person {
    let client = mesh.connect(secret).await.unwrap();
    assert!(client.register(handle).await.unwrap().created);
    Person { secret: secret.clone(), client, handle: handle.to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_handle_follows_its_owner_and_the_old_key_is_refused_everywhere() {
    let mesh = Mesh::start().await;
    let (mut alice, [laptop]) = Owner::enter(&mesh, "alice", ["laptop"]).await;
    let bob = mesh.person("bob").await;
    let (url, old, next) = (&mesh.plan.nats_url, alice.key(), somebody());

    alice.rotate(&next).await;
    // Nothing moves before the successor asks for it, and nobody else may.
    let mallory = mesh.stranger().await;
    assert_eq!(mallory.client.register("alice").await.unwrap_err().code, Code::HandleTaken);
    let mut lost = [
        Guest::person(&mesh, &alice.person).await,
        Guest::enter(url, old, Credentials::fresh_session(&alice.person.secret)).await.unwrap(),
        alice.guest(url, &laptop).await,
    ];
    let mut kept = Guest::person(&mesh, &bob).await;
    let mut feed = Tap::on(Guest::person(&mesh, &bob).await, &[REGISTRY_FEED.pattern()]).await;

    let begun = Instant::now();
    let successor = register(&mesh, &next, "alice").await;
    let moved = begun.elapsed();
    join_all(lost.iter_mut().map(Guest::until_disconnected)).await;
    let gone = begun.elapsed();
    println!("the handle had moved after {moved:?}, and the old key was disconnected after {gone:?}");
    assert!(gone - moved < Duration::from_secs(1), "{gone:?}");

    let record = bob.client.lookup("alice").await.unwrap();
    assert_eq!((record.primary.as_str(), record.proofs.len()), (next.public().identifier().as_str(), 0));
    let heard = feed.heard().await;
    let facts = heard.iter().map(|fact| {
        (REGISTRY_FEED.owner(&fact.subject).unwrap(), serde_json::from_slice(&fact.payload).unwrap())
    });
    let facts: Vec<(&str, RegistryFact)> = facts.collect();
    let [
        (of_old, RegistryFact::Rotated { record: moved, envelope }),
        (of_next, RegistryFact::Registered { record: new, .. }),
    ] = &facts[..]
    else {
        panic!("{facts:?}")
    };
    assert_eq!((*of_old, *of_next), (old.to_hex().as_str(), next.public().to_hex().as_str()));
    assert_eq!((moved, new), (&record, &record));
    assert!(envelope.get().contains(&next.public().identifier()), "the successor has signed it");

    let refused = [
        ("the old key", Credentials::plain(&alice.person.secret)),
        ("a session of the old key", Credentials::fresh_session(&alice.person.secret)),
        ("a device of the old key", Credentials::on_device(old, &laptop)),
    ];
    join_all(refused.map(|(what, credentials)| Guest::assert_refused(url, old, credentials, what))).await;
    old_key_over_http(&mesh, &alice.person).await;
    let by_key = ByPrimary { primary: old.identifier() };
    assert_eq!(bob.client.call(&BY_PRIMARY, &by_key).await.unwrap_err().code, Code::KeyRotated);

    bob.client.send("alice", "is it still you?").await.unwrap();
    successor.client.reconnect().await.unwrap();
    assert_eq!(successor.texts().await, [(bob.key(), "is it still you?".to_owned())]);
    assert_eq!(kept.refusals().await, [""; 0]);
    // Asking again is answered with what stands.
    let again = successor.client.register("alice").await.unwrap();
    assert_eq!((again.created, again.record), (false, record));
}

/// What the old key can ask over HTTP, with its signature or about itself.
async fn old_key_over_http(mesh: &Mesh, old: &Person) {
    let web = mesh.web();
    let auth = old.auth(&request_auth::inbox(&old.name(), 0));
    web.get_signed("/v1/inbox/alice", &auth).await.refused(401, "bad_signature");
    let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for (path, text) in [
        ("/v1/profile/alice", request_auth::profile(&old.name(), hash)),
        ("/v1/profile/alice/proofs", request_auth::proofs(&old.name(), hash)),
    ] {
        web.put_signed(path, &old.auth(&text), "").await.refused(401, "bad_signature");
    }
    web.get(&format!("/v1/by-primary/{}", old.key())).await.refused(409, "key_rotated");
    web.get("/v1/profile/alice").await.refused(404, "not_found");
    for handle in ["alice", "another"] {
        let refused = mesh.http_client(&old.secret).register(handle).await.unwrap_err();
        assert_eq!(refused.code, Code::KeyRotated, "{handle}");
    }
    // Nobody has got into the way of that handle.
    web.get("/v1/u/another").await.refused(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_of_the_old_key_does_not_move() {
    let mesh = Mesh::start().await;
    let (mut alice, []) = Owner::enter(&mesh, "alice", []).await;
    let web = mesh.web();
    let profile = Profile::create(Some("Alice"), None, None, now(), &alice.person.secret).unwrap();
    let put = PutProfile { envelope: document(profile).unwrap() };
    alice.person.client.call(&PUT_PROFILE, &put).await.unwrap();
    let proofs = PutProofs { subjects: vec!["github:alice".to_owned()] };
    alice.person.client.call(&PUT_PROOFS, &proofs).await.unwrap();
    web.get("/v1/profile/alice").await.read::<Value>(200);
    let next = somebody();
    alice.rotate(&next).await;
    register(&mesh, &next, "alice").await;
    web.get("/v1/profile/alice").await.refused(404, "not_found");
    let record: Record = web.get("/v1/u/alice").await.read(200);
    assert_eq!((record.primary, record.proofs), (next.public().identifier(), Vec::<String>::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_replica_knows_of_a_move_at_once() {
    let mesh = Mesh::start().await;
    let (_registry, _callout) = (mesh.another_registry().await, mesh.another_auth_callout().await);
    let (mut alice, []) = Owner::enter(&mesh, "alice", []).await;
    let bob = mesh.person("bob").await;
    let (url, old, next) = (&mesh.plan.nats_url, alice.key(), somebody());
    // Every replica has answered about her, and remembers it.
    let asked = (0..20).map(async |_| {
        bob.client.lookup("alice").await.unwrap();
        bob.client.by_primary(&old).await.unwrap();
        Guest::person(&mesh, &alice.person).await
    });
    let mut lost = join_all(asked).await;
    alice.rotate(&next).await;
    register(&mesh, &next, "alice").await;
    join_all(lost.iter_mut().map(Guest::until_disconnected)).await;

    let answers = join_all((0..20).map(async |_| {
        assert_eq!(bob.client.by_primary(&old).await.unwrap_err().code, Code::KeyRotated);
        let key = &alice.person.secret;
        Guest::assert_refused(url, old, Credentials::plain(key), "the old key").await;
        bob.client.lookup("alice").await.unwrap().primary
    }));
    assert_eq!(answers.await, vec![next.public().identifier(); 20]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_moves_on_and_never_back() {
    let mesh = Mesh::start().await;
    let (mut first, []) = Owner::enter(&mesh, "alice", []).await;
    let (second, third) = (somebody(), somebody());
    first.rotate(&second).await;
    let person = register(&mesh, &second, "alice").await;
    // The first key is named by the second, and stays refused.
    let mut chain = Chain::new(second.public());
    let back = rotate(second.public(), &first.person.secret);
    let chains = &first.chains;
    chains.append(&mut chain, &back, &second).await.unwrap();
    let refused = mesh.http_client(&first.person.secret).register("alice").await.unwrap_err();
    assert_eq!(refused.code, Code::KeyRotated);
    // Who was not named stays out, whatever their own chain says.
    let refused = mesh.http_client(&third).register("alice").await.unwrap_err();
    assert_eq!(refused.code, Code::HandleTaken);
    assert_eq!(person.client.lookup("alice").await.unwrap().primary, second.public().identifier());
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_races_the_handle_moves_once_and_the_old_key_gets_no_other() {
    move_races(Mesh::start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_on_postgres() {
    let Some(mesh) = Mesh::on_postgres().await else { return };
    move_races(mesh).await;
}

async fn move_races(mesh: Mesh) {
    let _replica = mesh.another_registry().await;
    for round in 0..5 {
        let handle = format!("alice{round}");
        let (mut alice, []) = Owner::enter(&mesh, &handle, []).await;
        let next = somebody();
        alice.rotate(&next).await;
        let (old, new) = (mesh.http_client(&alice.person.secret), mesh.http_client(&next));
        let moves = join_all((0..8).map(|_| new.register(&handle)));
        let others: Vec<String> = (0..8).map(|other| format!("other{round}-{other}")).collect();
        let (moved, refused) = join(moves, join_all(others.iter().map(|other| old.register(other)))).await;
        let created = moved.iter().filter(|registered| registered.as_ref().unwrap().created).count();
        assert_eq!(created, 1, "{moved:?}");
        for refused in refused {
            let code = refused.unwrap_err().code;
            assert!(matches!(code, Code::PrimaryTaken | Code::KeyRotated), "{code:?}");
        }
        for other in &others {
            mesh.web().get(&format!("/v1/u/{other}")).await.refused(404, "not_found");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_sigchains_no_handle_moves_and_free_ones_are_given() {
    let mut mesh = Mesh::start().await;
    let (mut alice, []) = Owner::enter(&mesh, "alice", []).await;
    let next = somebody();
    alice.rotate(&next).await;
    mesh.sigchain.take().unwrap().stop().await.unwrap();
    let http = mesh.http_client(&next);
    assert_eq!(http.register("alice").await.unwrap_err().code, Code::Unavailable);
    let other = mesh.http_client(&somebody());
    assert!(other.register("carol").await.unwrap().created);
    mesh.sigchain = Some(mesh.another_sigchain().await);
    assert!(http.register("alice").await.unwrap().created);
}
