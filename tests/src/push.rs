//! A push network of a test's own: HTTPS on loopback, which answers as the test has it and remembers what it was told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::Client;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures_util::stream;
use hickory_server::proto::rr::RecordType;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use kez_contract::push::{
    SignedList, SignedPush, Subscribe, SubscriptionKeys, Subscriptions, WEB_SUBSCRIBE, WEB_SUBSCRIPTIONS,
};
use kez_contract::{Problem, push};
use kez_crypto::{Handle, SecretKey, Timestamp, request_auth};
use kez_service::{ask, random};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::accounts::site::Secured;
use crate::accounts::{self, Accounts, HERE, Victim};
use crate::mesh::Mesh;
use crate::operator;

/// Longer than anything takes that a story waits for.
const PATIENCE: Duration = Duration::from_secs(100);
/// A point that browsers could subscribe with: the base point of P-256.
const POINT: &str = "BGsX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWT-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU";

/// Where devices wait for pushes.
pub struct PushNetwork {
    pub accounts: Accounts,
    authority: String,
    port: u16,
    desk: Desk,
    /// Ends with the network.
    _server: JoinSet<()>,
}

/// What is answered to a push.
#[derive(Debug, Clone)]
pub enum Reply {
    Status(u16),
    /// With a header.
    With(u16, &'static str, String),
    /// Takes it, and never answers.
    Silent,
    /// 201, and a body that never ends.
    Endless,
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Push {
    pub path: String,
    pub method: Method,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub at: Instant,
}

/// Somebody who is registered and not connected.
pub struct Sleeper {
    pub secret: SecretKey,
    pub handle: String,
}

#[derive(Clone)]
struct Desk {
    replies: Arc<Mutex<BTreeMap<String, VecDeque<Reply>>>>,
    pushes: watch::Sender<Vec<Push>>,
}

impl PushNetwork {
    /// A network at `push.test`.
    pub async fn start() -> Self {
        Self::at("push.test").await
    }

    /// A network at another name or address.
    pub async fn at(host: &str) -> Self {
        Self::on(Accounts::start().await, host).await
    }

    async fn on(accounts: Accounts, host: &str) -> Self {
        let (listener, tls) = accounts.listener(host).await;
        let port = listener.local_addr().unwrap().port();
        let desk = Desk { replies: Arc::default(), pushes: watch::Sender::default() };
        let router = Router::new().fallback(take).with_state(desk.clone());
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(Secured { listener, tls }, router).await.unwrap() });
        Self { accounts, authority: format!("{host}:{port}"), port, desk, _server: server }
    }

