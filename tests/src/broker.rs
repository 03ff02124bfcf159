//! The broker of a mesh under test: a process of this machine or, where that is asked for, a container.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use kez::up::keys::Keys;
use kez::up::nats_server::{self, NatsServer, Place};
use kez_service::random;

use crate::container::{self, Container};

/// A nats-server, ended with this.
pub enum Broker {
    Process(Box<NatsServer>),
    Container(Box<Container>),
}

impl Broker {
    pub async fn start(place: &Place, keys: &Keys) -> Self {
        if container::is_wanted() {
            Self::Container(Box::new(Container::start(place, keys).await))
        } else {
            Self::Process(Box::new(process(place, keys).await))
        }
    }

    pub fn url(&self) -> String {
        match self {
            Self::Process(server) => server.url.clone(),
            Self::Container(container) => container.url(),
        }
    }

    pub fn websocket_url(&self) -> String {
        match self {
            Self::Process(server) => server.websocket_url.clone(),
            Self::Container(container) => container.websocket_url(),
        }
    }

    /// Kills it, without a chance to tidy up, and waits until its ports are free.
    pub async fn kill(&mut self) {
        match self {
            Self::Process(server) => {
                crate::process::kill(server.pid().expect("the broker runs"));
                server.ended().await.unwrap();
            }
            Self::Container(container) => container.kill().await,
        }
    }

    /// Starts it after a kill, on the same ports and the same files.
    pub async fn start_again(&mut self, place: &Place, keys: &Keys) {
        match self {
            Self::Process(server) => **server = process(place, keys).await,
            Self::Container(container) => container.start_again().await,
        }
    }
}

async fn process(place: &Place, keys: &Keys) -> NatsServer {
    let binary = nats_server::find(None).expect("nats-server is on PATH: run tests through ./justw test");
    NatsServer::start(&binary, place, keys).await.expect("nats-server starts")
}

/// Addresses that are free, no two the same, and stay so while a broker that was killed is away: their ports are none of
/// those that the system gives to outgoing connections.
pub fn free_addresses<const COUNT: usize>() -> [SocketAddr; COUNT] {
    // All are held until the last was found.
    let held = [(); COUNT].map(|()| {
        loop {
            let port = 10_000 + u16::from_le_bytes(random::bytes()) % 20_000;
            if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
                return listener;
            }
        }
    });
    held.map(|listener| listener.local_addr().unwrap())
}
