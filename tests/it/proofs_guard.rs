//! Nobody is led to what is not public: not by an address, a name, a redirect, nor by names that change.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use hickory_server::proto::rr::RecordType::{A, AAAA};
use kez_contract::sigchain::{Status, Why};
use kez_proofs::{Checker, Settings};
use tests::accounts::relay::Manner;
use tests::accounts::{Accounts, Claimant, FORBIDDEN, HERE, Page, Reply, Victim};

const FILE: &str = "/.well-known/kez.json";

/// Something that listens where nobody may come by.
fn victim() -> Victim {
    Victim::listen(0).unwrap()
}

#[tokio::test]
async fn addresses_that_are_not_public_are_not_reached() {
    let (accounts, victim) = (Accounts::start().await, victim());
    let port = victim.port();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "10.0.0.1",
        "169.254.169.254",
        "192.168.0.1",
        "[fe80::1]",
        "[fd00::1]",
        "127。0。0。1",
    ] {
        let alice = Claimant::of(&format!("web:https://{host}:{port}"));
        let finding = alice.fails(&accounts.checker(), Why::Forbidden).await;
        assert_eq!(finding.status, Status::Unreachable, "{host}");
        let alice = Claimant::of(&format!("ap:alice@{host}:{port}"));
        alice.fails(&accounts.checker(), Why::Forbidden).await;
    }
    victim.was_left_alone();
}

#[tokio::test]
async fn names_of_such_addresses_are_not_reached() {
    let (accounts, victim) = (Accounts::start().await, victim());
    let v6 = |text: &str| Reply::addresses(&[IpAddr::V6(text.parse::<Ipv6Addr>().unwrap())]);
    accounts.names.set("v4.test", A, [Reply::addresses(&[FORBIDDEN])]);
    accounts.names.set("any.test", A, [Reply::addresses(&["0.0.0.0".parse().unwrap()])]);
    for (name, address) in [
        ("v6.test", "::1"),
        ("mapped.test", "::ffff:127.0.0.1"),
        ("nat64.test", "64:ff9b::127.0.0.1"),
        ("6to4.test", "2002:7f00:1::"),
        ("local.test", "fd00::1"),
    ] {
        accounts.names.set(name, AAAA, [v6(address)]);
    }
    for name in ["v4.test", "any.test", "v6.test", "mapped.test", "nat64.test", "6to4.test", "local.test"] {
        let alice = Claimant::of(&format!("web:https://{name}:{}", victim.port()));
        alice.fails(&accounts.checker(), Why::Forbidden).await;
    }
    victim.was_left_alone();
}

#[tokio::test]
async fn of_several_addresses_only_the_public_ones_are_reached() {
    let accounts = Accounts::start().await;
    let (site, victim) = accounts.site_with_victim("kez.test").await;
    let alice = Claimant::of(&format!("web:{}", site.url("")));
    site.put(FILE, Page::text(alice.claim()));
    for addresses in [[FORBIDDEN, HERE], [HERE, FORBIDDEN]] {
        accounts.names.set("kez.test", A, [Reply::addresses(&addresses)]);
        accounts.names.set("kez.test", AAAA, [Reply::addresses(&[Ipv6Addr::LOCALHOST.into()])]);
        alice.verifies(&accounts.checker()).await;
    }
    victim.was_left_alone();
}

