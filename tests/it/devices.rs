//! Devices: let in while their owner's sigchain has them, disconnected at once when it has them no more.

use std::time::{Duration, Instant};

use async_nats::Subscriber;
use futures_util::future::{join, join_all};
use futures_util::{StreamExt, stream};
use kez_crypto::{Chain, PublicKey, SecretKey};
use kez_service::random;
use tests::chains::add;
use tests::guest::{Credentials, Guest};
use tests::{Cable, Mesh, Owner};
use tokio::sync::watch;
use tokio::time::timeout;

const A_SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_device_speaks_for_its_owner_until_it_is_revoked() {
    let mesh = Mesh::start().await;
    let (mut alice, [laptop, phone]) = Owner::enter(&mesh, "alice", ["laptop", "phone"]).await;
    let bob = mesh.person("bob").await;
    let (url, key) = (&mesh.plan.nats_url, alice.key());

    let client = mesh.connect_device(key, &laptop).await.unwrap();
    client.send("bob", "from the laptop").await.unwrap();
    assert_eq!(bob.texts().await, [(key, "from the laptop".to_owned())]);

    let mut lost = [
        alice.guest(&mesh.plan.nats_url, &laptop).await,
        alice.guest(&mesh.plan.nats_websocket_url, &laptop).await,
        alice.guest(&mesh.tunnel(), &laptop).await,
    ];
    let mut kept = [
        alice.guest(&mesh.plan.nats_url, &phone).await,
        Guest::person(&mesh, &alice.person).await,
        Guest::enter(url, key, Credentials::fresh_session(&alice.person.secret)).await.unwrap(),
        Guest::person(&mesh, &bob).await,
    ];

    let begun = Instant::now();
    alice.revoke(&laptop).await;
    let stored = begun.elapsed();
    join_all(lost.iter_mut().map(Guest::until_disconnected)).await;
    let gone = begun.elapsed();
    println!("a revocation was stored after {stored:?}, and the device was disconnected after {gone:?}");
    assert!(gone < A_SECOND, "{gone:?}");

    let begun = Instant::now();
    Guest::assert_refused(url, key, Credentials::on_device(key, &laptop), "revoked").await;
    println!("its next sign-in was refused after {:?}", begun.elapsed());
    // By now everything has been looked at a second and a third time.
    Guest::assert_refused(url, key, Credentials::on_device(key, &laptop), "revoked").await;
    for guest in &mut kept {
        assert_eq!(guest.refusals().await, [""; 0]);
    }
    drop(client);

    alice.add(&laptop, "laptop, found again").await;
    let mut again = alice.guest(&mesh.plan.nats_url, &laptop).await;
    assert_eq!(again.refusals().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_has_the_rights_of_its_owner_under_its_own_name() {
    let mesh = Mesh::start().await;
    let (alice, [laptop, phone]) = Owner::enter(&mesh, "alice", ["laptop", "phone"]).await;
    let (a, l, p) = (alice.key().to_hex(), laptop.public().to_hex(), phone.public().to_hex());
    let mut guest = alice.guest(&mesh.plan.nats_url, &laptop).await;
    guest.nats.publish(format!("kez.rpc.inbox.fetch.{a}.{l}"), "{}".into()).await.unwrap();
    let live = guest.nats.subscribe(format!("kez.live.{a}")).await.unwrap();
    assert_eq!(guest.refusals().await, [""; 0]);
    drop(live);
    for subject in [
        format!("kez.rpc.inbox.fetch.{a}.{a}"),
        format!("kez.rpc.inbox.fetch.{a}.{p}"),
        format!("kez.rpc.inbox.fetch.{l}.{l}"),
    ] {
        guest.nats.publish(subject.clone(), "{}".into()).await.unwrap();
        let refused = format!("nats: Permissions Violation for Publish to \"{subject}\"");
        assert_eq!(guest.refusals().await, [refused]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_let_in_as_a_device_that_is_none() {
    let mesh = Mesh::start().await;
    let (alice, [laptop, _]) = Owner::enter(&mesh, "alice", ["laptop", "phone"]).await;
    let (mallory, [hers]) = Owner::enter(&mesh, "mallory", ["laptop"]).await;
    let (key, unknown) = (alice.key(), SecretKey::from_seed(random::bytes()));
    let stranger = SecretKey::from_seed(random::bytes()).public();
    let tampered = |from: &SecretKey, to: PublicKey| {
        let mut credentials = Credentials::on_device(key, from);
        let token = credentials.token.unwrap();
        credentials.token = Some(token.replace(&from.public().to_hex(), &to.to_hex()));
        credentials
    };
    // All at once: a refusal takes as long as the broker waits for an answer.
    let forged = [
        ("a device of nobody", key, Credentials::on_device(key, &unknown)),
        ("a device of somebody else", key, Credentials::on_device(key, &hers)),
        ("somebody else as a device", key, Credentials::on_device(key, &mallory.person.secret)),
        ("my device for somebody else", mallory.key(), Credentials::on_device(mallory.key(), &laptop)),
        ("a device of a key without a sigchain", stranger, Credentials::on_device(stranger, &laptop)),
        ("another device's name", key, tampered(&unknown, laptop.public())),
        ("the owner's name", key, tampered(&unknown, key)),
    ];
    let url = &mesh.plan.nats_url;
    let refused =
        forged.map(|(what, person, credentials)| Guest::assert_refused(url, person, credentials, what));
    join_all(refused).await;
    alice.guest(&mesh.plan.nats_url, &laptop).await;
    mallory.guest(&mesh.plan.nats_url, &hers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_signing_in_while_it_is_revoked_is_out_soon_after() {
    let mesh = Mesh::start().await;
    let (mut alice, [laptop]) = Owner::enter(&mesh, "alice", ["laptop"]).await;
    let _other = mesh.another_auth_callout().await;
    let (url, key) = (mesh.plan.nats_url.clone(), alice.key());
    let entered = watch::Sender::new(0);
    let mut count = entered.subscribe();
    // Each comes in again and again until refused, so that the revocation meets sign-ins at every step.
    let comers = join_all((0..8).map(async |_| {
        let mut ends = Vec::new();
        while let Ok(mut guest) = Guest::enter(&url, key, Credentials::on_device(key, &laptop)).await {
            entered.send_modify(|count| *count += 1);
            ends.push(tokio::spawn(async move {
                guest.until_disconnected().await;
                Instant::now()
            }));
        }
        ends
    }));
    let revocation = async {
        count.wait_for(|count| *count >= 20).await.unwrap();
        alice.revoke(&laptop).await;
        Instant::now()
    };
    let (comers, revoked) = join(comers, revocation).await;
    let ends: Vec<Instant> =
        join_all(comers.into_iter().flatten()).await.into_iter().map(Result::unwrap).collect();
    let last = ends.iter().map(|end| end.saturating_duration_since(revoked)).max().unwrap();
    println!("{} were let in; the last was out {last:?} after the revocation", ends.len());
    assert!(last < 5 * A_SECOND);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_heard_is_found_out_by_whoever_comes_back() {
    let mut mesh = Mesh::start().await;
    let (mut alice, [laptop, tablet, watch, phone]) =
        Owner::enter(&mesh, "alice", ["laptop", "tablet", "watch", "phone"]).await;
    let mut kept =
        [alice.guest(&mesh.plan.nats_url, &phone).await, Guest::person(&mesh, &alice.person).await];

    // No callout was there.
    let mut guest = alice.guest(&mesh.plan.nats_url, &laptop).await;
    mesh.auth_callout.take().unwrap().stop().await.unwrap();
    alice.revoke(&laptop).await;
    assert_eq!(guest.refusals().await, [""; 0], "nobody could know");
    let cable = Cable::to(&mesh.plan.nats_url).await;
    let begun = Instant::now();
    let _callout = mesh.auth_callout_behind(&cable).await;
    guest.until_disconnected().await;
    println!("a callout that starts had it disconnected after {:?}", begun.elapsed());

    // It was there, and not connected.
    let mut guest = alice.guest(&mesh.plan.nats_url, &tablet).await;
    cable.pull();
    alice.revoke(&tablet).await;
    assert_eq!(guest.refusals().await, [""; 0], "nobody could know");
    let begun = Instant::now();
    cable.plug();
    guest.until_disconnected().await;
    println!("a callout that was cut off had it disconnected after {:?}", begun.elapsed());

    // It was connected, and the event was lost on its way: the next one, whosever it is, shows that.
    // Until then, all looks that there was reason for are over, lest one of them find it.
    mesh.push.take().unwrap().stop().await.unwrap();
    let mut sys = Guest::user(&mesh, "sys").await;
    let mut looks = sys.nats.subscribe("$SYS.REQ.ACCOUNT.EDGE.CONNZ").await.unwrap();
    assert_eq!(sys.refusals().await, [""; 0], "may listen there");
    let stranger = SecretKey::from_seed(random::bytes());
    let mut chain = Chain::new(stranger.public());
    alice.chains.append(&mut chain, &add("github:stranger"), &stranger).await.unwrap();
    until_last_look(&mut looks).await;
    let mut guest = alice.guest(&mesh.plan.nats_url, &watch).await;
    cable.lose_live();
    alice.revoke(&watch).await;
    cable.lose_no_more_after(1).await;
    assert_eq!(guest.refusals().await, [""; 0], "nobody could know");
    let begun = Instant::now();
    alice.chains.append(&mut chain, &add("github:another"), &stranger).await.unwrap();
    guest.until_disconnected().await;
    println!("a callout that had missed an event had it disconnected after {:?}", begun.elapsed());

    for guest in &mut kept {
        assert_eq!(guest.refusals().await, [""; 0]);
    }
}

/// Waits until the callout has asked for the last time who is connected: three seconds after the time before, since nothing
/// has happened in between. After a longer silence, that has been missed.
async fn until_last_look(looks: &mut Subscriber) {
    let mut last: Option<Instant> = None;
    while timeout(10 * A_SECOND, looks.next()).await.is_ok() {
        if last.replace(Instant::now()).is_some_and(|last| last.elapsed() > 3 * A_SECOND / 2) {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_sigchains_no_device_can_be_decided_on_and_nobody_is_put_out() {
    let mut mesh = Mesh::start().await;
    let (alice, [laptop, phone]) = Owner::enter(&mesh, "alice", ["laptop", "phone"]).await;
    let (url, key) = (mesh.plan.nats_url.clone(), alice.key());
    let mut there = alice.guest(&mesh.plan.nats_url, &phone).await;
    mesh.sigchain.take().unwrap().stop().await.unwrap();

    Guest::assert_refused(&url, key, Credentials::on_device(key, &laptop), "while it cannot be decided on")
        .await;
    Guest::person(&mesh, &alice.person).await;
    Guest::enter(&url, key, Credentials::fresh_session(&alice.person.secret)).await.expect("the owner is");
    // A callout that starts looks at everybody, and can learn nothing of the phone.
    let _other = mesh.another_auth_callout().await;
    Guest::assert_refused(&url, key, Credentials::on_device(key, &laptop), "while it cannot be decided on")
        .await;
    assert_eq!(there.refusals().await, [""; 0]);

    mesh.sigchain = Some(mesh.another_sigchain().await);
    alice.guest(&mesh.plan.nats_url, &laptop).await;
    assert_eq!(there.refusals().await, [""; 0]);
}

/// More connections than the broker lists at once.
const MANY: usize = 1100;

async fn many_guests(mesh: &Mesh, alice: &Owner, device: &SecretKey) -> Vec<Guest> {
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let guests = (0..MANY).map(|_| alice.guest(&mesh.plan.nats_url, device));
    stream::iter(guests).buffer_unordered(16).collect().await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_connections_none_is_overlooked() {
    let mesh = Mesh::start().await;
    let (mut alice, [laptop, phone]) = Owner::enter(&mesh, "alice", ["laptop", "phone"]).await;
    let mut lost = many_guests(&mesh, &alice, &laptop).await;
    let mut kept = alice.guest(&mesh.plan.nats_url, &phone).await;
    let begun = Instant::now();
    alice.revoke(&laptop).await;
    join_all(lost.iter_mut().map(Guest::until_disconnected)).await;
    println!("{MANY} connections of a device were gone {:?} after its revocation", begun.elapsed());
    assert_eq!(kept.refusals().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_are_found_out_later_none_is_overlooked() {
    let mut mesh = Mesh::start().await;
    let (mut alice, [laptop, phone]) = Owner::enter(&mesh, "alice", ["laptop", "phone"]).await;
    let mut kept =
        [alice.guest(&mesh.plan.nats_url, &phone).await, Guest::person(&mesh, &alice.person).await];
    let mut lost = many_guests(&mesh, &alice, &laptop).await;
    mesh.auth_callout.take().unwrap().stop().await.unwrap();
    alice.revoke(&laptop).await;
    let begun = Instant::now();
    mesh.auth_callout = Some(mesh.another_auth_callout().await);
    join_all(lost.iter_mut().map(Guest::until_disconnected)).await;
    println!("a callout that starts had {MANY} connections gone after {:?}", begun.elapsed());
    for guest in &mut kept {
        assert_eq!(guest.refusals().await, [""; 0]);
    }
}
