//! A mailbox: full, it hurts its owner alone; read by every device, it is emptied, and never a message too early.

use futures_util::future::join_all;
use kez::client::Client;
use kez_contract::inbox::{Acked, FETCH, Fetch};
use kez_contract::{Code, Problem};
use kez_crypto::{PublicKey, SecretKey};
use kez_service::random;
use serde_json::json;
use tests::{Mesh, Owner, Person};

/// The sequences of what lies in a mailbox.
async fn holds(person: &Person) -> Vec<u64> {
    let page = person.client.call(&FETCH, &Fetch { since: 0, limit: 500 }).await.unwrap();
    page.messages.iter().map(|message| message.seq).collect()
}

async fn send(client: &Client, to: &PublicKey, text: &str) -> Result<u64, Problem> {
    let (_, sealed) = client.seal(to, text)?;
    Ok(client.deliver(to, &sealed).await?.seq)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_mailbox_hurts_its_owner_alone() {
    let mesh = Mesh::with(&[("inbox", "--mailbox-messages=3"), ("gateway", "--sends-per-minute=1000")]).await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let http = mesh.http_client(&alice.secret);
    let mut others = Vec::new();
    for n in 0..20 {
        let other = SecretKey::from_seed(random::bytes());
        mesh.http_client(&other).register(&format!("other-{n}")).await.unwrap();
        others.push(other.public());
    }
    let mut filled = Vec::new();
    for text in ["one", "two", "three"] {
        filled.push(alice.send(&bob, text).await);
    }

    // In one instant, so that they share batches: sends to the full mailbox, and three to each of the others.
    let to_bob = (0..10).map(async |n| match n % 2 {
        0 => send(&alice.client, &bob.key(), "over NATS").await,
        _ => http.send("bob", "over HTTP").await.map(|delivered| delivered.sent.seq),
    });
    let to_others = (0..3).flat_map(|_| &others).map(|other| send(&alice.client, other, "hello"));
    let (to_bob, to_others) = tokio::join!(join_all(to_bob), join_all(to_others));

    for refused in to_bob {
        assert_eq!(refused.unwrap_err().code, Code::MailboxFull);
    }
    let mut places: Vec<u64> = to_others.into_iter().map(Result::unwrap).collect();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), 60, "each is stored at a place of its own");
    assert_eq!(holds(&bob).await, filled);
    let (_, sealed) = alice.client.seal(&bob.key(), "word for word").unwrap();
    let body = json!({ "to": "bob", "envelope": serde_json::from_slice::<serde_json::Value>(&sealed.canonical()).unwrap() });
    mesh.web().post("/v1/messages", body.to_string()).await.refused(507, "mailbox_full");

    // One is read: there is place for one.
    bob.client.ack(filled[0]).await.unwrap();
    let fourth = send(&alice.client, &bob.key(), "four").await.unwrap();
    assert_eq!(send(&alice.client, &bob.key(), "five").await.unwrap_err().code, Code::MailboxFull);
    assert_eq!(holds(&bob).await, [filled[1], filled[2], fourth]);
}

#[tokio::test]
async fn a_sender_who_retries_finds_the_message_also_in_a_full_mailbox() {
    let mut mesh = Mesh::with(&[("inbox", "--mailbox-messages=1")]).await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let (_, sealed) = alice.client.seal(&bob.key(), "the only one").unwrap();
    let sent = alice.client.deliver(&bob.key(), &sealed).await.unwrap();
    assert_eq!(send(&alice.client, &bob.key(), "another").await.unwrap_err().code, Code::MailboxFull);
    assert_eq!(alice.client.deliver(&bob.key(), &sealed).await.as_ref(), Ok(&sent));
    renew_inbox(&mut mesh).await;
    assert_eq!(alice.client.deliver(&bob.key(), &sealed).await.as_ref(), Ok(&sent));
    assert_eq!(send(&alice.client, &bob.key(), "another").await.unwrap_err().code, Code::MailboxFull);
    assert_eq!(alice.client.deliver(&bob.key(), &sealed).await, Ok(sent));
}

#[tokio::test]
async fn what_is_acknowledged_is_gone_and_a_cursor_never_goes_back() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let mut seqs = Vec::new();
    for n in 0..5 {
        seqs.push(alice.send(&bob, &format!("message {n}")).await);
    }
    // Somebody else's mail stands in between, and stays.
    let alices = bob.send(&alice, "to alice").await;

    assert_eq!(bob.client.ack(0).await, Ok(Acked { cursor: 0, purged: 0 }));
    assert_eq!(holds(&bob).await, seqs);
    assert_eq!(bob.client.ack(seqs[1]).await, Ok(Acked { cursor: seqs[1], purged: seqs[1] }));
    assert_eq!(holds(&bob).await, seqs[2..]);
    for earlier in [0, seqs[0], seqs[1]] {
        assert_eq!(bob.client.ack(earlier).await, Ok(Acked { cursor: seqs[1], purged: seqs[1] }));
    }
    assert_eq!(holds(&bob).await, seqs[2..]);

    // Beyond the newest there is nothing to have: what comes next is not swallowed.
    assert_eq!(bob.client.ack(u64::MAX).await, Ok(Acked { cursor: seqs[4], purged: seqs[4] }));
    assert!(holds(&bob).await.is_empty());
    assert_eq!(bob.client.ack(u64::MAX).await.unwrap().cursor, seqs[4]);
    let next = alice.send(&bob, "next").await;
    assert_eq!(holds(&bob).await, [next]);
    assert_eq!(holds(&alice).await, [alices]);
}

