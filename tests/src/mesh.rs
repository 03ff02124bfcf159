//! A whole mesh for one test, in a folder that vanishes with it.

use std::path::Path;

use async_nats::Client as Nats;
use kez::client::{Client, ConnectFault, Connection, SignIn};
use kez::up::keys::Keys;
use kez::up::mesh::{self as services, Mesh as Services, Plan, connect_as};
use kez::up::nats_server::{self, NatsServer, Place};
use kez_crypto::SecretKey;
use kez_service::{Clock, random};
use tempfile::TempDir;

use crate::person::Person;

/// The domain of every mesh under test.
pub const SERVER: &str = "kez.test";

/// A broker, and the services that were started on it.
pub struct Mesh {
    folder: TempDir,
    pub keys: Keys,
    pub plan: Plan,
    /// The services' clock; people's clocks are their own.
    pub clock: Clock,
    place: Place,
    broker: Option<NatsServer>,
    pub services: Option<Services>,
}

impl Mesh {
    /// Everything, on SQLite.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Everything, with more flags for some services, such as `("inbox", "--mailbox-messages=5")`.
    pub async fn with(flags: &[(&'static str, &str)]) -> Self {
        let mut mesh = Self::broker_with(flags).await;
        let services = Services::start(&mesh.plan, &mesh.keys, &mesh.clock).await.expect("the services start");
        mesh.plan.public_url = format!("http://{}", services.gateway.address());
        mesh.services = Some(services);
        mesh
    }

    /// A broker alone: the test starts the services it wants.
    pub async fn broker() -> Self {
        Self::broker_with(&[]).await
    }

    async fn broker_with(flags: &[(&'static str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(&folder.path().join("keys")).unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let mut place = Place { folder: folder.path().join("nats"), listen: any, websocket: any };
        let broker = start_broker(&place, &keys).await;
        // A restart takes the same ports, so that everyone finds it again.
        place.listen = address(&broker.url);
        place.websocket = address(&broker.websocket_url);
        let plan = Plan {
            nats_url: broker.url.clone(),
            nats_websocket_url: broker.websocket_url.clone(),
            server: SERVER.to_owned(),
            public_url: "http://kez.test".to_owned(),
            database_url: format!("sqlite://{}?mode=rwc", folder.path().join("registry.db").display()),
            listen: any,
            extra: flags.iter().map(|(service, flag)| (*service, (*flag).to_owned())).collect(),
        };
        Self { folder, keys, plan, clock: Clock::default(), place, broker: Some(broker), services: None }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The gateway, `http://…`.
    pub fn http(&self) -> String {
        format!("http://{}", self.services.as_ref().expect("a gateway runs").gateway.address())
    }

    /// The gateway's way to the broker, `ws://…/v1/nats`.
    pub fn tunnel(&self) -> String {
        format!("{}/v1/nats", self.http().replace("http://", "ws://"))
    }

    /// Registers somebody and connects them over NATS.
    pub async fn person(&self, handle: &str) -> Person {
        let person = self.stranger().await;
        person.client.register(handle).await.unwrap_or_else(|problem| panic!("{handle} registers: {problem}"));
        Person { handle: handle.to_owned(), ..person }
    }

    /// Somebody with a new key who is connected but not registered.
    pub async fn stranger(&self) -> Person {
        let secret = SecretKey::from_seed(random::bytes());
        let client = self.connect(&secret).await.expect("a stranger may connect");
        Person { secret, client, handle: String::new() }
    }

    /// Connects over plain NATS.
    pub async fn connect(&self, secret: &SecretKey) -> Result<Client, ConnectFault> {
        Client::connect(self.connection(&self.plan.nats_url, secret)).await
    }

    /// Connects to the broker's own WebSocket.
    pub async fn connect_websocket(&self, secret: &SecretKey) -> Result<Client, ConnectFault> {
        Client::connect(self.connection(&self.plan.nats_websocket_url, secret)).await
    }

    /// Connects in the plain way: the identity key itself signs the broker's nonce.
    pub async fn connect_plain(&self, secret: &SecretKey) -> Result<Client, ConnectFault> {
        let connection = self.connection(&self.plan.nats_url, secret);
        Client::connect(Connection { sign_in: SignIn::Plain, ..connection }).await
    }

    pub fn connection(&self, url: &str, secret: &SecretKey) -> Connection {
        Connection::new(url, SERVER, secret)
    }

    /// One of the mesh's own users of the broker.
    pub async fn user(&self, user: &'static str) -> Nats {
        connect_as(user, &self.plan.nats_url, &self.keys).await.expect("the mesh's own users connect")
    }

    /// Kills nats-server, without a chance to tidy up, and starts it again on the same ports and the same folder.
    pub async fn restart_broker(&mut self) {
        self.kill_broker().await;
        self.broker = Some(start_broker(&self.place, &self.keys).await);
    }

    /// Kills nats-server, without a chance to tidy up.
    pub async fn kill_broker(&mut self) {
        // Dropping kills; waiting makes sure that its ports are free.
        let mut broker = self.broker.take().expect("the broker runs");
        crate::process::kill(broker.pid().expect("the broker runs"));
        broker.ended().await.unwrap();
    }

    /// Stops every service of this process, as `kez up` does.
    pub async fn stop_services(&mut self) {
        self.services.take().expect("services run").stop().await.expect("services stop");
    }

    /// Another replica of the registry, in this process.
    pub async fn another_registry(&self) -> kez_service::Running {
        services::registry(&self.plan, &self.keys, &self.clock).await.expect("a registry starts")
    }

    /// Another replica of the inbox, in this process.
    pub async fn another_inbox(&self) -> kez_service::Running {
        services::inbox(&self.plan, &self.keys, &self.clock).await.expect("an inbox starts")
    }
}

async fn start_broker(place: &Place, keys: &Keys) -> NatsServer {
    let binary = nats_server::find(None).expect("nats-server is on PATH: run tests through ./justw test");
    NatsServer::start(&binary, place, keys).await.expect("nats-server starts")
}

fn address(url: &str) -> std::net::SocketAddr {
    url.rsplit('/').next().and_then(|address| address.parse().ok()).expect("a URL with an address")
}
