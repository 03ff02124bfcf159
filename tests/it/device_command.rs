//! `kez device` and `kez identity rotate`: other keys that speak for somebody, or take their place.

use std::fs;

use futures_util::StreamExt;
use kez_crypto::SecretKey;
use kez_service::random;
use tests::{Mesh, Shell};

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_added_used_and_revoked() {
    let mesh = Mesh::start().await;
    let (alice, bob) = (mesh.person("alice").await, mesh.person("bob").await);
    let hers = Shell::of(&mesh, &alice.secret);
    let laptop = hers.path("laptop.json");
    let laptop = laptop.to_str().unwrap();
    let added = &hers.kez(&["device", "add", "laptop", "--file", laptop, "--json"]).json()[0];
    let shown = &hers.kez(&["identity", "show", "--identity", laptop, "--json"]).json()[0];
    assert_eq!((&shown["device"], &shown["primary"]), (&added["device"], &alice.key().identifier().into()));
    let listed = hers.kez(&["device", "list", "--json"]).json();
    assert_eq!(
        (listed.len(), &listed[0]["device"], &listed[0]["name"]),
        (1, &added["device"], &"laptop".into())
    );
    assert_eq!(hers.kez(&["whois", "alice", "--json"]).json()[0]["sigchain"]["devices"], 1);

    // It writes as her, over NATS and over HTTP.
    let mut mail = bob.follow().await;
    hers.kez(&["send", "bob", "from my laptop", "--identity", laptop]).well();
    hers.kez(&["send", "bob", "from my laptop", "--http", "--identity", laptop]).well();
    for _ in 0..2 {
        let received = mail.next().await.unwrap();
        assert_eq!((received.text(), received.from()), (Some("from my laptop"), Some(alice.key())));
    }
    // It says plainly what it cannot do, before anything is tried.
    for (arguments, word) in [
        (&["inbox"][..], "cannot open mail"),
        (&["inbox", "--http"], "cannot open mail"),
        (&["register", "laptop"], "cannot register"),
        (&["claim", "add", "github:alice"], "cannot continue the sigchain"),
        (&["claim", "create", "github:alice"], "cannot sign claims"),
        (&["device", "revoke", "laptop"], "cannot revoke devices"),
        (&["device", "add", "phone", "--file", "phone.json"], "cannot add devices"),
        (&["identity", "rotate", "--yes", "--file", "new.json"], "cannot move to another key"),
    ] {
        let said = hers.kez(&[arguments, &["--identity", laptop]].concat()).one_line(6);
        assert!(said.contains(word) && said.contains(&alice.key().identifier()), "{arguments:?} {said}");
    }
    hers.kez(&["send", "bob", "hi", "--plain", "--identity", laptop]).one_line(2);

    hers.kez(&["device", "revoke", "fridge"]).one_line(3);
    hers.kez(&["device", "revoke", "laptop"]).well();
    assert_eq!(hers.kez(&["device", "list"]).well(), "No devices.\n");
    hers.kez(&["send", "bob", "hi", "--identity", laptop]).one_line(5);
    hers.kez(&["send", "bob", "hi"]).well();
    assert_eq!(mail.next().await.unwrap().from(), Some(alice.key()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_device_can_be_made_where_the_device_is() {
    let mesh = Mesh::start().await;
    let alice = mesh.person("alice").await;
    let (hers, phones) =
        (Shell::of(&mesh, &alice.secret), Shell::of(&mesh, &SecretKey::from_seed(random::bytes())));
    let file = phones.path("phone.json");
    let file = file.to_str().unwrap();
    let asked = &phones
        .kez(&["device", "request", &alice.key().identifier(), "--identity", file, "--json"])
        .json()[0];
    phones.kez(&["send", "alice", "hi", "--identity", file]).one_line(5);
    let (device, proof) = (asked["device"].as_str().unwrap(), asked["proof"].as_str().unwrap());
    let wrong = proof.replace(&proof[..1], if proof.starts_with('0') { "1" } else { "0" });
    let refused = hers.kez(&["device", "add", "phone", "--device", device, "--proof", &wrong]).one_line(4);
    assert!(refused.contains("has not agreed"), "{refused}");
    hers.kez(&["device", "add", "phone", "--device", device, "--proof", proof]).well();
    let again = hers.kez(&["device", "add", "phone", "--device", device, "--proof", proof]).one_line(4);
    assert!(again.contains("active in the sigchain already"), "{again}");
    phones.kez(&["send", "alice", "hi", "--identity", file]).well();

    // A device that is refused leaves no file behind, and no file is overwritten.
    let before = fs::read(phones.path("phone.json")).unwrap();
    hers.kez(&["device", "add", "other", "--file", file]).one_line(6);
    assert_eq!(fs::read(phones.path("phone.json")).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_moves_to_a_new_key() {
    let mesh = Mesh::start().await;
    let alice = mesh.person("alice").await;
    let hers = Shell::of(&mesh, &alice.secret);
    hers.kez(&["claim", "add", "github:alice"]).well();
    let new = hers.path("new.json");
    let new = new.to_str().unwrap();
    let warned = hers.kez(&["identity", "rotate", "--file", new]).one_line(2);
    assert!(warned.contains("mail that lies in its mailbox") && warned.contains("devices"), "{warned}");
    assert!(!fs::exists(new).unwrap());

    let moved = &hers.kez(&["identity", "rotate", "--file", new, "--yes", "--json"]).json()[0];
    let (successor, old) = (moved["primary"].as_str().unwrap(), alice.key().identifier());
    assert_eq!((&moved["predecessor"], &moved["handle"]), (&old.clone().into(), &"alice".into()));
    assert_eq!(moved["phrase"].as_str().unwrap().split(' ').count(), 12);
    let shown = &hers.kez(&["identity", "show", "--phrase", "--identity", new, "--json"]).json()[0];
    assert_eq!((&shown["primary"], &shown["phrase"]), (&moved["primary"], &moved["phrase"]));

    let found = &hers.kez(&["whois", "alice", "--json"]).json()[0];
    assert_eq!(found["primary"], successor);
    let found = &hers.kez(&["whois", &old, "--json"]).json()[0];
    assert_eq!(
        (&found["sigchain"]["successor"], &found["sigchain"]["length"]),
        (&successor.into(), &2.into())
    );
    assert!(hers.kez(&["whois", &old]).well().contains(&format!("successor   {successor}")));
    hers.kez(&["inbox"]).one_line(5);
    assert_eq!(hers.kez(&["inbox", "--identity", new]).well(), "No messages.\n");
    assert_eq!(hers.kez(&["sigchain", "show", "--identity", new, "--json"]).json()[0]["length"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_is_not_forgotten_when_it_cannot_be_read() {
    let mesh = Mesh::start().await;
    let alice = mesh.person("alice").await;
    let hers = Shell::of(&mesh, &alice.secret);
    hers.kez(&["claim", "add", "github:alice"]).well();
    let heads = hers.path(".config/kez/heads.json");
    let kept: serde_json::Value = serde_json::from_slice(&fs::read(&heads).unwrap()).unwrap();
    assert_eq!(kept["heads"][alice.key().identifier()]["seq"], 0);
    fs::write(&heads, "{").unwrap();
    for arguments in
        [&["whois", "alice"][..], &["claim", "list"], &["claim", "add", "github:other"], &["inbox"]]
    {
        let said = hers.kez(arguments).one_line(1);
        assert!(said.contains("heads.json"), "{arguments:?} {said}");
    }
    assert_eq!(fs::read(&heads).unwrap(), b"{");
}
