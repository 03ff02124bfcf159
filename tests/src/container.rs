//! NATS in a container, where `KEZ_TEST_NATS=container` asks for it: the production configuration and an official image,
//! through the Docker-compatible API (`DOCKER_HOST`). Without an engine the stories are skipped, and say so.

use std::collections::HashMap;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use futures_util::TryStreamExt;
use kez::up::keys::Keys;
use kez::up::nats_server::{CONFIGURATION, Place};
use testcontainers::bollard::models::PortBinding;
use testcontainers::bollard::query_parameters::{DownloadFromContainerOptionsBuilder, KillContainerOptions};
use testcontainers::core::IntoContainerPort;
use testcontainers::core::client::docker_client_instance;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Unless `KEZ_TEST_NATS_IMAGE` names another.
const IMAGE: &str = "nats:2.15.1";
const FOLDER: &str = "/kez";
const NATS: u16 = 4222;
const WEBSOCKET: u16 = 4223;
const PATIENCE: Duration = Duration::from_secs(30);

/// A nats-server in a container, removed when this is dropped.
pub struct Container {
    container: ContainerAsync<GenericImage>,
    listen: SocketAddr,
    websocket: SocketAddr,
}

/// Whether the stories are to run on NATS in a container.
pub fn is_wanted() -> bool {
    match std::env::var_os("KEZ_TEST_NATS") {
        Some(wanted) if wanted == "container" => true,
        Some(wanted) => panic!("KEZ_TEST_NATS={}: it is container, or not set", wanted.display()),
        None => false,
    }
}

impl Container {
    /// Starts nats-server with these keys, on the ports of a place on this machine.
    pub async fn start(place: &Place, keys: &Keys) -> Self {
        skip_without_engine().await;
        let image = std::env::var_os("KEZ_TEST_NATS_IMAGE").unwrap_or_else(|| IMAGE.into());
        let image = image.to_string_lossy();
        let (name, tag) = image.rsplit_once(':').expect("KEZ_TEST_NATS_IMAGE is name:tag");
        let (listen, websocket) = (place.listen, place.websocket);
        let bindings = HashMap::from([binding(NATS, listen), binding(WEBSOCKET, websocket)]);
        let mut request = GenericImage::new(name, tag)
            .with_exposed_port(NATS.tcp())
            .with_exposed_port(WEBSOCKET.tcp())
            .with_cmd(["-c".to_owned(), format!("{FOLDER}/{}", CONFIGURATION[0].0)])
            .with_host_config_modifier(move |host| {
                host.publish_all_ports = Some(false);
                host.port_bindings = Some(bindings.clone());
            });
        for (name, text) in CONFIGURATION {
            request = request.with_copy_to(format!("{FOLDER}/{name}"), text.as_bytes().to_vec());
        }
        for (name, value) in keys.environment().iter().cloned().chain(places()) {
            request = request.with_env_var(name, value);
        }
        let container =
            request.start().await.unwrap_or_else(|error| panic!("{image} does not start: {error}"));
        until_ready(listen).await;
        Self { container, listen, websocket }
    }

    pub fn url(&self) -> String {
        format!("nats://{}", self.listen)
    }

    pub fn websocket_url(&self) -> String {
        format!("ws://{}", self.websocket)
    }

    /// SIGKILL, and returns when it has taken effect.
    pub async fn kill(&self) {
        let engine = docker_client_instance().await.unwrap();
        engine.kill_container(self.container.id(), None::<KillContainerOptions>).await.unwrap();
        // The engine lets go of the ports a moment later.
        let ended = async {
            for address in [self.listen, self.websocket] {
                while TcpListener::bind(address).is_err() {
                    tokio::task::yield_now().await;
                }
            }
        };
        timeout(PATIENCE, ended).await.expect("the ports are free again");
    }

    /// Everything that it has written, one file after the other.
    pub async fn files(&self) -> Vec<u8> {
        let engine = docker_client_instance().await.unwrap();
        let options = DownloadFromContainerOptionsBuilder::new().path(FOLDER).build();
        let archive = engine.download_from_container(self.container.id(), Some(options));
        archive.try_collect::<Vec<_>>().await.unwrap().concat()
    }

    /// Starts it again after a kill, with the files and ports that it had.
    pub async fn start_again(&self) {
        self.container.start().await.unwrap();
        until_ready(self.listen).await;
    }
}

/// Ends this test, which is a process of its own under nextest, where no engine answers.
async fn skip_without_engine() {
    let answers = match docker_client_instance().await {
        Ok(engine) => engine.ping().await.is_ok(),
        Err(_) => false,
    };
    if !answers {
        // Not println: a test that does not end has its output swallowed.
        std::io::stderr().write_all(b"skipped: no container engine\n").unwrap();
        std::process::exit(0);
    }
}

/// What the configuration reads beside the keys, quoted, since it reads them as its own syntax.
fn places() -> impl Iterator<Item = (String, String)> {
    [
        ("KEZ_NATS_LISTEN", format!("0.0.0.0:{NATS}")),
        ("KEZ_NATS_WEBSOCKET_LISTEN", format!("0.0.0.0:{WEBSOCKET}")),
        ("KEZ_NATS_PID_FILE", format!("{FOLDER}/nats-server.pid")),
        ("KEZ_NATS_STATE_DIR", FOLDER.to_owned()),
        ("KEZ_NATS_STORE_DIR", format!("{FOLDER}/streams")),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), format!("\"{value}\"")))
}

fn binding(port: u16, address: SocketAddr) -> (String, Option<Vec<PortBinding>>) {
    let (host_ip, host_port) = (Some(address.ip().to_string()), Some(address.port().to_string()));
    (format!("{port}/tcp"), Some(vec![PortBinding { host_ip, host_port }]))
}

/// The engine takes connections before nats-server does, so its own first word is waited for.
async fn until_ready(address: SocketAddr) {
    let greeted = async {
        loop {
            let mut word = [0; 4];
            let Ok(mut stream) = TcpStream::connect(address).await else { continue };
            if stream.read_exact(&mut word).await.is_ok() && &word == b"INFO" {
                return;
            }
        }
    };
    timeout(PATIENCE, greeted).await.expect("nats-server is ready");
}