/// The name leads somewhere else whenever it is asked for again: between check and use nobody asks.
#[tokio::test]
async fn a_name_that_changes_leads_nowhere_else() {
    let accounts = Accounts::start().await;
    let (site, victim) = accounts.site_with_victim("kez.test").await;
    let alice = Claimant::of(&format!("web:{}", site.url("")));
    let rebinding = || [Reply::addresses(&[HERE]), Reply::addresses(&[FORBIDDEN])];
    let checker = accounts.checker();

    site.put(FILE, Page::text(alice.claim()));
    accounts.names.set("kez.test", A, rebinding());
    alice.verifies(&checker).await;
    assert_eq!(accounts.names.asked("kez.test", A), 1);

    // A redirect is another request: its address is looked up, and checked, like the first one's.
    site.put(FILE, Page::redirect("/claim"));
    site.put("/claim", Page::text(alice.claim()));
    accounts.names.set("kez.test", A, rebinding());
    let finding = alice.fails(&checker, Why::Forbidden).await;
    assert_eq!(finding.evidence, site.url("/claim"));

    // So is the next check.
    alice.fails(&checker, Why::Forbidden).await;
    victim.was_left_alone();
}

#[tokio::test]
async fn redirects_do_not_lead_inside() {
    let accounts = Accounts::start().await;
    let (site, victim) = accounts.site_with_victim("social.test").await;
    accounts.names.set("inside.test", A, [Reply::addresses(&[FORBIDDEN])]);
    let alice = Claimant::of(&format!("ap:alice@{}", site.authority()));
    let webfinger = format!("/.well-known/webfinger?resource=acct%3Aalice%40social.test%3A{}", site.port());
    for target in [
        format!("https://127.0.0.1:{}/", victim.port()),
        format!("https://[::ffff:127.0.0.1]:{}/", victim.port()),
        format!("https://inside.test:{}/", victim.port()),
        format!("http://127.0.0.1:{}/", victim.port()),
        format!("http://social.test:{}/", victim.port()),
        "file:///etc/passwd".to_owned(),
        "gopher://social.test/".to_owned(),
    ] {
        site.put(&webfinger, Page::redirect(&target));
        alice.fails(&accounts.checker(), Why::Forbidden).await;
        assert!(!site.asked().is_empty());
    }
    victim.was_left_alone();
}

#[tokio::test]
async fn configured_places_are_guarded_too() {
    let accounts = Accounts::start().await;
    let (relay, victim) = (accounts.relay("relay.test").await, victim());
    relay.behave(Manner::Honest);
    let here = format!("https://127.0.0.1:{}", victim.port());
    let settings = Settings {
        github_url: here.parse().unwrap(),
        bluesky_url: here.parse().unwrap(),
        nostr_relays: vec![format!("wss://127.0.0.1:{}", victim.port()).parse().unwrap()],
        ..accounts.settings()
    };
    let checker = Checker::new(&settings).unwrap();
    let npub = kez_crypto::NostrKey::from_bytes([7; 32]).npub();
    for subject in ["github:alice", "bluesky:alice.test", &format!("nostr:{npub}")] {
        Claimant::of(subject).fails(&checker, Why::Forbidden).await;
    }
    victim.was_left_alone();
}

/// The operator's networks are reached, and no more than these.
#[tokio::test]
async fn networks_can_be_added() {
    let accounts = Accounts::start().await;
    let site = accounts.site(&HERE.to_string()).await;
    let alice = Claimant::of(&format!("web:{}", site.url("")));
    site.put(FILE, Page::text(alice.claim()));
    alice.verifies(&accounts.checker()).await;
    let checker = Checker::new(&Settings { networks: Vec::new(), ..accounts.settings() }).unwrap();
    alice.fails(&checker, Why::Forbidden).await;
    assert_eq!(site.asked().len(), 1);
}

#[tokio::test]
async fn a_host_that_takes_no_connection_is_told() {
    let accounts = Accounts::start().await;
    // A port that was free a moment ago, and that nobody listens at.
    let port = std::net::TcpListener::bind(SocketAddr::new(HERE, 0)).unwrap().local_addr().unwrap().port();
    let alice = Claimant::of(&format!("web:https://{HERE}:{port}"));
    alice.fails(&accounts.checker(), Why::NoAnswer).await;
    let nobody = Claimant::of("web:https://nobody.test");
    nobody.fails(&accounts.checker(), Why::NoAnswer).await;
}
