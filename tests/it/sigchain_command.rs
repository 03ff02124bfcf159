//! `kez sigchain`: verified without a server, carried from one server to another, and followed.

use std::fs;

use kez_crypto::{NostrSecret, SecretKey};
use kez_service::random;
use serde_json::{Value, json};
use tests::chains::add;
use tests::{Chains, Mesh, Shell};

fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/sigchain.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// One event a line.
fn lines<'v>(events: impl IntoIterator<Item = &'v Value>) -> Vec<u8> {
    events.into_iter().flat_map(|event| format!("{event}\n").into_bytes()).collect()
}

fn shell() -> Shell {
    Shell::offline(&SecretKey::from_seed(random::bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refused_event_is_named_with_its_rule_without_a_server() {
    let (vectors, shell) = (vectors(), shell());
    let events = vectors["events"].as_array().unwrap();
    let refused = vectors["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 18);
    for case in refused {
        let after = usize::try_from(case["after"].as_u64().unwrap()).unwrap();
        let (name, rule) = (case["name"].as_str().unwrap(), case["error"].as_str().unwrap());
        let content = lines(events[..after].iter().chain([&case["event"]]));
        let done = shell.kez_reading(&["sigchain", "verify", "-"], &content);
        // A service does not take what it does not know; a reader keeps it in the chain, and says so.
        if rule == "unknown_op" {
            assert!(done.well().contains("1 of them do what this version of kez does not know"), "{name}");
            continue;
        }
        let said = done.one_line(1);
        assert!(said.starts_with(&format!("event {after} breaks the rule {rule}: ")), "{name}: {said}");
        let said = shell.kez_reading(&["sigchain", "verify", "-", "--json"], &content);
        let said: Value = serde_json::from_str(&said.stderr).unwrap();
        assert_eq!(said["error"], rule, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_in_a_file_is_verified_in_every_form() {
    let (vectors, shell) = (vectors(), shell());
    let events = vectors["events"].as_array().unwrap();
    let head = vectors["heads"][6].as_str().unwrap();
    let whole = lines(events);
    let path = shell.path("chain.jsonl");
    fs::write(&path, &whole).unwrap();
    let path = path.to_str().unwrap();
    let verified = &shell.kez(&["sigchain", "verify", path, "--json"]).json()[0];
    assert_eq!(verified, &json!({ "primary": vectors["primary"], "length": 7, "head": head, "unknown": 0 }));
    shell.kez(&["sigchain", "verify", path, "--head", head]).well();
    let packed = kez_crypto::bundle::pack(&whole).unwrap();
    assert!(shell.kez_reading(&["sigchain", "verify", "-"], packed.as_bytes()).well().contains(head));

    let earlier = vectors["heads"][5].as_str().unwrap();
    let wrong = shell.kez(&["sigchain", "verify", path, "--head", earlier]).one_line(1);
    assert!(wrong.contains(head), "{wrong}");
    let primary = SecretKey::from_seed(random::bytes()).public().identifier();
    let wrong = shell.kez(&["sigchain", "verify", path, "--primary", &primary]).one_line(1);
    assert!(wrong.starts_with("event 0 breaks the rule wrong_primary"), "{wrong}");

    // One event, however it is laid out: the first is a chain of its own, a later one is not.
    let [first, later] = [0, 3].map(|seq: usize| serde_json::to_vec_pretty(&events[seq]).unwrap());
    shell.kez_reading(&["sigchain", "verify", "-"], &first).well();
    assert!(shell.kez_reading(&["sigchain", "verify", "-"], &later).one_line(1).contains("wrong_seq"));
    let alone = &shell.kez_reading(&["sigchain", "verify", "-", "--alone", "--json"], &later).json()[0];
    assert_eq!((&alone["seq"], &alone["head"]), (&3.into(), &vectors["heads"][3]));

    for content in [&b""[..], b"nonsense", b"kez:zc1:", b"kez:zc1:AAAA", b"{}", b"[]", b"\n\n"] {
        shell.kez_reading(&["sigchain", "verify", "-"], content).one_line(1);
    }
    shell.kez(&["sigchain", "verify", "/nowhere"]).one_line(3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_moves_to_another_server() {
    let (old, new) = (Mesh::start().await, Mesh::start().await);
    let alice = old.person("alice").await;
    let here = Shell::of(&old, &alice.secret);
    here.kez(&["claim", "add", "github:alice"]).well();
    here.kez(&["claim", "add", "dns:alice.test"]).well();
    for format in ["jsonl", "packed"] {
        let exported = here.kez(&["sigchain", "export", "--format", format]).well();
        assert!(
            here.kez_reading(&["sigchain", "verify", "-"], exported.as_bytes())
                .well()
                .starts_with("2 events")
        );
    }
    let file = here.path("mine.jsonl");
    let file = file.to_str().unwrap();
    here.kez(&["sigchain", "export", "--file", file]).well();

    // As oneself, over NATS; the second time there is nothing to do.
    new.connect(&alice.secret).await.unwrap().register("alice").await.unwrap();
    let there = Shell::of(&new, &alice.secret);
    for appended in [2, 0] {
        let said = &there.kez(&["sigchain", "import", file, "--json"]).json()[0];
        assert_eq!((&said["appended"], &said["length"]), (&appended.into(), &2.into()));
    }
    there.kez(&["claim", "revoke", "github:alice"]).well();
    // A file that ends before the server's chain does is no fork of it.
    assert_eq!(there.kez(&["sigchain", "import", file, "--json"]).json()[0]["length"], 3);
    let listed = there.kez(&["claim", "list", "alice", "--json"]).json();
    assert_eq!((listed.len(), &listed[0]["subject"]), (1, &"dns:alice.test".into()));

    // Meanwhile the chain went on at the old server: two histories, and neither server is changed.
    here.kez(&["claim", "add", "github:other"]).well();
    here.kez(&["sigchain", "export", "--file", file]).well();
    let forked = there.kez(&["sigchain", "import", file]).one_line(1);
    assert!(forked.contains("another event 2"), "{forked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn anybody_can_carry_anybodys_chain() {
    let (old, new) = (Mesh::start().await, Mesh::start().await);
    let nostr = NostrSecret::from_bytes(random::bytes()).unwrap();
    let mut chain = kez_crypto::Chain::new(nostr.public());
    let chains = Chains::of(&old).await;
    for name in ["a", "b", "c"] {
        chains.append(&mut chain, &add(&format!("github:{name}")), &nostr).await.unwrap();
    }
    let carrier = SecretKey::from_seed(random::bytes());
    let (here, there) = (Shell::of(&old, &carrier), Shell::of(&new, &carrier));
    let exported = here.kez(&["sigchain", "export", &chain.primary().to_string()]).well();
    let said = &there.kez_reading(&["sigchain", "import", "-", "--json"], exported.as_bytes()).json()[0];
    assert_eq!((&said["appended"], &said["head"]), (&3.into(), &chain.head().unwrap().into()));
    assert_eq!(Chains::of(&new).await.read(nostr.public()).await, chain);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_followed_as_they_come() {
    let mesh = Mesh::start().await;
    let (alice, bob, carol) =
        (mesh.person("alice").await, mesh.person("bob").await, mesh.person("carol").await);
    alice.client.append(&add("github:a")).await.unwrap();
    bob.client.append(&add("github:b")).await.unwrap();
    let hers = Shell::of(&mesh, &carol.secret);
    let watched = ["sigchain", "watch", "alice", &bob.key().identifier(), "--all", "--limit", "4", "--json"];
    let mut watch = hers.begin(&watched);
    let mut seen: Vec<Value> = (0..2).map(|_| watch.next_line()).collect();
    alice.client.append(&add("github:aa")).await.unwrap();
    seen.push(watch.next_line());
    bob.client.append(&add("github:bb")).await.unwrap();
    seen.push(watch.next_line());
    assert_eq!(watch.end(), Some(0));
    let mut told: Vec<(&str, u64)> = seen
        .iter()
        .map(|event| (event["subject"].as_str().unwrap(), event["seq"].as_u64().unwrap()))
        .collect();
    told[..2].sort_unstable();
    assert_eq!(told, [("github:a", 0), ("github:b", 0), ("github:aa", 1), ("github:bb", 1)]);
    let hash = &seen[2]["event"]["payload"]["prev"];
    assert!(seen[..2].iter().any(|event| event["head"] == *hash), "{seen:?}");

    let stranger = Shell::of(&mesh, &SecretKey::from_seed(random::bytes()));
    assert_eq!(stranger.kez(&["sigchain", "watch", "dora"]).code, Some(3));
    let refused = stranger.kez(&["sigchain", "watch", "alice"]).one_line(4);
    assert!(refused.contains("register"), "{refused}");
}