    /// What listens on the same port of the address that nobody may come by; none if something else does.
    pub fn victim(&self) -> Option<Victim> {
        Victim::listen(self.port).ok()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the push service needs to reach this network alone.
    pub fn flags(&self) -> Vec<String> {
        let ca_file = self.accounts.settings().ca_file.unwrap();
        vec![
            format!("--push-ca-file={}", ca_file.display()),
            format!("--push-resolvers={}", self.accounts.names.address()),
            format!("--allow-private-push={HERE}/32"),
        ]
    }

    /// A mesh whose pushes come here.
    pub async fn mesh(&self) -> Mesh {
        let mesh = Mesh::with(&as_push(&self.flags())).await;
        followed(&mesh.user("push").await).await;
        mesh
    }

    /// A device's endpoint.
    pub fn endpoint(&self, device: &str) -> String {
        format!("https://{}/{device}", self.authority)
    }

    /// What is answered to pushes to a device from now on, one after the other; the last reply stays. It is 201 until then.
    pub fn script(&self, device: &str, replies: impl IntoIterator<Item = Reply>) {
        let replies = replies.into_iter().collect();
        self.desk.replies.lock().unwrap().insert(format!("/{device}"), replies);
    }

    /// The pushes to a device so far.
    pub fn to(&self, device: &str) -> Vec<Push> {
        to(&self.desk.pushes.borrow(), device)
    }

    /// All pushes so far.
    pub fn all(&self) -> Vec<Push> {
        self.desk.pushes.borrow().clone()
    }

    /// Waits until so many pushes have come to a device.
    pub async fn heard(&self, device: &str, number: usize) -> Vec<Push> {
        let mut pushes = self.desk.pushes.subscribe();
        let enough = pushes.wait_for(|pushes| to(pushes, device).len() >= number);
        let enough = timeout(PATIENCE, enough).await;
        assert!(enough.is_ok(), "{} of {number} pushes came to {device}", self.to(device).len());
        drop(enough);
        self.to(device)
    }

    /// Waits until so many pushes have come, to whomever.
    pub async fn heard_in_all(&self, number: usize) {
        let mut pushes = self.desk.pushes.subscribe();
        let enough = timeout(PATIENCE, pushes.wait_for(|pushes| pushes.len() >= number)).await;
        assert!(enough.is_ok(), "{} of {number} pushes came", self.all().len());
    }

    /// Remembers no push any more.
    pub fn forget(&self) {
        self.desk.pushes.send_modify(Vec::clear);
    }

    /// A network of the same names, at another name, whose certificate nobody trusts.
    pub async fn stranger(&self, host: &str) -> Self {
        let stranger = Self::at(host).await;
        self.accounts.names.set(host, RecordType::A, [accounts::Reply::addresses(&[HERE])]);
        stranger
    }

    /// Subscribes a device of somebody.
    pub async fn subscribe(&self, mesh: &Mesh, sleeper: &Sleeper, device: &str) {
        subscribe(mesh, sleeper, &self.endpoint(device)).await.unwrap();
    }
}

impl Push {
    /// Fails unless it is what the standards say (RFC 8030, RFC 8292), and nothing more: signed by that key for that network,
    /// and empty.
    pub fn check(&self, key: &str, mesh: &Mesh, network: &PushNetwork) {
        assert_eq!(self.method, Method::POST);
        assert!(self.body.is_empty(), "a push carries nothing");
        let header = |name: &str| self.headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("content-length"), Some("0"));
        assert_eq!(header("ttl"), Some("86400"));
        assert_eq!(header("urgency"), Some("high"));
        for absent in ["topic", "content-encoding", "crypto-key", "encryption", "cookie", "user-agent"] {
            assert_eq!(header(absent), None, "{absent}");
        }
        let authorization = header("authorization").unwrap().strip_prefix("vapid ").unwrap();
        let (token, signed_by) = authorization.split_once(", ").unwrap();
        assert_eq!(signed_by, format!("k={key}"));
        let claims =
            claims(token.strip_prefix("t=").unwrap(), key, &format!("https://{}", network.authority));
        assert_eq!(claims.sub, mesh.plan.vapid_contact);
        let left = claims.exp - kez_service::Clock::default().now();
        assert!((60 * 60..=24 * 60 * 60).contains(&left), "the token is good for {left} s");
    }
}

/// What a push network learns of whoever pushes.
#[derive(Debug, Deserialize)]
struct Claims {
    exp: i64,
    sub: String,
}

/// Verifies a token as a push network does.
fn claims(token: &str, key: &str, audience: &str) -> Claims {
    let point = URL_SAFE_NO_PAD.decode(key).unwrap();
    let [x, y] = [&point[1..33], &point[33..]].map(|half| URL_SAFE_NO_PAD.encode(half));
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "aud", "sub"]);
    validation.validate_nbf = true;
    let key = DecodingKey::from_ec_components(&x, &y).unwrap();
    decode(token, &key, &validation).unwrap().claims
}

impl Mesh {
    /// Makes all that is sent within a minute one burst, on however slow a machine: pushes seem to be made a minute later.
    pub fn stretch_bursts(&self) {
        self.clock.advance(60);
    }

    /// Registers somebody who never connects.
    pub async fn sleeper(&self, handle: &str) -> Sleeper {
        let secret = SecretKey::from_seed(random::bytes());
        self.http_client(&secret).register(handle).await.unwrap();
        Sleeper { secret, handle: handle.to_owned() }
    }
}

/// Subscribes an endpoint for somebody.
pub async fn subscribe(mesh: &Mesh, sleeper: &Sleeper, endpoint: &str) -> Result<Subscriptions, Problem> {
    subscribe_as(&mesh.user("gateway").await, mesh, sleeper, endpoint).await
}

/// The same on a connection of the gateway's that there is already.
pub async fn subscribe_as(
    gateway: &Client,
    mesh: &Mesh,
    sleeper: &Sleeper,
    endpoint: &str,
) -> Result<Subscriptions, Problem> {
    let handle = Handle::parse(&sleeper.handle).unwrap();
    let keys = SubscriptionKeys { p256dh: POINT.to_owned(), auth: URL_SAFE_NO_PAD.encode([7; 16]) };
    let body = Subscribe { endpoint: endpoint.to_owned(), keys };
    let now = Timestamp::from_unix(mesh.clock.now());
    let auth = request_auth::sign(&request_auth::push_subscribe(&handle, endpoint), now, &sleeper.secret);
    let signed = SignedPush { handle: handle.to_string(), auth, body: serde_json::to_string(&body).unwrap() };
    ask(gateway, WEB_SUBSCRIBE, &signed).await
}

