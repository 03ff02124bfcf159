//! A nats-server of its own for each test, on the production account file, with a registry and auth callouts on it.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use async_nats::Client;
use clap::Parser;
use kez_service::{Clock, NatsConfig, Running, connect, random};
use nkeys::{KeyPair, KeyPairType, XKey};
use tempfile::TempDir;

pub const SERVER: &str = "kez.test";

const USERS: [&str; 8] =
    ["sys", "auth-callout", "registry", "inbox", "sigchain", "push", "gateway", "operator"];

/// Killed when it is dropped.
pub struct Broker {
    child: Child,
    folder: TempDir,
    pub address: String,
}

impl Broker {
    /// Nothing where nats-server is not installed, after saying so.
    pub fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let nats = concat!(env!("CARGO_MANIFEST_DIR"), "/../../nats");
        let quoted = |name: &str| format!("\"{}\"", folder.path().join(name).display());
        let mut command = Command::new("nats-server");
        command
            .args(["-c", &format!("{nats}/server.conf")])
            .env("KEZ_NATS_LISTEN", "\"127.0.0.1:-1\"")
            .env("KEZ_NATS_WEBSOCKET_LISTEN", "\"127.0.0.1:-1\"")
            .env("KEZ_NATS_PID_FILE", quoted("pid"))
            .env("KEZ_NATS_STATE_DIR", quoted(""))
            .env("KEZ_NATS_STORE_DIR", quoted("streams"))
            .stderr(Stdio::null());
        let seed_file = |name: &str, seed: String| fs::write(folder.path().join(name), seed).unwrap();
        for user in USERS {
            let pair = KeyPair::new_from_raw(KeyPairType::User, random::bytes()).unwrap();
            command.env(format!("KEZ_NKEY_{}", user.replace('-', "_").to_uppercase()), pair.public_key());
            seed_file(user, pair.seed().unwrap());
        }
        let issuer = KeyPair::new_from_raw(KeyPairType::Account, random::bytes()).unwrap();
        seed_file("issuer", issuer.seed().unwrap());
        let xkey = XKey::new_from_raw(random::bytes());
        seed_file("xkey", xkey.seed().unwrap());
        command.env("KEZ_NKEY_ISSUER", issuer.public_key()).env("KEZ_XKEY_AUTH_CALLOUT", xkey.public_key());
        let Ok(mut child) = command.spawn() else {
            println!("skipped: nats-server is not on PATH");
            return None;
        };
        let ports = folder.path().join(format!("nats-server_{}.ports", child.id()));
        let address = loop {
            let text = fs::read_to_string(&ports).unwrap_or_default();
            if let Ok(ports) = serde_json::from_str::<serde_json::Value>(&text) {
                break ports["nats"][0].as_str().unwrap().replace("nats://", "");
            }
            assert!(child.try_wait().unwrap().is_none(), "nats-server ended at once");
            std::thread::yield_now();
        };
        Some(Self { child, folder, address })
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub async fn connect(&self, user: &str) -> Client {
        let url = format!("nats://{}", self.address);
        connect(user, &NatsConfig { url, seed_file: self.file(user), concurrency: 64 }).await.unwrap()
    }

    pub async fn registry(&self) -> Running {
        let database = format!("--database-url=sqlite://{}?mode=rwc", self.file("registry.db").display());
        let arguments = ["kez-registry", "--nats-seed-file=-", "--server", SERVER, &database];
        let settings = registry::Config::try_parse_from(arguments).unwrap().settings;
        registry::start(&self.connect("registry").await, settings, Clock::default(), 64).await.unwrap()
    }

    pub async fn auth_callout(&self) -> Running {
        let settings = auth_callout::Settings {
            server: SERVER.to_owned(),
            issuer_seed_file: self.file("issuer"),
            xkey_seed_file: self.file("xkey"),
            session_hours: 24,
        };
        let nats = self.connect("auth-callout").await;
        auth_callout::start(&nats, settings, Clock::default(), 64).await.unwrap()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
