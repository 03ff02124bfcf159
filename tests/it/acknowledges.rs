//! `kez inbox --ack` and what may stand in its way: nothing that could not be judged is acknowledged away.

use std::fs;

use futures_util::StreamExt;
use kez::client::{Client, Connection, SignIn};
use kez::mail;
use kez::server_time::ServerTime;
use kez_contract::inbox::mailbox_subject;
use kez_crypto::{Fault, Timestamp};
use kez_service::Clock;
use serde_json::Value;
use tests::{Mesh, Owner, Person, Shell};

const DAY: i64 = 24 * 3600;

/// The same person at a machine whose clock is wrong by so many seconds.
async fn with_clock(mesh: &Mesh, person: &Person, ahead: i64, sign_in: SignIn) -> Client {
    let clock = Clock::default();
    clock.advance(ahead);
    let connection = mesh.connection(&mesh.plan.nats_url, &person.secret);
    Client::connect(Connection { clock, sign_in, ..connection }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_refuses_no_mail() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    alice.send(&bob, "on time").await;
    for (ahead, sign_in) in [(-1200, SignIn::default()), (-30 * DAY, SignIn::Plain), (8 * DAY, SignIn::Plain)]
    {
        let client = with_clock(&mesh, &bob, ahead, sign_in).await;
        let mail = client.fetch(0, 10).await.unwrap();
        assert_eq!(mail.messages[0].text(), Some("on time"), "{ahead}");
        assert_eq!(client.follow(0).await.unwrap().next().await.unwrap().text(), Some("on time"), "{ahead}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn age_is_judged_by_the_clock_of_the_server() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let now = Clock::default().now();
    for at in [now - 8 * DAY, now, now + 3600] {
        let sealed =
            mail::write(&(&alice.secret).into(), &bob.key(), "hi", Timestamp::from_unix(at)).unwrap().1;
        alice.client.deliver(&bob.key(), &sealed).await.unwrap();
    }
    let opened = async |client: &Client| {
        let mail = client.fetch(0, 10).await.unwrap();
        mail.messages
            .iter()
            .map(|received| received.opened.as_ref().map(|_| ()).map_err(|fault| *fault))
            .collect::<Vec<_>>()
    };
    let (fine, stale) = (Ok(()), Err(Fault::Stale));
    for (ahead, sign_in) in [(0, SignIn::default()), (-1200, SignIn::default()), (3600, SignIn::Plain)] {
        let client = with_clock(&mesh, &bob, ahead, sign_in).await;
        assert_eq!(opened(&client).await, [stale, fine, stale], "{ahead}");
    }
    // What the server has said counts, whatever this machine's clock says.
    let server_time = ServerTime::heard("Fri, 01 Jan 2100 00:00:00 GMT");
    let connection = mesh.connection(&mesh.plan.nats_url, &bob.secret);
    let late = Client::connect(Connection { server_time, ..connection }).await.unwrap();
    assert_eq!(opened(&late).await, [stale; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_and_acknowledges_reads_on_however_much_lies_there() {
    let mesh = Mesh::with(&[("inbox", "--person-fetches-per-minute=10")]).await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    for number in 0..30 {
        alice.send(&bob, &format!("letter {number}")).await;
    }
    let his = Shell::of(&mesh, &bob.secret);
    let mut following = his.begin(&["inbox", "--follow", "--json", "--ack", "--limit", "30"]);
    for number in 0..30 {
        assert_eq!(following.next_line()["body"]["text"], format!("letter {number}"));
    }
    assert_eq!(following.end(), Some(0));
    assert_eq!(his.kez(&["inbox"]).well(), "No messages.\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_up_to_a_letter_has_it_acknowledged_when_all_went_well() {
    let mut mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let his = Shell::of(&mesh, &bob.secret);
    let mut following = his.begin(&["inbox", "--follow", "--json", "--ack", "--limit", "2"]);
    alice.send(&bob, "letter 0").await;
    assert_eq!(following.next_line()["body"]["text"], "letter 0");
    mesh.inbox.take().unwrap().stop().await.unwrap();
    // It comes live: what is stored is told by the broker itself.
    let (_, sealed) = alice.client.seal(&bob.key(), "letter 1").unwrap();
    let broker = mesh.user("inbox").await;
    broker.publish(mailbox_subject(&bob.hex()), sealed.canonical().into()).await.unwrap();
    broker.flush().await.unwrap();
    assert_eq!(following.next_line()["body"]["text"], "letter 1");
    mesh.inbox = Some(mesh.another_inbox().await);
    assert_eq!(following.end(), Some(0));
    assert_eq!(his.kez(&["inbox"]).well(), "No messages.\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_is_told_why_nothing_more_comes() {
    let mesh = Mesh::start().await;
    let (alice, [laptop]) = Owner::enter(&mesh, "alice", ["laptop"]).await;
    let bob = mesh.person("bob").await;
    let his = Shell::of(&mesh, &bob.secret);
    let mut following = his.begin(&["inbox", "--follow", "--json", "--ack"]);
    alice.person.send(&bob, "from herself").await;
    assert_eq!(following.next_line()["body"]["text"], "from herself");
    // What was seen of her sigchain can be kept neither here nor anywhere else.
    let heads = his.path(".config/kez/heads.json");
    fs::write(&heads, "{").unwrap();
    let client = mesh.connect_device(alice.key(), &laptop).await.unwrap();
    client.send("bob", "from the laptop").await.unwrap();
    let said = following.next_warning();
    assert!(said.contains("the next message is not shown yet") && said.contains("heads.json"), "{said}");
    fs::remove_file(&heads).unwrap();
    assert_eq!(following.next_line()["body"]["text"], "from the laptop");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_judged_is_shown_although_something_else_has_to_wait() {
    let mut mesh = Mesh::start().await;
    let (alice, [laptop]) = Owner::enter(&mesh, "alice", ["laptop"]).await;
    let bob = mesh.person("bob").await;
    alice.person.send(&bob, "from herself").await;
    let client = mesh.connect_device(alice.key(), &laptop).await.unwrap();
    for text in ["from the laptop", "once more"] {
        client.send("bob", text).await.unwrap();
    }
    alice.person.send(&bob, "from herself again").await;
    mesh.sigchain.take().unwrap().stop().await.unwrap();

    let his = Shell::of(&mesh, &bob.secret);
    for way in [&["inbox", "--http"][..], &["inbox", "--ack"]] {
        let done = his.kez(way);
        let lines: Vec<&str> = done.stdout.lines().collect();
        assert!(done.code == Some(5) && lines.len() == 4, "{done:?}");
        assert!(
            lines[0].ends_with("  from herself") && lines[3].ends_with("  from herself again"),
            "{done:?}"
        );
        assert!(lines[1..3].iter().all(|line| line.contains("(not shown yet: ")), "{done:?}");
        assert!(done.stderr.starts_with("error: not all messages are shown yet: "), "{done:?}");
    }
    mesh.sigchain = Some(mesh.another_sigchain().await);
    // Nothing that had to wait was acknowledged, nor what came after it.
    let shown = his.kez(&["inbox", "--ack", "--json"]).json();
    let texts: Vec<&Value> = shown.iter().map(|message| &message["body"]["text"]).collect();
    assert_eq!(texts, ["from the laptop", "once more", "from herself again"]);
    assert_eq!(his.kez(&["inbox"]).well(), "No messages.\n");
}
