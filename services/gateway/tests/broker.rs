//! A nats-server for one test.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::Deserialize;
use tempfile::TempDir;

pub const USER: &str = "gateway";
pub const PASSWORD: &str = "only for this test";

pub struct Broker {
    process: Child,
    _folder: TempDir,
    pub nats: String,
    pub websocket: String,
}

#[derive(Deserialize)]
struct Ports {
    nats: Vec<String>,
    websocket: Vec<String>,
}

impl Broker {
    /// Starts one with a WebSocket; none where there is no nats-server, and says so.
    pub async fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("server.conf");
        std::fs::write(&config, configuration(folder.path())).unwrap();
        let command = Command::new("nats-server").arg("-c").arg(&config).stderr(Stdio::null()).spawn();
        let Ok(mut process) = command else {
            println!("skipped: there is no nats-server on PATH (./justw installs one)");
            return None;
        };
        let ports = ports(&mut process, folder.path()).await;
        let [nats, websocket] = [&ports.nats, &ports.websocket].map(|urls| urls[0].clone());
        Some(Self { process, _folder: folder, nats, websocket })
    }

    pub async fn connect(&self) -> async_nats::Client {
        connect(&self.nats).await
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Signs in at that URL.
pub async fn connect(url: &str) -> async_nats::Client {
    options().connect(url).await.unwrap()
}

pub fn options() -> async_nats::ConnectOptions {
    async_nats::ConnectOptions::with_user_and_password(USER.to_owned(), PASSWORD.to_owned())
}

fn configuration(folder: &Path) -> String {
    format!(
        "listen: \"127.0.0.1:-1\"\nports_file_dir: \"{}\"\n\
         authorization {{ users: [ {{ user: \"{USER}\", password: \"{PASSWORD}\" }} ] }}\n\
         websocket {{ listen: \"127.0.0.1:-1\", no_tls: true, compression: false }}\n",
        folder.display()
    )
}

/// nats-server writes the ports that it took to a file as soon as it listens on them.
async fn ports(process: &mut Child, folder: &Path) -> Ports {
    let file = folder.join(format!("nats-server_{}.ports", process.id()));
    let mut look = tokio::time::interval(Duration::from_millis(2));
    loop {
        look.tick().await;
        assert!(process.try_wait().unwrap().is_none(), "nats-server ended");
        if let Some(ports) =
            std::fs::read_to_string(&file).ok().and_then(|text| serde_json::from_str(&text).ok())
        {
            return ports;
        }
    }
}
