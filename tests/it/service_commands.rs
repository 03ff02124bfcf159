//! Each service's own command: its help names every variable, and a wrong value ends it at the start, by name.

use std::fs;

use tempfile::TempDir;
use tests::Mesh;
use tests::command::{Done, service};

/// Variables, each with values that no service may start with.
type Wrong = &'static [(&'static str, &'static [&'static str])];

/// Variables that every service knows.
const SHARED: Wrong = &[
    ("KEZ_NATS_URL", &["not a url", "nats://127.0.0.1:1", "nats://127.0.0.1:1,"]),
    ("KEZ_NATS_SEED_FILE", &["", "/nowhere/service.nk", "{file}"]),
    ("KEZ_CONCURRENCY", &["0", "-1", "many"]),
    ("KEZ_LOG", &["inbox=loud"]),
    ("KEZ_LOG_FORMAT", &["xml"]),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", &["not a url"]),
];

/// Each service with the variables that are its own.
const SERVICES: &[(&str, Wrong)] = &[
    (
        "inbox",
        &[
            ("KEZ_INBOX_STREAMS", &["0", "3", "512"]),
            ("KEZ_STREAM_REPLICAS", &["0", "6"]),
            ("KEZ_MAILBOX_MESSAGES", &["0", "-5"]),
            ("KEZ_PERSON_SENDS_PER_MINUTE", &["0"]),
            ("KEZ_PERSON_FETCHES_PER_MINUTE", &["0"]),
            ("KEZ_BATCHES_IN_FLIGHT", &["0", "17"]),
        ],
    ),
    (
        "registry",
        &[
            ("KEZ_SERVER", &["Kez.lat", "kez..lat", ""]),
            ("KEZ_PUBLIC_URL", &["kez.lat", "ftp://kez.lat"]),
            ("DATABASE_URL", &["mysql://kez@db/kez", "sqlite::memory:", "sqlite:///nowhere/registry.db"]),
        ],
    ),
    (
        "auth-callout",
        &[
            ("KEZ_SERVER", &["Kez.lat"]),
            ("KEZ_AUTH_ISSUER_SEED_FILE", &["/nowhere/issuer.nk", "{file}", "{xkey}"]),
            ("KEZ_AUTH_XKEY_SEED_FILE", &["/nowhere/xkey.nk", "{file}", "{issuer}"]),
            ("KEZ_SESSION_HOURS", &["0", "25"]),
        ],
    ),
    (
        "gateway",
        &[
            ("KEZ_LISTEN", &["8080", "localhost", "192.0.2.1:8080"]),
            ("KEZ_SERVER", &["Kez.lat"]),
            ("KEZ_PUBLIC_URL", &["kez.lat"]),
            ("KEZ_NATS_WEBSOCKET_URL", &["wss://127.0.0.1:4223", "127.0.0.1:4223"]),
            ("KEZ_NATS_PUBLIC_URLS", &["https://kez.lat"]),
            ("KEZ_ALLOWED_ORIGINS", &["https://kez.lat/", "kez.lat"]),
            ("KEZ_TRUSTED_PROXIES", &["everyone", "10.0.0.0/33"]),
            ("KEZ_SENDS_PER_MINUTE", &["0"]),
            ("KEZ_REGISTRATIONS_PER_MINUTE", &["0"]),
            ("KEZ_VERIFICATIONS_PER_MINUTE", &["0"]),
            ("KEZ_FRESH_VERIFICATIONS_PER_MINUTE", &["0"]),
            ("KEZ_STREAMS_PER_ADDRESS", &["0"]),
            ("KEZ_STREAMS", &["0"]),
            ("KEZ_TUNNELS_PER_ADDRESS", &["0"]),
            ("KEZ_TUNNELS_PER_MINUTE", &["0"]),
            ("KEZ_TUNNELS", &["0"]),
            ("KEZ_CONNECTIONS_PER_ADDRESS", &["0"]),
            ("KEZ_REQUESTS_PER_ADDRESS", &["0"]),
            ("KEZ_CONNECTIONS", &["0"]),
            ("KEZ_METRICS_LISTEN", &["localhost", "192.0.2.1:9090"]),
            ("KEZ_WEB_DIR", &["/nowhere", "{file}"]),
        ],
    ),
    (
        "push",
        &[
            ("DATABASE_URL", &["mysql://kez@db/kez", "sqlite:///nowhere/push.db"]),
            ("KEZ_VAPID_KEY_FILE", &["/nowhere/vapid.pem", "{file}"]),
            ("KEZ_VAPID_CONTACT", &["", "operator@kez.test", "mailto:", "http://kez.test"]),
            ("KEZ_ALLOW_PRIVATE_PUSH", &["10.0.0.0/33", "push.example"]),
            ("KEZ_PUSH_CA_FILE", &["/nowhere/ca.pem", "{file}"]),
            ("KEZ_PUSH_RESOLVERS", &["resolver.example"]),
            ("KEZ_PERSON_PUSH_CALLS_PER_MINUTE", &["0"]),
        ],
    ),
    (
        "sigchain",
        &[
            ("DATABASE_URL", &["mysql://kez@db/kez"]),
            ("KEZ_STREAM_REPLICAS", &["0", "6"]),
            ("KEZ_PERSON_APPENDS_PER_MINUTE", &["0"]),
            ("KEZ_PERSON_CHECKS_PER_MINUTE", &["0"]),
            ("KEZ_PROOF_RESOLVERS", &["resolver.example"]),
            ("KEZ_PROOF_GITHUB_URL", &["ftp://api.github.com", "api.github.com"]),
            ("KEZ_PROOF_GITHUB_TOKEN_FILE", &["/nowhere/token"]),
            ("KEZ_PROOF_NOSTR_RELAYS", &["https://relay.example"]),
            ("KEZ_PROOF_BLUESKY_URL", &["bsky.app"]),
            ("KEZ_PROOF_NETWORKS", &["10.0.0.0/33"]),
            ("KEZ_PROOF_CA_FILE", &["/nowhere/ca.pem", "{file}"]),
            ("KEZ_PROOF_MILLISECONDS", &["0"]),
        ],
    ),
];