#[tokio::test]
async fn nothing_goes_before_every_device_has_it() {
    let mesh = Mesh::start().await;
    let alice = mesh.person("alice").await;
    let (bob, [phone]) = Owner::enter(&mesh, "bob", ["phone"]).await;
    let phone = mesh.connect_device(bob.key(), &phone).await.unwrap();
    let bob = bob.person;
    let mut seqs = Vec::new();
    for n in 0..4 {
        seqs.push(alice.send(&bob, &format!("message {n}")).await);
    }

    assert_eq!(phone.ack(0).await, Ok(Acked { cursor: 0, purged: 0 }));
    assert_eq!(bob.client.ack(seqs[3]).await, Ok(Acked { cursor: seqs[3], purged: 0 }));
    assert_eq!(holds(&bob).await, seqs);
    assert_eq!(phone.ack(seqs[1]).await, Ok(Acked { cursor: seqs[1], purged: seqs[1] }));
    assert_eq!(holds(&bob).await, seqs[2..]);
    assert_eq!(bob.client.ack(seqs[3]).await, Ok(Acked { cursor: seqs[3], purged: seqs[1] }));
    assert_eq!(phone.ack(seqs[3]).await, Ok(Acked { cursor: seqs[3], purged: seqs[3] }));
    assert!(holds(&bob).await.is_empty());
}

#[tokio::test]
async fn whoever_registered_and_reads_on_devices_alone_has_mail_removed() {
    let mesh = Mesh::start().await;
    let alice = mesh.person("alice").await;
    let (bob, [laptop]) = Owner::enter(&mesh, "bob", ["laptop"]).await;
    let laptop = mesh.connect_device(bob.key(), &laptop).await.unwrap();
    let seq = alice.send(&bob.person, "hello").await;
    assert_eq!(laptop.fetch(0, 1).await.unwrap().messages.len(), 1);
    assert_eq!(laptop.ack(seq).await, Ok(Acked { cursor: seq, purged: seq }));
}

#[tokio::test]
async fn a_device_that_is_lost_holds_mail_back_until_it_is_revoked() {
    let mut mesh = Mesh::with(&[("inbox", "--mailbox-messages=2")]).await;
    let alice = mesh.person("alice").await;
    let (mut bob, devices) = Owner::enter(&mesh, "bob", ["laptop", "lost", "also lost"]).await;
    let (key, mut clients) = (bob.key(), Vec::new());
    for device in &devices {
        clients.push(mesh.connect_device(key, device).await.unwrap());
    }
    let mut seqs = vec![alice.send(&bob.person, "one").await, alice.send(&bob.person, "two").await];
    for client in &clients {
        assert_eq!(client.fetch(0, 2).await.unwrap().messages.len(), 2);
    }
    let laptop = &clients[0];
    let kept = |seqs: &[u64]| Ok(Acked { cursor: seqs[1], purged: 0 });
    assert_eq!(laptop.ack(seqs[1]).await, kept(&seqs));
    assert_eq!(send(&alice.client, &key, "no room").await.unwrap_err().code, Code::MailboxFull);

    // One of two that are lost is not enough, and while nobody can be asked neither is both. Nor does a replica ask all the time:
    // each of these is another one.
    bob.revoke(&devices[1]).await;
    renew_inbox(&mut mesh).await;
    assert_eq!(laptop.ack(seqs[1]).await, kept(&seqs));
    bob.revoke(&devices[2]).await;
    mesh.sigchain.take().unwrap().stop().await.unwrap();
    renew_inbox(&mut mesh).await;
    assert_eq!(laptop.ack(seqs[1]).await, kept(&seqs));
    mesh.sigchain = Some(mesh.another_sigchain().await);
    renew_inbox(&mut mesh).await;
    assert_eq!(laptop.ack(seqs[1]).await, Ok(Acked { cursor: seqs[1], purged: seqs[1] }));
    seqs = vec![
        send(&alice.client, &key, "three").await.unwrap(),
        send(&alice.client, &key, "four").await.unwrap(),
    ];

    // Who is added again has what comes from then on, and the identity's own key cannot be lost in this way.
    bob.add(&devices[1], "found again").await;
    assert_eq!(laptop.ack(seqs[1]).await, kept(&seqs));
    let found = mesh.connect_device(key, &devices[1]).await.unwrap();
    assert_eq!(found.ack(seqs[1]).await, Ok(Acked { cursor: seqs[1], purged: seqs[1] }));
    assert_eq!(bob.person.client.ack(0).await, Ok(Acked { cursor: 0, purged: 0 }));
    let last = send(&alice.client, &key, "five").await.unwrap();
    for client in [laptop, &found] {
        assert_eq!(client.ack(last).await, Ok(Acked { cursor: last, purged: 0 }));
    }
}

/// A replica that remembers nothing takes the place of the one that runs.
async fn renew_inbox(mesh: &mut Mesh) {
    mesh.inbox.take().unwrap().stop().await.unwrap();
    mesh.inbox = Some(mesh.another_inbox().await);
}
