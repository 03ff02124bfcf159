//! One person on several devices: what is sent from one is seen on the others as sent, and nobody else can put words into its mouth.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use kez_contract::event::LIVE;
use kez_contract::inbox::{MAX_ENVELOPE, SILENT_HEADER};
use kez_crypto::{Body, Copied, Message, MessageId, PublicKey, ReceiptStatus, Timestamp, seal};
use kez_service::random;
use serde_json::Value;
use tests::{Mesh, Owner, Person, Shell};

/// Sends any body to somebody.
async fn send_body(mesh: &Mesh, from: &Person, to: PublicKey, body: Body) {
    let message = Message {
        id: MessageId::from_bytes(random::bytes()),
        primary: from.key(),
        device: None,
        to,
        sent_at: Timestamp::from_unix(mesh.clock.now()),
        body,
    };
    let sealed = seal(&message, &from.secret, random::bytes()).unwrap();
    from.client.deliver(&to, &sealed).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_command_sends_is_seen_as_sent_wherever_i_read() {
    let mesh = Mesh::start().await;
    let (alice, [_phone]) = Owner::enter(&mesh, "alice", ["phone"]).await;
    let bob = mesh.person("bob").await;
    let shell = Shell::of(&mesh, &alice.person.secret);
    let mut live = alice.person.client.nats().subscribe(LIVE.subject(&alice.key().to_hex())).await.unwrap();
    let (mut hers, mut his) = (alice.person.follow().await, bob.follow().await);

    for (arguments, text) in [
        (&["send", "bob", "over NATS", "--json"][..], "over NATS"),
        (&["send", "bob", "over HTTP", "--http", "--json"], "over HTTP"),
    ] {
        let sent = &shell.kez(arguments).json()[0];
        let (copy, message) = (hers.next().await.unwrap(), his.next().await.unwrap());
        let id = MessageId::parse(sent["id"].as_str().unwrap()).unwrap();
        assert_eq!((copy.text(), copy.from()), (Some(text), Some(alice.key())));
        assert_eq!(copy.copied(&alice.key()), Some(Copied { to: bob.key(), id }));
        let (copy, message) = (copy.opened.unwrap(), message.opened.unwrap());
        assert_eq!((message.id, message.sent_at, message.body), (id, copy.sent_at, Body::text(text)));
        let stored = live.next().await.unwrap();
        assert!(stored.headers.unwrap().get(SILENT_HEADER).is_some(), "nobody is woken for it");
    }

    for way in [&["inbox"][..], &["inbox", "--http"]] {
        let shown = shell.kez(way).well();
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines.len() == 2 && lines[0].ends_with("Z  you to bob    over NATS"), "{shown}");
        let value = &shell.kez(&[way, &["--json"]].concat()).json()[1];
        assert_eq!((&value["from"], &value["handle"]), (&alice.key().identifier().into(), &"alice".into()));
        assert_eq!((&value["to"], &value["to_handle"]), (&bob.key().identifier().into(), &"bob".into()));
        assert_eq!(value["body"]["copy_of"]["to"], bob.key().identifier());
    }
    assert_eq!(Shell::of(&mesh, &bob.secret).kez(&["inbox", "--json"]).json().len(), 2);

    // A note to myself is one message, and no copy of any.
    shell.kez(&["send", "alice", "a note"]).well();
    let note = hers.next().await.unwrap();
    assert_eq!((note.text(), note.copied(&alice.key())), (Some("a note"), None));
    shell.kez(&["send", "bob", "and on"]).well();
    assert_eq!(hers.next().await.unwrap().text(), Some("and on"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_device_sends_is_seen_by_whoever_holds_the_identity() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let shell = Shell::of(&mesh, &alice.secret);
    // Nobody else reads her mail yet.
    alice.send(&bob, "alone").await;
    let laptop = shell.path("laptop.json");
    let laptop = laptop.to_str().unwrap();
    shell.kez(&["device", "add", "laptop", "--file", laptop]).well();
    shell.kez(&["send", "bob", "from the laptop", "--identity", laptop]).well();
    shell.kez(&["send", "bob", "from the laptop, over HTTP", "--http", "--identity", laptop]).well();
    let shown = shell.kez(&["inbox"]).well();
    let told: Vec<&str> = shown.lines().filter_map(|line| line.split("  you to bob    ").nth(1)).collect();
    assert_eq!((told, shown.lines().count()), (vec!["from the laptop", "from the laptop, over HTTP"], 2));
    assert_eq!(bob.texts().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_says_that_i_have_sent_something_has_only_written_to_me() {
    let mesh = Mesh::start().await;
    let (alice, bob, mallory) =
        (mesh.person("alice").await, mesh.person("bob").await, mesh.person("mallory").await);
    let copied = Copied { to: bob.key(), id: MessageId::from_bytes([7; 16]) };
    let body = Body::Text { text: "I never said this".to_owned(), copy_of: Some(copied) };
    send_body(&mesh, &mallory, alice.key(), body).await;
    let hers = Shell::of(&mesh, &alice.secret);
    for way in [&["inbox"][..], &["inbox", "--http"]] {
        let shown = hers.kez(way).well();
        assert!(shown.contains("  mallory       I never said this") && !shown.contains("you to"), "{shown}");
        let value = &hers.kez(&[way, &["--json"]].concat()).json()[0];
        assert_eq!((&value["handle"], value.get("to")), (&"mallory".into(), None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn word_of_what_i_have_read_elsewhere_is_no_line_of_my_inbox() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let read = || Body::Receipt { status: ReceiptStatus::Read, of: vec![MessageId::from_bytes([7; 16])] };
    send_body(&mesh, &alice, alice.key(), read()).await;
    let hers = Shell::of(&mesh, &alice.secret);
    assert_eq!(hers.kez(&["inbox"]).well(), "No messages.\n");
    assert_eq!(hers.kez(&["inbox", "--json"]).json()[0]["body"]["status"], "read");
    // What others have read is.
    send_body(&mesh, &bob, alice.key(), read()).await;
    let shown = hers.kez(&["inbox", "--follow", "--limit", "1"]).well();
    assert!(shown.ends_with("bob           (has read 1 of your messages)\n"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_sigchains_messages_are_sent_and_copies_made() {
    let mut mesh = Mesh::start().await;
    let (alice, [_phone]) = Owner::enter(&mesh, "alice", ["phone"]).await;
    let bob = mesh.person("bob").await;
    let shell = Shell::of(&mesh, &alice.person.secret);
    mesh.sigchain.take().unwrap().stop().await.unwrap();
    for text in ["over NATS", "over HTTP"] {
        let way: &[&str] = if text == "over HTTP" { &["--http"] } else { &[] };
        let done = shell.kez(&[&["send", "bob", text], way].concat());
        assert_eq!((done.code, &*done.stdout, &*done.stderr), (Some(0), "Sent to bob.\n", ""));
    }
    // Nor is a service waited for that takes questions and answers none.
    let frozen = mesh.user("sigchain").await;
    let mut asked = frozen.subscribe("kez.rpc.sigchain.>").await.unwrap();
    frozen.flush().await.unwrap();
    let begun = Instant::now();
    let done = shell.kez(&["send", "bob", "and on"]);
    assert_eq!((done.code, &*done.stderr), (Some(0), ""));
    assert!(begun.elapsed() < Duration::from_secs(5), "an answer is waited for as long elsewhere");
    asked.next().await.unwrap();

    let all = ["over NATS", "over HTTP", "and on"].map(|text| (alice.key(), text.to_owned()));
    assert_eq!(bob.texts().await, all);
    assert_eq!(alice.person.texts().await, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_fails_takes_nothing_from_the_message() {
    let mesh = Mesh::start().await;
    let (alice, [_phone]) = Owner::enter(&mesh, "alice", ["phone"]).await;
    let bob = mesh.person("bob").await;
    // The longest text that can be sealed: what a copy says besides is too much.
    let fits = |length: usize| alice.person.client.seal(&bob.key(), &"a".repeat(length)).is_ok();
    let (mut longest, mut too_long) = (0, MAX_ENVELOPE);
    while longest + 1 < too_long {
        let middle = usize::midpoint(longest, too_long);
        *if fits(middle) { &mut longest } else { &mut too_long } = middle;
    }
    let shell = Shell::of(&mesh, &alice.person.secret);
    let text = "a".repeat(longest);
    let done = shell.kez_reading(&["send", "bob", "-"], text.as_bytes());
    assert_eq!((done.code, &*done.stdout), (Some(0), "Sent to bob.\n"), "{}", done.stderr);
    assert!(done.stderr.starts_with("warning: your other devices have no copy of it: "), "{}", done.stderr);
    let done = shell.kez_reading(&["send", "bob", "-", "--http", "--json"], text.as_bytes());
    let warning: Value = serde_json::from_str(&done.stderr).unwrap();
    assert_eq!((done.code, &warning["warning"]), (Some(0), &"too_large".into()));
    assert_eq!(bob.texts().await, [(alice.key(), text.clone()), (alice.key(), text)]);
    assert_eq!(alice.person.texts().await, []);
}
