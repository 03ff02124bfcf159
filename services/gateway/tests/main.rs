//! The gateway on a real broker with no services behind it: all that it answers by itself.

#![expect(clippy::unwrap_used, reason = "a stage that cannot be set ends the test")]

mod answers;
mod bodies;
mod broker;
mod client;
mod health;
mod limits;
mod stopping;
mod tunnel;

use std::sync::LazyLock;

use clap::Parser;
use gateway::Running;
use kez_service::Clock;
use serde_json::Value;

use broker::Broker;

/// A broker, a gateway on it, and somebody who asks.
struct Stage {
    broker: Broker,
    gateway: Running,
    http: reqwest::Client,
}

impl Stage {
    /// A stage on which the gateway has these flags besides its own; none where there is no nats-server.
    async fn set(flags: &[&str]) -> Option<Self> {
        let broker = Broker::start().await?;
        let nats = broker.connect().await;
        let url = format!("--nats-websocket-url={}", broker.websocket);
        let own =
            ["kez-gateway", "--nats-seed-file=unused", "--listen=127.0.0.1:0", "--server=kez.example", &url];
        // Whether or not the web client was built, there is none on this stage unless it is brought.
        let own = own.iter().copied().chain(["--web-dir=none"].into_iter().filter(|_| !brings_client(flags)));
        let settings = gateway::Config::parse_from(own.chain(flags.iter().copied())).settings;
        let gateway = gateway::start(&nats, settings, Clock::default(), 64).await.unwrap();
        Some(Self { broker, gateway, http: reqwest::Client::new() })
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.gateway.address())
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        self.http.get(self.url(path)).send().await.unwrap()
    }

    async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> reqwest::Response {
        self.http.post(self.url(path)).body(body).send().await.unwrap()
    }
}

fn brings_client(flags: &[&str]) -> bool {
    flags.iter().any(|flag| flag.starts_with("--web-dir="))
}

/// The code of a problem document that is whole and agrees with its status.
async fn problem(response: reqwest::Response) -> (u16, String) {
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let document: Value = response.json().await.unwrap();
    let code = document["code"].as_str().unwrap().to_owned();
    assert_eq!(document["status"], status);
    assert_eq!(document["type"], format!("/errors/{code}"));
    assert!(!document["title"].as_str().unwrap().is_empty());
    assert!(!document["detail"].as_str().unwrap().is_empty());
    (status, code)
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// A message that is as it should be; what is in it is the inbox's business.
static MESSAGE: LazyLock<String> = LazyLock::new(|| {
    serde_json::json!({ "to": "alice", "envelope": { "v": 2, "enc": "", "ct": "" } }).to_string()
});
