//! `kez up` and the commands around it, as somebody types them for the first time, and again the day after.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;
use tests::Mesh;
use tests::command::{Done, Up, kez};

/// Somebody at a terminal, with a folder of their own.
struct Terminal {
    home: TempDir,
}

impl Terminal {
    fn open() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn data(&self) -> PathBuf {
        self.path("data")
    }

    #[track_caller]
    fn up(&self) -> Up {
        let up = Up::start(self.home.path(), &self.data(), &[], &[]);
        up.unwrap_or_else(|done| panic!("kez up did not start: {done:?}"))
    }

    /// What somebody types, as the identity in their own file.
    fn kez_as(&self, who: &str, up: &Up, arguments: &[&str]) -> Done {
        let file = self.path(&format!("{who}.json"));
        let variables = [
            ("KEZ_IDENTITY", file.to_str().unwrap()),
            ("KEZ_PASSPHRASE", "correct horse battery"),
            ("KEZ_URL", &up.web),
        ];
        kez(self.home.path(), arguments, &variables)
    }

    #[track_caller]
    fn register(&self, who: &str, up: &Up) -> Value {
        let identity = self.kez_as(who, up, &["identity", "new", "--json"]).json().remove(0);
        let registered = self.kez_as(who, up, &["register", who, "--json"]).json().remove(0);
        assert_eq!(registered["record"]["primary"], identity["primary"]);
        identity
    }

    /// The words in somebody's inbox, each with who wrote them.
    #[track_caller]
    fn inbox(&self, who: &str, up: &Up) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned();
        let mail = self.kez_as(who, up, &["inbox", "--json"]).json();
        mail.iter().map(|message| (text(&message["handle"]), text(&message["body"]["text"]))).collect()
    }

    /// The nats-server of this folder; none when it has ended.
    fn broker(&self) -> Option<u32> {
        let pid = fs::read_to_string(self.data().join("nats/nats-server.pid")).ok()?.trim().parse().ok()?;
        is_nats_server(pid).then_some(pid)
    }
}

/// One that has ended has no command line, even before anybody took note of it.
fn is_nats_server(pid: u32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline"))
        .is_ok_and(|line| line.windows(11).any(|word| word == b"nats-server"))
}

#[test]
fn two_people_talk_and_the_next_day_it_is_all_there() {
    let terminal = Terminal::open();
    let up = terminal.up();
    println!("kez up was ready after {:?}", up.took);
    let limit = if cfg!(debug_assertions) { 10 } else { 2 };
    assert!(up.took < Duration::from_secs(limit), "{:?}", up.took);
    only_its_owner_may_read(&terminal.data());

    let alice = terminal.register("alice", &up);
    terminal.register("bob", &up);
    let found = terminal.kez_as("bob", &up, &["whois", "alice", "--json"]).json().remove(0);
    assert_eq!((&found["primary"], &found["fqhn"]), (&alice["primary"], &Value::from("alice@localhost")));
    let sent = terminal.kez_as("alice", &up, &["send", "bob", "hello,", "Bob", "--json"]).json().remove(0);
    assert!(sent["seq"].as_u64().is_some_and(|seq| seq > 0), "{sent}");
    let wanted = [("alice".to_owned(), "hello, Bob".to_owned())];
    assert_eq!(terminal.inbox("bob", &up), wanted);
    the_mesh_is_complete(&terminal, &up);
    let data = terminal.data();
    terminal.kez_as("alice", &up, &["doctor", "--data", data.to_str().unwrap()]).well();

    // The evening, by Ctrl-C; the next, as a power cut would do it.
    let broker = terminal.broker().expect("its nats-server runs");
    let done = up.end(Signal::INT);
    assert!(done.code == Some(0) && !done.stderr.contains("error"), "{done:?}");
    assert!(!is_nats_server(broker), "nothing is left behind");
    let up = terminal.up();
    assert_eq!(terminal.inbox("bob", &up), wanted);
    let broker = terminal.broker().expect("its nats-server runs");
    assert_eq!(up.end(Signal::KILL).code, None);

    let up = terminal.up();
    assert!(!is_nats_server(broker), "the nats-server that was left behind is gone");
    assert_eq!(terminal.inbox("bob", &up), wanted);
    terminal.kez_as("bob", &up, &["send", "alice", "hello, Alice"]).well();
    assert_eq!(terminal.inbox("alice", &up), [("bob".to_owned(), "hello, Alice".to_owned())]);
    only_its_owner_may_read(&terminal.data());
    assert_eq!(up.end(Signal::TERM).code, Some(0));
    assert_eq!(terminal.broker(), None);
}

