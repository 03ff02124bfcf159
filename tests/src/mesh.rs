//! A whole mesh for one test, in a folder that vanishes with it.

use std::fs;
use std::path::Path;

use async_nats::Client as Nats;
use kez::client::{Client, ConnectFault, Connection, SignIn};
use kez::http::HttpClient;
use kez::speaker::Speaker;
use kez::up::keys::Keys;
use kez::up::mesh::{self as services, Mesh as Services, Plan, connect_as};
use kez::up::nats_server::Place;
use kez_crypto::{PublicKey, SecretKey};
use kez_service::{Clock, Running, random};
use tempfile::TempDir;

use crate::broker::{Broker, free_addresses};
use crate::cable::Cable;
use crate::database::Database;
use crate::marks::{all_files, copy_folder};
use crate::operator::until_replicas;
use crate::person::Person;
use crate::web::Web;

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
    broker: Broker,
    pub registry: Option<Running>,
    pub inbox: Option<Running>,
    pub sigchain: Option<Running>,
    pub push: Option<Running>,
    pub auth_callout: Option<Running>,
    pub gateway: Option<gateway::Running>,
    /// Kept until the mesh is gone.
    database: Option<Database>,
}

impl Mesh {
    /// Everything, on SQLite.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Everything, with more flags for some services, such as `("inbox", "--mailbox-messages=5")`.
    pub async fn with(flags: &[(&'static str, &str)]) -> Self {
        Self::broker_with(flags).await.and_services().await
    }

    /// Everything, on PostgreSQL; or none, with the reason printed.
    pub async fn on_postgres() -> Option<Self> {
        Self::on_postgres_with(&[]).await
    }

    /// The same, with more flags for some services.
    pub async fn on_postgres_with(flags: &[(&'static str, &str)]) -> Option<Self> {
        let database = Database::postgres()?;
        let mut mesh = Self::broker_with(flags).await;
        mesh.plan.database_url = database.url.clone();
        mesh.plan.sigchain_database_url = database.url.clone();
        mesh.plan.push_database_url = database.url.clone();
        mesh.database = Some(database);
        Some(mesh.and_services().await)
    }

    /// A broker alone: the test starts the services it wants.
    pub async fn broker() -> Self {
        Self::broker_with(&[]).await
    }

    async fn and_services(mut self) -> Self {
        self.start_services().await;
        self
    }

    async fn broker_with(flags: &[(&'static str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(&folder.path().join("keys")).unwrap();
        let database = folder.path().join("database");
        fs::create_dir(&database).unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        // A restart takes the same ports, so that everyone finds it again.
        let [listen, websocket] = free_addresses();
        let place = Place { folder: folder.path().join("nats"), listen, websocket };
        let broker = Broker::start(&place, &keys).await;
        let plan = Plan {
            nats_url: broker.url(),
            nats_websocket_url: broker.websocket_url(),
            server: SERVER.to_owned(),
            public_url: "http://kez.test".to_owned(),
            database_url: format!("sqlite://{}?mode=rwc", database.join("registry.db").display()),
            sigchain_database_url: format!("sqlite://{}?mode=rwc", database.join("sigchain.db").display()),
            push_database_url: format!("sqlite://{}?mode=rwc", database.join("push.db").display()),
            vapid_contact: format!("mailto:operator@{SERVER}"),
            listen: any,
            // Stories are the same whether or not the web client was built.
            extra: [("gateway", "--web-dir=none")]
                .iter()
                .chain(flags)
                .map(|(service, flag)| (*service, (*flag).to_owned()))
                .collect(),
        };
        Self {
            folder,
            keys,
            plan,
            clock: Clock::default(),
            place,
            broker,
            registry: None,
            inbox: None,
            sigchain: None,
            push: None,
            auth_callout: None,
            gateway: None,
            database: None,
        }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The gateway, `http://…`.
    pub fn http(&self) -> String {
        format!("http://{}", self.gateway.as_ref().expect("a gateway runs").address())
    }

    /// The gateway's way to the broker, `ws://…/v1/nats`.
    pub fn tunnel(&self) -> String {
        format!("{}/v1/nats", self.http().replace("http://", "ws://"))
    }

    /// Somebody who asks the gateway, word for word.
    pub fn web(&self) -> Web {
        Web::new(&self.http())
    }

    /// The same person's client over HTTP.
    pub fn http_client(&self, secret: &SecretKey) -> HttpClient {
        HttpClient::new(&self.http(), SERVER, secret, &self.clock).unwrap()
    }

    /// Registers somebody and connects them over NATS.
    pub async fn person(&self, handle: &str) -> Person {
        let person = self.stranger().await;
        person
            .client
            .register(handle)
            .await
            .unwrap_or_else(|problem| panic!("{handle} registers: {problem}"));
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

    /// Connects through the gateway's tunnel.
    pub async fn connect_tunnel(&self, secret: &SecretKey) -> Result<Client, ConnectFault> {
        Client::connect(self.connection(&self.tunnel(), secret)).await
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
        self.start_broker().await;
    }

    /// Starts nats-server again after a kill, on the same ports and the same folder.
    pub async fn start_broker(&mut self) {
        self.broker.start_again(&self.place, &self.keys).await;
    }

    /// Waits until every service of this process answers; after a restart of the broker each finds it in its own time.
    pub async fn until_all_answer(&self) {
        let operator = self.user("operator").await;
        let here = [
            ("auth-callout", &self.auth_callout),
            ("registry", &self.registry),
            ("sigchain", &self.sigchain),
            ("inbox", &self.inbox),
            ("push", &self.push),
        ];
        for (service, _) in here.into_iter().filter(|(_, running)| running.is_some()) {
            until_replicas(&operator, service, 1).await;
        }
    }

    /// Kills nats-server, without a chance to tidy up.
    pub async fn kill_broker(&mut self) {
        self.broker.kill().await;
    }

    /// Copies the streams of a broker that was killed: a process's, not a container's.
    pub fn back_up_broker(&self) -> TempDir {
        let backup = tempfile::tempdir().unwrap();
        copy_folder(&self.place.folder.join("streams"), backup.path());
        backup
    }

    /// Puts such a copy in the place of what a killed broker had.
    pub fn put_back_broker(&self, backup: &TempDir) {
        fs::remove_dir_all(self.place.folder.join("streams")).unwrap();
        copy_folder(backup.path(), &self.place.folder.join("streams"));
    }

    /// Everything that nats-server has written, configuration and streams, one file after the other.
    pub async fn broker_files(&self) -> Vec<u8> {
        match &self.broker {
            Broker::Process(_) => all_files(&self.place.folder),
            Broker::Container(container) => container.files().await,
        }
    }

    /// What nats-server has logged, as `kez up` keeps it; nothing of one in a container, whose log the engine keeps.
    pub fn broker_log(&self) -> Option<String> {
        match &self.broker {
            Broker::Process(_) => {
                Some(fs::read_to_string(self.place.folder.join("nats-server.log")).unwrap())
            }
            Broker::Container(_) => None,
        }
    }

    /// Starts every service in this process, as `kez up` does.
    pub async fn start_services(&mut self) {
        let services =
            Services::start(&self.plan, &self.keys, &self.clock).await.expect("the services start");
        let Services { gateway, auth_callout, registry, inbox, sigchain, push } = services;
        self.registry = Some(registry);
        self.inbox = Some(inbox);
        self.sigchain = Some(sigchain);
        self.push = Some(push);
        self.auth_callout = Some(auth_callout);
        self.gateway = Some(gateway);
    }

    /// Stops every service of this process, as `kez up` does; a single one is taken and stopped by itself.
    pub async fn stop_services(&mut self) {
        let services = Services {
            gateway: self.gateway.take().expect("the gateway runs"),
            auth_callout: self.auth_callout.take().expect("the auth callout runs"),
            push: self.push.take().expect("the push service runs"),
            inbox: self.inbox.take().expect("the inbox runs"),
            sigchain: self.sigchain.take().expect("the sigchain service runs"),
            registry: self.registry.take().expect("the registry runs"),
        };
        services.stop().await.expect("services stop");
    }

    /// Another replica of the registry, in this process.
    pub async fn another_registry(&self) -> Running {
        services::registry(&self.plan, &self.keys, &self.clock).await.expect("a registry starts")
    }

    /// Another replica of the inbox, in this process.
    pub async fn another_inbox(&self) -> Running {
        services::inbox(&self.plan, &self.keys, &self.clock).await.expect("an inbox starts")
    }

    /// Another replica of the sigchain service, in this process.
    pub async fn another_sigchain(&self) -> Running {
        services::sigchain(&self.plan, &self.keys, &self.clock).await.expect("a sigchain service starts")
    }

    /// Another replica of the push service, in this process.
    pub async fn another_push(&self) -> Running {
        services::push(&self.plan, &self.keys, &self.clock).await.expect("a push service starts")
    }

    /// Another replica of the auth callout, in this process.
    pub async fn another_auth_callout(&self) -> Running {
        services::auth_callout(&self.plan, &self.keys, &self.clock).await.expect("an auth callout starts")
    }

    /// Another replica of the auth callout, in this process, on the other end of a cable.
    pub async fn auth_callout_behind(&self, cable: &Cable) -> Running {
        let plan = Plan { nats_url: cable.url(), ..self.plan.clone() };
        services::auth_callout(&plan, &self.keys, &self.clock).await.expect("an auth callout starts")
    }

    /// Connects one of a person's devices.
    pub async fn connect_device(
        &self,
        primary: PublicKey,
        device: &SecretKey,
    ) -> Result<Client, ConnectFault> {
        Client::connect(Connection::new(&self.plan.nats_url, SERVER, Speaker::device(device, primary))).await
    }

    /// Another gateway, in this process, at an address of its own.
    pub async fn another_gateway(&self) -> gateway::Running {
        services::gateway(&self.plan, &self.keys, &self.clock).await.expect("a gateway starts")
    }
}
