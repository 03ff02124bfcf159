//! A message reaches its reader whichever way it was sent and is read, and nobody in between can tell what it says or whose it is.

use futures_util::StreamExt;
use futures_util::future::ready;
use futures_util::stream::BoxStream;
use kez::client::{Client, Delivered};
use kez::http::HttpClient;
use kez::mail::{Received, document};
use kez_contract::Problem;
use kez_contract::endpoint::rights;
use kez_contract::inbox::{FETCH, Fetch, SEND, Send, Stored};
use kez_crypto::{Fault, Handle, SecretKey, Timestamp};
use kez_service::random;
use serde_json::Value;
use tests::marks::{Marks, marked};
use tests::{Guest, Mesh, Person, Tap};

/// A way to send.
enum Sender {
    Nats(Client),
    Http(Box<HttpClient>),
}

/// A way to read.
enum Reader {
    Follows(BoxStream<'static, Received>),
    Polls { client: Box<HttpClient>, handle: Handle, since: u64 },
}

impl Sender {
    async fn send(&self, to: &str, text: &str) -> Result<Delivered, Problem> {
        match self {
            Self::Nats(client) => client.send(to, text).await,
            Self::Http(client) => client.send(to, text).await,
        }
    }
}

impl Reader {
    /// The one message that is new.
    async fn next(&mut self) -> Received {
        match self {
            Self::Follows(messages) => messages.next().await.unwrap(),
            Self::Polls { client, handle, since } => {
                let mail = client.fetch(handle, *since, 500).await.unwrap();
                *since = mail.next;
                let [received] = &mail.messages[..] else { panic!("{mail:?}") };
                received.clone()
            }
        }
    }
}

/// Every way there is to send, as one person.
async fn senders(mesh: &Mesh, secret: &SecretKey) -> [(&'static str, Sender); 4] {
    [
        ("NATS", Sender::Nats(mesh.connect(secret).await.unwrap())),
        ("WebSocket", Sender::Nats(mesh.connect_websocket(secret).await.unwrap())),
        ("the tunnel", Sender::Nats(mesh.connect_tunnel(secret).await.unwrap())),
        ("HTTP", Sender::Http(Box::new(mesh.http_client(secret)))),
    ]
}

/// Every way there is to read, as one person.
async fn readers(mesh: &Mesh, person: &Person) -> [(&'static str, Reader); 5] {
    let follow = async |client: Client| Reader::Follows(client.follow(0).await.unwrap());
    let (http, handle) = (mesh.http_client(&person.secret), person.name());
    let stream = http.follow(&handle, 0).await.unwrap().map(Result::unwrap);
    [
        ("NATS", follow(mesh.connect(&person.secret).await.unwrap()).await),
        ("WebSocket", follow(mesh.connect_websocket(&person.secret).await.unwrap()).await),
        ("the tunnel", follow(mesh.connect_tunnel(&person.secret).await.unwrap()).await),
        ("an HTTP stream", Reader::Follows(stream.boxed())),
        ("HTTP polls", Reader::Polls { client: Box::new(http), handle, since: 0 }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_of_sending_reaches_every_way_of_reading() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let mut readers = readers(&mesh, &bob).await;
    for (sent_over, sender) in &senders(&mesh, &alice.secret).await {
        for to in ["bob", "bob@kez.test", &bob.key().identifier()] {
            let text = format!("to {to} over {sent_over} — with ünïcödé\n🌱");
            let delivered = sender.send(to, &text).await.unwrap();
            for (read_over, reader) in &mut readers {
                let received = reader.next().await;
                let ways = format!("{sent_over} → {read_over}");
                assert_eq!(received.seq, delivered.sent.seq, "{ways}");
                assert_eq!(received.from(), Some(alice.key()), "{ways}");
                assert_eq!(received.text(), Some(text.as_str()), "{ways}");
                assert_eq!(received.opened.unwrap().id, delivered.id, "{ways}");
            }
        }
    }
}

/// What lies in a mailbox, as it is stored.
async fn stored(person: &Person) -> Vec<Stored> {
    person.client.call(&FETCH, &Fetch { since: 0, limit: 500 }).await.unwrap().messages
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_opens_for_its_recipient_alone() {
    let mesh = Mesh::start().await;
    let (alice, bob, carol) =
        (mesh.person("alice").await, mesh.person("bob").await, mesh.person("carol").await);
    for (_, sender) in &senders(&mesh, &alice.secret).await {
        sender.send("bob", "for bob").await.unwrap();
    }
    let now = Timestamp::from_unix(mesh.clock.now());
    let stored = stored(&bob).await;
    assert_eq!(stored.len(), 4);
    for message in &stored {
        assert_eq!(Received::open(message, &bob.secret, now).text(), Some("for bob"));
        // Neither another, nor who wrote it.
        for other in [&carol, &alice] {
            assert_eq!(Received::open(message, &other.secret, now).opened, Err(Fault::CannotOpen));
        }
    }
    // Somebody hands it in for carol: it is in her mailbox, and stays closed.
    let envelope = document(stored[0].envelope.get().as_bytes().to_vec()).unwrap();
    alice.client.call(&SEND, &Send::new("carol".to_owned(), envelope)).await.unwrap();
    let mail = carol.client.fetch(0, 500).await.unwrap();
    assert_eq!(
        mail.messages.iter().map(|mail| mail.opened.clone()).collect::<Vec<_>>(),
        [Err(Fault::CannotOpen)]
    );
}

/// Everything that anybody may hear inside the mesh.
async fn taps(mesh: &Mesh) -> Vec<Tap> {
    let mut taps = Vec::new();
    for (user, subjects) in [
        ("inbox", &["kez.rpc.inbox.>", "kez.web.inbox.>", "kez.feed.registry.*", "_INBOX_inbox.>"][..]),
        (
            "registry",
            &["kez.rpc.registry.>", "kez.web.registry.>", "kez.svc.registry.>", "_INBOX_registry.>"],
        ),
        ("gateway", &["kez.live.*", "_INBOX_gateway.>"]),
        ("auth-callout", &["_INBOX_auth-callout.>", "kez.feed.registry.*"]),
        ("operator", &["_INBOX_operator.>"]),
    ] {
        taps.push(Tap::on(Guest::user(mesh, user).await, subjects).await);
    }
    taps
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_in_between_can_tell_what_it_says_or_who_wrote_it() {
    let mesh = Mesh::start().await;
    let (name, text) = (marked("alice"), marked("between us"));
    let (alice, bob) = (SecretKey::from_seed(random::bytes()), mesh.person("bob").await);
    // She never reads, so that the mail store has no reason to know that she is there.
    mesh.http_client(&alice).register(&name).await.unwrap();
    let senders = senders(&mesh, &alice).await;
    let mut readers = readers(&mesh, &bob).await;
    let marks =
        Marks::default().word("the text", &text).word("alice's handle", &name).key("alice", &alice.public());

    let mut taps = taps(&mesh).await;
    for (_, sender) in &senders {
        sender.send("bob", &text).await.unwrap();
        for (_, reader) in &mut readers {
            assert_eq!(reader.next().await.text(), Some(text.as_str()));
        }
    }
    let mut heard = Vec::new();
    for tap in &mut taps {
        heard.extend(tap.heard().await);
    }

    let hex = alice.public().to_hex();
    let (proof, answers) = (format!(".{hex}.{hex}"), rights::inbox_prefix(&hex, &hex));
    let mut crossed = Vec::new();
    for message in &heard {
        // The broker proves to a service who calls, by the last two tokens, and the answer goes to the caller's own
        // subject: nowhere else does the caller's key stand.
        let (subject, reply) = (message.subject.as_str(), message.reply.as_deref().unwrap_or_default());
        let said = match subject.starts_with("kez.rpc.") {
            true => [subject.trim_end_matches(&proof), reply.trim_start_matches(&answers)],
            false => [subject, reply],
        };
        let whole = format!("{said:?} {:?} ", message.headers);
        crossed.extend([whole.as_bytes(), &message.payload].concat());
    }
    assert_eq!(marks.found_in(&crossed), Vec::<&str>::new());

    let disk = mesh.broker_files().await;
    assert_eq!(marks.found_in(&disk), Vec::<&str>::new());

    // What was looked through is what there was: the sealed messages, and whose mailbox they lie in.
    let stored = stored(&bob).await;
    assert_eq!(stored.len(), senders.len());
    for message in stored {
        assert_eq!(marks.found_in(message.envelope.get().as_bytes()), Vec::<&str>::new());
        let envelope: Value = serde_json::from_str(message.envelope.get()).unwrap();
        let ciphertext = Marks::default().word("the ciphertext", envelope["ct"].as_str().unwrap());
        assert!(!ciphertext.found_in(&crossed).is_empty() && !ciphertext.found_in(&disk).is_empty());
        assert_eq!(
            envelope.as_object().unwrap().len(),
            3,
            "nothing stands beside what is sealed: {envelope}"
        );
    }
    assert!(!Marks::default().key("bob", &bob.key()).found_in(&disk).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_different_length_look_alike() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    for text in ["", "yes", "no, thank you"] {
        alice.send(&bob, text).await;
    }
    let lengths = stored(&bob).await.iter().map(|message| message.envelope.get().len()).collect::<Vec<_>>();
    assert!(lengths.iter().all(|length| *length == lengths[0]), "{lengths:?}");
    let followed = bob.follow().await.take(3).filter_map(|mail| ready(mail.text().map(str::to_owned)));
    assert_eq!(followed.collect::<Vec<_>>().await, ["", "yes", "no, thank you"]);
}