#[test]
fn ctrl_c_during_the_start_leaves_nothing_behind() {
    let terminal = Terminal::open();
    let mut starting = Up::begin(terminal.home.path(), &terminal.data());
    let broker = loop {
        assert!(starting.try_wait().unwrap().is_none(), "it ended before it was asked to");
        if let Some(broker) = terminal.broker() {
            break broker;
        }
    };
    let pid = rustix::process::Pid::from_child(&starting);
    rustix::process::kill_process(pid, Signal::INT).unwrap();
    assert_eq!(starting.wait().unwrap().code(), Some(0));
    // It was killed, and takes a moment to die.
    let killed = Instant::now();
    while is_nats_server(broker) {
        assert!(killed.elapsed() < Duration::from_secs(5), "it is left behind");
    }
}

#[test]
fn a_broker_that_dies_ends_it_and_says_so() {
    let terminal = Terminal::open();
    let up = terminal.up();
    tests::process::kill(terminal.broker().expect("its nats-server runs"));
    let said = up.wait().one_line(1);
    assert!(said.starts_with("nats-server ended by itself (signal: 9"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_runs_on_somebody_elses_broker_too() {
    let terminal = Terminal::open();
    let mesh = Mesh::broker().await;
    let flags = [
        format!("--nats-url={}", mesh.plan.nats_url),
        format!("--nats-websocket-url={}", mesh.plan.nats_websocket_url),
    ];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let up =
        Up::start(terminal.home.path(), mesh.folder(), &flags, &[]).unwrap_or_else(|done| panic!("{done:?}"));
    terminal.register("alice", &up);
    terminal.kez_as("alice", &up, &["send", "alice", "a note to myself"]).well();
    assert_eq!(terminal.inbox("alice", &up), [("alice".to_owned(), "a note to myself".to_owned())]);
    assert_eq!(up.end(Signal::INT).code, Some(0));
    mesh.user("operator").await.flush().await.expect("the broker goes on");
}

#[test]
fn what_stands_in_the_way_is_told_in_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for flag in ["--listen", "--nats-listen", "--websocket-listen"] {
        let terminal = Terminal::open();
        let said = refused(&terminal, &[&format!("{flag}={address}")], &[]);
        assert!(said.contains(&address.to_string()) && said.contains(&format!("with {flag}")), "{said}");
    }

    let terminal = Terminal::open();
    fs::write(terminal.path("file"), "").unwrap();
    fs::create_dir(terminal.path("locked")).unwrap();
    fs::set_permissions(terminal.path("locked"), PermissionsExt::from_mode(0o500)).unwrap();
    let mut unusable = vec![terminal.path("file").join("data")];
    if rustix::process::geteuid().is_root() {
        println!("a folder that may not be written to: skipped, root may write anywhere");
    } else {
        unusable.extend([terminal.path("locked"), terminal.path("locked").join("data")]);
    }
    for data in unusable {
        let done = Up::start(terminal.home.path(), &data, &[], &[]).err().unwrap();
        let said = done.one_line(1);
        assert!(said.contains(data.to_str().unwrap()) && said.contains("--data"), "{said}");
    }

    for (script, wanted) in [
        ("echo 'nats-server: v2.9.10'", "v2.9.10 is too old: Kez needs 2.15.1 or newer"),
        ("echo 'nats-server: v2.15.0'", "v2.15.0 is too old"),
        ("echo 'who knows'", "cannot tell a version from \"who knows\""),
        ("exit 7", "cannot tell a version"),
        ("[ $1 = --version ] && echo 'nats-server: v2.15.1' || echo 'nats-server: no luck' >&2", "no luck"),
    ] {
        let server = terminal.path("nats-server");
        fs::write(&server, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&server, PermissionsExt::from_mode(0o700)).unwrap();
        let said = refused(&terminal, &[], &[("KEZ_NATS_SERVER", server.to_str().unwrap())]);
        assert!(said.contains(wanted), "{script}: {said}");
    }
    let said = refused(&terminal, &["--nats-server=/nowhere/nats-server"], &[]);
    assert!(said.contains("KEZ_NATS_SERVER") && said.contains("./justw"), "{said}");

    for (variable, value, wanted) in [
        (
            "DATABASE_URL",
            "mysql://kez:s3cret@db/kez",
            "DATABASE_URL begins with neither sqlite: nor postgres:",
        ),
        ("KEZ_MAILBOX_MESSAGES", "0", "KEZ_MAILBOX_MESSAGES"),
        ("KEZ_INBOX_STREAMS", "3", "KEZ_INBOX_STREAMS"),
        ("KEZ_TRUSTED_PROXIES", "everyone", "KEZ_TRUSTED_PROXIES"),
        ("KEZ_SESSION_HOURS", "25", "KEZ_SESSION_HOURS"),
        ("KEZ_VAPID_CONTACT", "operator", "KEZ_VAPID_CONTACT"),
        ("KEZ_ALLOW_PRIVATE_PUSH", "everyone", "KEZ_ALLOW_PRIVATE_PUSH"),
        ("KEZ_LOG", "inbox=loud", "KEZ_LOG"),
    ] {
        let said = refused(&terminal, &[], &[(variable, value)]);
        assert!(said.contains(wanted) && !said.contains("s3cret"), "{variable}: {said}");
    }
    for (variable, value) in
        [("KEZ_LISTEN", "8080"), ("KEZ_SERVER", "Kez.lat"), ("KEZ_PUBLIC_URL", "kez.lat")]
    {
        let done = kez(terminal.home.path(), &["up"], &[(variable, value)]);
        assert!(done.code == Some(2) && done.stderr.contains(variable), "{done:?}");
    }
}

#[test]
fn what_stands_in_the_data_folder_is_told_in_one_line() {
    let terminal = Terminal::open();
    let up = terminal.up();
    let said = refused(&terminal, &[], &[]);
    assert!(said.contains("another kez up runs on") && said.contains("--data"), "{said}");
    terminal.kez_as("alice", &up, &["identity", "new"]).well();
    terminal.kez_as("alice", &up, &["register", "alice"]).well();
    assert_eq!(up.end(Signal::INT).code, Some(0));

    let said = refused(&terminal, &[], &[("KEZ_INBOX_STREAMS", "4")]);
    assert!(said.contains("Set KEZ_INBOX_STREAMS=1"), "{said}");

    let key = terminal.data().join("keys/inbox.nk");
    let seed = fs::read(&key).unwrap();
    let issuer = fs::read(terminal.data().join("keys/issuer.nk")).unwrap();
    for broken in [b"".as_slice(), b"nonsense\n", &issuer] {
        fs::write(&key, broken).unwrap();
        let said = refused(&terminal, &[], &[]);
        assert!(said.contains("keys/inbox.nk") && said.contains("restore the file"), "{said}");
    }
    fs::write(&key, seed).unwrap();

    let vapid = terminal.data().join("keys/vapid.pem");
    let signed_with = fs::read(&vapid).unwrap();
    fs::write(&vapid, "nonsense").unwrap();
    let said = refused(&terminal, &[], &[]);
    assert!(said.contains("keys/vapid.pem") && said.contains("KEZ_VAPID_KEY_FILE"), "{said}");
    fs::write(&vapid, signed_with).unwrap();

    let database = terminal.data().join("registry.db");
    let people = fs::read(&database).unwrap();
    fs::write(&database, "this is no database, whatever its name says".repeat(100)).unwrap();
    let said = refused(&terminal, &[], &[]);
    assert!(said.contains("DATABASE_URL"), "{said}");
    fs::write(&database, people).unwrap();

    // None of this has done any harm.
    let up = terminal.up();
    terminal.kez_as("alice", &up, &["whois", "alice"]).well();
}

/// The one line with which `kez up` does not start, and leaves nothing running.
#[track_caller]
fn refused(terminal: &Terminal, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let before = terminal.broker();
    let started = Up::start(terminal.home.path(), &terminal.data(), arguments, variables);
    let said = started.err().expect("it does not start").one_line(1);
    assert_eq!(terminal.broker(), before, "{said}");
    said
}

#[track_caller]
fn the_mesh_is_complete(terminal: &Terminal, up: &Up) {
    let seed = terminal.data().join("keys/operator.nk");
    let arguments =
        ["mesh", "--once", "--json", "--nats-url", &up.nats, "--operator-seed-file", seed.to_str().unwrap()];
    // Who is busy answers the roll call too late.
    let begun = Instant::now();
    let services = loop {
        let services = terminal.kez_as("alice", up, &arguments).json();
        let names: Vec<&str> = services.iter().filter_map(|service| service["name"].as_str()).collect();
        if names == ["auth-callout", "inbox", "push", "registry", "sigchain"] {
            break services;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{services:?}");
    };
    assert!(services.iter().all(|service| service["replicas"] == 1), "{services:?}");
    let picture = terminal.kez_as("alice", up, &[&arguments[..2], &arguments[3..]].concat()).well();
    assert!(picture.starts_with("SERVICE") && picture.lines().count() == 6, "{picture}");
}

#[track_caller]
fn only_its_owner_may_read(folder: &Path) {
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder), 0o700, "{}", folder.display());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            only_its_owner_may_read(&path);
        } else {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }
}