#[test]
fn help_names_every_variable_and_says_what_it_is_for() {
    let home = tempfile::tempdir().unwrap();
    for (name, own) in SERVICES {
        let help = service(home.path(), name, &["--help"], &[]).well();
        let options: Vec<&str> = help.split("\n      --").skip(1).collect();
        let mut named: Vec<&str> = options.iter().filter_map(|option| variable(option)).collect();
        // The table below is complete, and so is the help.
        let mut wanted: Vec<&str> = SHARED.iter().chain(*own).map(|(variable, _)| *variable).collect();
        named.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(named, wanted, "kez-{name}");
        for option in options {
            let words = option.lines().nth(1).unwrap_or_default().trim();
            assert!(words.split(' ').count() > 2, "kez-{name}: {option}");
        }
        let version = service(home.path(), name, &["--version"], &[]).well();
        assert_eq!(version.trim(), format!("kez-{name} {}", env!("CARGO_PKG_VERSION")));
    }
}

/// The variable that an option of a help text can be set by.
fn variable(option: &str) -> Option<&str> {
    option.split_once("[env: ")?.1.split(['=', ']']).next()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_value_ends_it_at_the_start_by_name() {
    let mesh = Mesh::broker().await;
    let home = tempfile::tempdir().unwrap();
    for (name, own) in SERVICES {
        for (variable, values) in SHARED.iter().chain(*own) {
            for value in *values {
                let done = start_with(&mesh, &home, name, variable, value);
                let said = done.stderr.lines().find(|line| line.contains(variable));
                assert!(
                    done.code.is_some_and(|code| code != 0),
                    "kez-{name} with {variable}={value}: {done:?}"
                );
                assert!(said.is_some_and(|line| line.starts_with("error: ")), "kez-{name}: {done:?}");
            }
        }
    }
}

/// Starts a service with everything right except for this.
fn start_with(mesh: &Mesh, home: &TempDir, name: &str, variable: &str, value: &str) -> Done {
    let text = |path: std::path::PathBuf| path.display().to_string();
    let file = home.path().join("file");
    fs::write(&file, "nothing that anybody wants").unwrap();
    let (issuer, xkey) = (text(mesh.keys.issuer_file()), text(mesh.keys.xkey_file()));
    let value = match value {
        "{file}" => text(file),
        "{issuer}" => issuer.clone(),
        "{xkey}" => xkey.clone(),
        other => other.to_owned(),
    };
    let seed = text(mesh.keys.seed_file(name));
    let database = format!("sqlite://{}?mode=rwc", home.path().join("registry.db").display());
    let vapid = text(home.path().join("vapid.pem"));
    let mut variables = vec![
        ("KEZ_NATS_URL", mesh.plan.nats_url.as_str()),
        ("KEZ_NATS_SEED_FILE", &seed),
        ("KEZ_AUTH_ISSUER_SEED_FILE", &issuer),
        ("KEZ_AUTH_XKEY_SEED_FILE", &xkey),
        ("DATABASE_URL", &database),
        ("KEZ_VAPID_KEY_FILE", &vapid),
        ("KEZ_VAPID_CONTACT", "mailto:operator@kez.test"),
        ("KEZ_LISTEN", "127.0.0.1:0"),
    ];
    variables.retain(|(given, _)| *given != variable);
    variables.push((variable, &value));
    service(home.path(), name, &[], &variables)
}
