//! A node with the configuration of a cluster: services come over TLS, people through the gateway beside it.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kez::client::{Client, Connection};
use kez::up::keys::Keys;
use kez_crypto::SecretKey;
use kez_service::random;
use rcgen::generate_simple_self_signed;
use tempfile::TempDir;
use tests::broker::free_addresses;
use tests::operator::until_replicas;
use tests::process::binary;
use tokio::net::TcpStream;

/// The domain in the example environments.
const SERVER: &str = "example.org";
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_through_the_gateway_beside_a_node() {
    let node = Node::start().await;
    let operator = node.operator().await;
    let _services = ["auth-callout", "registry", "gateway"].map(|service| node.start_service(service));
    until_listening(node.web).await;
    until_replicas(&operator, "registry", 1).await;
    until_replicas(&operator, "auth-callout", 1).await;
    let alice = SecretKey::from_seed(random::bytes());
    let tunnel = format!("ws://{}/v1/nats", node.web);
    let alice = Client::connect(Connection::new(tunnel, SERVER, &alice)).await.unwrap();
    assert_eq!(alice.register("alice").await.unwrap().record.handle.to_string(), "alice");
}

/// One of three; the other two are away, and streams, which need a majority, with them.
struct Node {
    folder: TempDir,
    keys: Keys,
    listen: SocketAddr,
    websocket: SocketAddr,
    web: SocketAddr,
    _process: Started,
}

impl Node {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(&folder.path().join("keys")).unwrap();
        let certified = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        fs::write(certificate(&folder), certified.cert.pem()).unwrap();
        fs::write(folder.path().join("node.key"), certified.signing_key.serialize_pem()).unwrap();
        let [listen, websocket, cluster, web] = free_addresses();
        let quoted = |text: &dyn std::fmt::Display| format!("\"{text}\"");
        let path = |name: &str| quoted(&folder.path().join(name).display());
        let process = Command::new("nats-server")
            .arg("-c")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../nats/server.conf.cluster"))
            .envs(keys.environment().iter().map(|(name, key)| (name, key)))
            .env("KEZ_NATS_NAME", "one")
            .env("KEZ_NATS_LISTEN", quoted(&listen))
            .env("KEZ_NATS_WEBSOCKET_LISTEN", quoted(&websocket))
            .env("KEZ_NATS_CLUSTER_LISTEN", quoted(&cluster))
            .env("KEZ_NATS_ROUTE_1", quoted(&format!("nats-route://{cluster}")))
            .env("KEZ_NATS_ROUTE_2", "\"nats-route://127.0.0.1:1\"")
            .env("KEZ_NATS_ROUTE_3", "\"nats-route://127.0.0.1:2\"")
            .env("KEZ_NATS_STORE_DIR", path("streams"))
            .env("KEZ_NATS_CERT", path("node.pem"))
            .env("KEZ_NATS_CA", path("node.pem"))
            .env("KEZ_NATS_KEY", path("node.key"))
            .env("KEZ_PUBLIC_URL", quoted(&format!("https://{SERVER}")))
            .stderr(File::create(folder.path().join("nats-server.log")).unwrap())
            .spawn();
        let process = Started(process.unwrap());
        until_listening(listen).await;
        until_listening(websocket).await;
        Self { folder, keys, listen, websocket, web, _process: process }
    }

    async fn operator(&self) -> async_nats::Client {
        let seed = fs::read_to_string(self.keys.seed_file("operator")).unwrap();
        async_nats::ConnectOptions::with_nkey(seed.trim().to_owned())
            .custom_inbox_prefix("_INBOX_operator")
            .add_root_certificates(certificate(&self.folder))
            .connect(format!("tls://{}", self.listen))
            .await
            .unwrap()
    }

    /// With its example environment, but for what is particular to the machine.
    fn start_service(&self, service: &str) -> Started {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/env");
        let example = fs::read_to_string(example.join(format!("{service}.example"))).unwrap();
        let database = format!("sqlite://{}?mode=rwc", self.folder.path().join("registry.db").display());
        let example = example
            .replace("127.0.0.1:4222", &self.listen.to_string())
            .replace("127.0.0.1:4223", &self.websocket.to_string())
            .replace("127.0.0.1:8080", &self.web.to_string())
            .replace("127.0.0.1:9090", "127.0.0.1:0")
            .replace("/etc/kez/keys", &self.folder.path().join("keys").display().to_string())
            .replace("postgres://kez:password@127.0.0.1/kez", &database);
        let variables = example.lines().filter(|line| !line.starts_with('#'));
        let log = File::create(self.folder.path().join(format!("{service}.log"))).unwrap();
        let child = Command::new(binary(&format!("kez-{service}")))
            .envs(variables.filter_map(|line| line.split_once('=')))
            .env("SSL_CERT_FILE", certificate(&self.folder))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        Started(child.unwrap())
    }
}

fn certificate(folder: &TempDir) -> PathBuf {
    folder.path().join("node.pem")
}

/// Ended with the test.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn until_listening(address: SocketAddr) {
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(address).await.is_err() {
        assert!(Instant::now() < deadline, "nobody listens");
    }
}
