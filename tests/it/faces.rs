//! Pictures of people: who may open one opens it, strangers get what was shuffled for them, and what is no picture is kept by nobody.

use kez_contract::registry::{ByHandle, PROFILE, PUT_PROFILE, PutProfile};
use kez_contract::{Code, Problem};
use kez_crypto::picture::{MAX_CIPHERTEXT, MAX_PREVIEW, picture_hash};
use kez_crypto::{
    Body, Fault, Message, MessageId, Picture, PictureKey, PictureType, Preview, Profile, PublicKey,
    SecretKey, Signed, Tag, Timestamp, open_picture, request_auth, seal, seal_picture, visual,
};
use kez_service::random;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tests::shell::Shell;
use tests::web::Answer;
use tests::{Mesh, Person, Web};

const PATH: &str = "/v1/profile/alice";

/// What a picture looks like, as far as these stories go.
const BYTES: &[u8] = b"RIFF\x14\0\0\0WEBPVP8 the face of alice";

fn message(from: &SecretKey, to: &PublicKey, body: Body, now: i64) -> Message {
    Message {
        id: MessageId::from_bytes(random::bytes()),
        primary: from.public(),
        device: None,
        to: *to,
        sent_at: Timestamp::from_unix(now),
        body,
    }
}

/// The key of a picture, sealed to somebody.
fn key_for(from: &SecretKey, to: &PublicKey, key: &PictureKey, ct: &[u8], now: i64) -> kez_crypto::Sealed {
    let body = Body::PictureKey { key: key.clone(), picture: picture_hash(ct) };
    seal(&message(from, to, body, now), from, random::bytes()).unwrap()
}

/// A PNG of 64 by 64 pixels, as far as a registry reads it.
fn png() -> Vec<u8> {
    let start = "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJ";
    let start = data_encoding::BASE64.decode(start.as_bytes()).unwrap();
    [&start[..], b"\0\0\0\0IEND\xae\x42\x60\x82"].concat()
}

fn picture(me: &SecretKey, key: &PictureKey, now: i64) -> Picture {
    let nonce = random::bytes();
    let ct = seal_picture(BYTES, &me.public(), key, nonce).unwrap();
    let own = key_for(me, &me.public(), key, &ct, now);
    let preview = Some(Preview { png: png(), salt: random::bytes() });
    Picture { kind: PictureType::Webp, nonce, ct, own, preview, others: serde_json::Map::new() }
}

fn profile(me: &SecretKey, picture: Option<&Picture>, updated_at: i64) -> String {
    let updated_at = Timestamp::from_unix(updated_at);
    String::from_utf8(Profile::create(Some("Alice"), None, picture, updated_at, me).unwrap()).unwrap()
}

async fn put_over_nats(person: &Person, envelope: &str) -> Result<(), Problem> {
    let envelope = RawValue::from_string(envelope.to_owned()).unwrap();
    person.client.call(&PUT_PROFILE, &PutProfile { envelope }).await.map(drop)
}

async fn put_over_http(web: &Web, person: &Person, envelope: &str) -> Answer {
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(envelope));
    let auth = person.auth(&request_auth::profile(&person.name(), &hash));
    web.put_signed(PATH, &auth, envelope.to_owned()).await
}