/// The endpoints that somebody is subscribed with.
pub async fn endpoints(mesh: &Mesh, sleeper: &Sleeper) -> Vec<String> {
    let handle = Handle::parse(&sleeper.handle).unwrap();
    let now = Timestamp::from_unix(mesh.clock.now());
    let auth = request_auth::sign(&request_auth::push_subscriptions(&handle), now, &sleeper.secret);
    let signed = SignedList { handle: handle.to_string(), auth };
    let kept = ask(&mesh.user("gateway").await, WEB_SUBSCRIPTIONS, &signed).await.unwrap();
    kept.subscriptions.into_iter().map(|subscription| subscription.endpoint).collect()
}

/// The key that a mesh signs pushes with.
pub async fn vapid_key(mesh: &Mesh) -> String {
    let gateway = mesh.user("gateway").await;
    ask(&gateway, push::WEB_VAPID_KEY, &push::AskVapidKey {}).await.unwrap().key
}

/// Waits until the push service takes news of mail. It has read the broker's clock by then, and looks again after a minute:
/// what a story does to the clock of this process counts.
pub async fn followed(push: &Client) {
    let deadline = Instant::now() + PATIENCE;
    while consumer(push).await["num_waiting"].as_u64().is_none_or(|waiting| waiting == 0) {
        assert!(Instant::now() < deadline, "nobody takes news of mail");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until nothing is left to be done for any message.
pub async fn settled(push: &Client) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let info = consumer(push).await;
        if info["num_pending"] == 0 && info["num_ack_pending"] == 0 {
            return;
        }
        assert!(Instant::now() < deadline, "mail is left: {info}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// What the broker says of the consumer that mail is heard of through.
pub async fn consumer(push: &Client) -> Value {
    let asked = push.request("$JS.API.CONSUMER.INFO.KEZ_INBOX_0.push", "".into()).await.unwrap();
    serde_json::from_slice(&asked.payload).unwrap()
}

/// What became of mail, counted by so many replicas together.
pub async fn counts(mesh: &Mesh, replicas: usize) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    let replicas = operator::until_replicas(&mesh.user("operator").await, "push", replicas).await;
    for replica in replicas.into_values() {
        let told = replica.endpoints.into_iter().find_map(|endpoint| endpoint.data);
        for (name, count) in told.unwrap_or_else(|| json!({})).as_object().unwrap() {
            *counts.entry(name.clone()).or_default() += count.as_u64().unwrap();
        }
    }
    counts
}

/// Waits until the only replica has counted so often that this became of mail.
pub async fn until_counted(mesh: &Mesh, outcome: &str, times: u64) {
    let deadline = Instant::now() + PATIENCE;
    while counts(mesh, 1).await.get(outcome).is_none_or(|counted| *counted < times) {
        assert!(Instant::now() < deadline, "{outcome} was not counted {times} times");
    }
}

/// Flags of the push service.
pub fn as_push(flags: &[String]) -> Vec<(&'static str, &str)> {
    flags.iter().map(|flag| ("push", flag.as_str())).collect()
}

fn to(pushes: &[Push], device: &str) -> Vec<Push> {
    pushes.iter().filter(|push| push.path == format!("/{device}")).cloned().collect()
}

async fn take(State(desk): State<Desk>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1024 * 1024).await.unwrap();
    let path = parts.uri.path_and_query().unwrap().to_string();
    let reply = {
        let mut replies = desk.replies.lock().unwrap();
        match replies.get_mut(&path) {
            Some(said) if said.len() > 1 => said.pop_front(),
            Some(said) => said.front().cloned(),
            None => None,
        }
    };
    let push = Push { path, method: parts.method, headers: parts.headers, body, at: Instant::now() };
    desk.pushes.send_modify(|pushes| pushes.push(push));
    match reply.unwrap_or(Reply::Status(201)) {
        Reply::Silent => std::future::pending().await,
        Reply::Endless => {
            let piece = || Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 4096]));
            let body = Body::from_stream(stream::iter(std::iter::repeat_with(piece)));
            Response::builder().status(201).body(body).unwrap()
        }
        Reply::Status(status) => Response::builder().status(status).body(Body::empty()).unwrap(),
        Reply::With(status, name, value) => {
            Response::builder().status(status).header(name, value).body(Body::empty()).unwrap()
        }
    }
}
