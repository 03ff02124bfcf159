//! A machine whose clock is wrong: what is sent from it is dated by the server's, so that whoever reads it takes it.

use kez::client::{Client, Connection};
use kez::http::HttpClient;
use kez::server_time::ServerTime;
use kez_contract::http::CONFIG;
use kez_crypto::Timestamp;
use kez_service::Clock;
use reqwest::Method;
use tests::mesh::SERVER;
use tests::{Mesh, Owner, Person, Shell};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Result, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const DAY: i64 = 24 * 3600;

/// By a clock that is right, if that of every machine here is wrong by decades.
const RIGHT: &str = "Fri, 01 Jan 2100 00:00:00 GMT";

/// A way to a gateway whose answers all have that date; the URL to go it.
async fn dated(gateway: &str, ways: &mut JoinSet<()>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gateway = gateway.trim_start_matches("http://").to_owned();
    ways.spawn(async move {
        let mut carried = JoinSet::new();
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let server = TcpStream::connect(&gateway).await.unwrap();
            carried.spawn(async move { drop(carry(client, server).await) });
        }
    });
    format!("http://{address}")
}

async fn carry(client: TcpStream, server: TcpStream) -> Result<()> {
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let down = async {
        let mut said = vec![0; 64 * 1024];
        loop {
            let length = from_server.read(&mut said).await?;
            if length == 0 {
                return Ok(());
            }
            // A date is as long as any other, and a gateway writes the head of an answer in one piece.
            if let Some(begin) = said[..length].windows(8).position(|bytes| bytes == b"\r\ndate: ") {
                said[begin + 8..][..RIGHT.len()].copy_from_slice(RIGHT.as_bytes());
            }
            to_client.write_all(&said[..length]).await?;
        }
    };
    tokio::select! {
        _ = copy(&mut from_client, &mut to_server) => Ok(()),
        over = down => over,
    }
}

/// What lies in somebody's mailbox, as it is read in the year 2100, with the time at which it was sent.
async fn read_when_it_is_right(mesh: &Mesh, reader: &Person) -> Vec<(String, Timestamp)> {
    let connection = mesh.connection(&mesh.plan.nats_url, &reader.secret);
    let server_time = ServerTime::heard(RIGHT);
    let client = Client::connect(Connection { server_time, ..connection }).await.unwrap();
    let mail = client.fetch(0, 100).await.unwrap();
    let told = mail.messages.iter().map(|received| {
        let text = received.text().unwrap_or_else(|| panic!("{received:?}")).to_owned();
        (text, received.opened.as_ref().unwrap().sent_at)
    });
    told.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_command_sends_is_dated_by_the_server() {
    let mesh = Mesh::start().await;
    let (alice, [_phone]) = Owner::enter(&mesh, "alice", ["phone"]).await;
    let bob = mesh.person("bob").await;
    let mut ways = JoinSet::new();
    let url = dated(&mesh.http(), &mut ways).await;
    let asked = mesh.web().request(Method::GET, CONFIG).send().await.unwrap();
    assert_ne!(asked.headers()["date"], RIGHT);
    let (shell, key) = (Shell::of(&mesh, &alice.person.secret), bob.key().identifier());
    let ways: [&[&str]; 4] = [&["bob", "--plain"], &["bob"], &["bob", "--http"], &[&key, "--http"]];
    for (number, way) in ways.into_iter().enumerate() {
        let text = format!("letter {number}");
        let sent = shell.kez(&[&["send", "--server-url", &url], way, &[&text]].concat());
        assert!(sent.well().starts_with("Sent to "), "{way:?}");
    }
    let begun = Timestamp::parse("2100-01-01T00:00:00Z").unwrap();
    // The copies for her other devices, too.
    for reader in [&bob, &alice.person] {
        let mail = read_when_it_is_right(&mesh, reader).await;
        assert_eq!(mail.len(), 4, "{mail:?}");
        assert!(mail.iter().all(|(_, at)| (0..60).contains(&at.seconds_since(begun))), "{mail:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http_mail_is_dated_by_the_last_answer() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    for ahead in [-8 * DAY, 400, 30 * DAY] {
        let clock = Clock::default();
        clock.advance(ahead);
        let client = HttpClient::new(&mesh.http(), SERVER, &alice.secret, &clock);
        client.unwrap().send(&bob.handle, "on time").await.unwrap();
    }
    assert_eq!(bob.mailbox().await.len(), 3);
}