/// The profile as anybody reads it, the same over NATS and over HTTP.
async fn read(reader: &Person, web: &Web, now: Timestamp) -> Profile {
    let over_nats = reader.client.call(&PROFILE, &ByHandle { handle: "alice".to_owned() }).await.unwrap();
    assert_eq!(web.get(PATH).await.body, over_nats.envelope.get());
    Profile::check(over_nats.envelope.get().as_bytes(), now).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_opens_the_picture_and_a_stranger_does_not() {
    let mesh = Mesh::start().await;
    let (alice, bob, mallory, web) =
        (mesh.person("alice").await, mesh.person("bob").await, mesh.person("mallory").await, mesh.web());
    let (now, key) = (mesh.clock.now(), PictureKey::from_bytes(random::bytes()));
    let picture = picture(&alice.secret, &key, now);
    put_over_nats(&alice, &profile(&alice.secret, Some(&picture), now)).await.unwrap();
    let letter = key_for(&alice.secret, &bob.key(), &key, &picture.ct, now);
    alice.client.deliver(&bob.key(), &letter).await.unwrap();

    // Bob, with the key that came to him.
    let now = Timestamp::from_unix(now);
    let seen = read(&bob, &web, now).await.picture.unwrap();
    assert_eq!(seen, picture);
    let mail = bob.client.fetch(0, 10).await.unwrap();
    let Ok(Message { primary, body: Body::PictureKey { key: given, picture: of }, .. }) =
        &mail.messages[0].opened
    else {
        panic!("{mail:?}")
    };
    assert_eq!((*primary, *of), (alice.key(), seen.hash()));
    assert_eq!(open_picture(&seen, &alice.key(), given).as_deref(), Ok(BYTES));
    // Alice, on a device that has nothing but her key.
    assert_eq!(seen.own_key(&alice.secret), Ok(key));

    // Mallory reads the same bytes, and nothing of the picture is in them, nor the key.
    let answer = web.get(PATH).await.body;
    for secret in [BYTES, &given.as_bytes()[..], given.to_base64url().as_bytes()] {
        assert!(!answer.as_bytes().windows(secret.len()).any(|part| part == secret));
    }
    assert_eq!(seen.own_key(&mallory.secret).unwrap_err(), Fault::CannotOpen);
    let guess = PictureKey::from_bytes(random::bytes());
    assert_eq!(open_picture(&seen, &alice.key(), &guess), Err(Fault::CannotOpen));
    // As her own it opens for nobody, not even for who has the key.
    let stolen = profile(&mallory.secret, Some(&seen), now.unix());
    put_over_nats(&mallory, &stolen).await.unwrap();
    assert_eq!(open_picture(&seen, &mallory.key(), given), Err(Fault::CannotOpen));
    // The preview is put back by who has the key alone.
    let pixels: Vec<u16> = (0..4096).collect();
    let salt = seen.preview.unwrap().salt;
    let shuffled = visual::shuffle(&pixels, given, &salt);
    assert_eq!(visual::unshuffle(&shuffled, given, &salt), pixels);
    assert_ne!(visual::unshuffle(&shuffled, &guess, &salt), pixels);
}

#[tokio::test]
async fn what_is_no_picture_or_too_large_is_refused_and_leaves_what_stands() {
    let mesh = Mesh::start().await;
    let (alice, web) = (mesh.person("alice").await, mesh.web());
    let (now, key) = (mesh.clock.now(), PictureKey::from_bytes(random::bytes()));
    let picture = picture(&alice.secret, &key, now);
    let first = profile(&alice.secret, Some(&picture), now - 10);
    put_over_http(&web, &alice, &first).await.read::<Value>(200);

    let with = |name: &str, value: Value| {
        let mut members = picture.to_value();
        members[name] = value;
        members
    };
    let text = |bytes: usize| data_encoding::BASE64URL_NOPAD.encode(&vec![0; bytes]);
    let svg = "data:image/svg+xml,<svg onload=\"alert(1)\"/>";
    for (wrong, status, code) in [
        (json!("https://example.org/a.png"), 400, Code::Malformed),
        (json!({}), 400, Code::Malformed),
        (with("type", json!("image/svg+xml")), 400, Code::Malformed),
        (with("own", json!({ "v": 2, "enc": "", "ct": "" })), 400, Code::Malformed),
        (with("preview", json!(svg)), 400, Code::Malformed),
        (with("ct", json!(text(MAX_CIPHERTEXT + 1))), 413, Code::TooLarge),
        (with("preview", json!("x".repeat(MAX_PREVIEW + 1))), 413, Code::TooLarge),
    ] {
        let members = json!({ "updated_at": Timestamp::from_unix(now), "picture": wrong });
        let members = members.as_object().cloned().unwrap();
        let envelope =
            String::from_utf8(Signed::create(Tag::Profile, members, &alice.secret).to_json()).unwrap();
        put_over_http(&web, &alice, &envelope).await.refused(status, code.as_str());
        assert_eq!(put_over_nats(&alice, &envelope).await.unwrap_err().code, code);
    }
    assert_eq!(web.get(PATH).await.body, first);

    // The largest that fits, and then none.
    let largest = with("ct", json!(text(MAX_CIPHERTEXT)));
    let largest = Picture::from_value(&largest).unwrap();
    put_over_nats(&alice, &profile(&alice.secret, Some(&largest), now - 5)).await.unwrap();
    let without = profile(&alice.secret, None, now);
    put_over_http(&web, &alice, &without).await.read::<Value>(200);
    // A picture that was taken away does not come back by itself.
    for old in [&first, &profile(&alice.secret, Some(&picture), now - 1)] {
        assert_eq!(put_over_nats(&alice, old).await.unwrap_err().code, Code::Outdated);
        put_over_http(&web, &alice, old).await.refused(409, "outdated");
    }
    assert_eq!(web.get(PATH).await.body, without);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_pictures_come_between_the_letters_and_are_acknowledged_like_them() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let his = Shell::of(&mesh, &bob.secret);
    let key = PictureKey::from_bytes(random::bytes());
    let show_face = async || {
        let letter = key_for(&alice.secret, &bob.key(), &key, b"a picture", mesh.clock.now());
        alice.client.deliver(&bob.key(), &letter).await.unwrap();
    };
    show_face().await;
    alice.send(&bob, "one").await;
    show_face().await;
    alice.send(&bob, "two").await;

    for way in [&["--json"][..], &["--json", "--http"]] {
        let shown = his.kez(&[&["inbox"], way].concat()).json();
        let texts: Vec<_> = shown.iter().map(|letter| &letter["body"]["text"]).collect();
        assert_eq!(texts, ["one", "two"]);
    }
    let shown = his.kez(&["inbox"]).well();
    assert_eq!(shown.lines().count(), 2, "{shown}");
    let mut following = his.begin(&["inbox", "--follow", "--json", "--ack", "--limit", "3"]);
    assert_eq!(following.next_line()["body"]["text"], "one");
    assert_eq!(following.next_line()["body"]["text"], "two");
    show_face().await;
    alice.send(&bob, "three").await;
    assert_eq!(following.next_line()["body"]["text"], "three");
    assert_eq!(following.end(), Some(0));

    // Nothing but a key: nothing is shown, and it is gone all the same.
    show_face().await;
    assert_eq!(his.kez(&["inbox", "--ack"]).well(), "No messages.\n");
    assert_eq!(bob.texts().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn whois_writes_the_picture_of_a_key() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let hers = Shell::of(&mesh, &alice.secret);
    let draw = |who: &str, more: &[&str]| {
        let file = hers.path("face.png");
        let path = file.display().to_string();
        let found = hers.kez(&[&["whois", who, "--avatar", &path, "--json"], more].concat()).json().remove(0);
        assert_eq!(found["avatar"], path);
        std::fs::read(file).unwrap()
    };
    let (of_alice, of_bob) = (draw("alice", &[]), draw("bob", &[]));
    assert_eq!(of_alice[..24], *b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\x01\0");
    assert_ne!(of_alice, of_bob);
    assert_eq!(draw(&alice.key().identifier(), &[]), of_alice, "whatever she is called");
    assert_eq!(draw("alice", &["--size", "40"])[16..24], *b"\0\0\0\x28\0\0\0\x28");
    assert!(draw(&bob.key().identifier(), &["--size", "2048"]).len() < 100_000);

    let folder = hers.path("").display().to_string();
    let refused = hers.kez(&["whois", "alice", "--avatar", &folder]).one_line(1);
    assert!(refused.starts_with("cannot write"), "{refused}");
    for wrong in [
        &["--size", "64"][..],
        &["--avatar", "a.png", "--size", "7"],
        &["--avatar", "a.png", "--size", "2049"],
    ] {
        assert_eq!(hers.kez(&[&["whois", "alice"], wrong].concat()).code, Some(2), "{wrong:?}");
    }
}
