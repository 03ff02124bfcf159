//! What Kez tells its operators says nothing about its people: logs, traces and metrics of a conversation are searched for them.

mod waking;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use async_nats::HeaderMap;
use futures_util::StreamExt;
use kez::client::{Client, Connection};
use kez::http::HttpClient;
use kez::mail::document;
use kez_contract::inbox::{SEND, Sent};
use kez_contract::registry::{PUT_PROFILE, PutProfile};
use kez_contract::sigchain::Status;
use kez_crypto::{Handle, Primary, Profile, Registration, SecretKey, Timestamp, request_auth};
use kez_service::{Clock, ask, random};
use reqwest::Method;
use serde_json::{Value, json};
use tests::chains::{add, identifier, revoke};
use tests::collector::{Collector, Span};
use tests::marks::{Marks, marked};
use tests::mesh::SERVER;
use tests::operator::until_replicas;
use tests::web::{Answer, answer};
use tests::{Mesh, Person, Process, PushNetwork, Web};
use tokio::net::TcpStream;
use tokio::task::yield_now;

/// Every service as a process of its own, told to log as JSON and to trace.
struct Watched {
    collector: Collector,
    mesh: Mesh,
    network: PushNetwork,
    services: Vec<Process>,
    gateway: SocketAddr,
    metrics: SocketAddr,
}

impl Watched {
    async fn start() -> Self {
        let (collector, mesh) = (Collector::start().await, Mesh::broker().await);
        let network = PushNetwork::start().await;
        // Ports of an address that nobody else on this machine takes.
        let [_, a, b, c] = random::bytes::<4>();
        let own = Ipv4Addr::new(127, a.max(1), b, c.clamp(1, 254));
        let (gateway, metrics) = (SocketAddr::from((own, 8080)), SocketAddr::from((own, 8081)));
        let start = |service: &str, flags: &[String]| {
            let endpoint = collector.url();
            let variables =
                [("KEZ_LOG", "info"), ("KEZ_LOG_FORMAT", "json"), ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)];
            Process::logged(&mesh, service, &flags.iter().map(String::as_str).collect::<Vec<_>>(), &variables)
        };
        let server = format!("--server={SERVER}");
        let database = format!("--database-url={}", mesh.plan.database_url);
        let chains = format!("--database-url={}", mesh.plan.sigchain_database_url);
        let issuer = format!("--issuer-seed-file={}", mesh.keys.issuer_file().display());
        let xkey = format!("--xkey-seed-file={}", mesh.keys.xkey_file().display());
        let websocket = format!("--nats-websocket-url={}", mesh.plan.nats_websocket_url);
        let listen = [format!("--listen={gateway}"), format!("--metrics-listen={metrics}")];
        let mut push = network.flags();
        push.push(format!("--database-url={}", mesh.plan.push_database_url));
        push.push(format!("--vapid-key-file={}", mesh.keys.vapid_file().display()));
        push.push(format!("--vapid-contact={}", mesh.plan.vapid_contact));
        let services = vec![
            start("gateway", &[server.clone(), websocket, listen[0].clone(), listen[1].clone()]),
            start("auth-callout", &[server.clone(), issuer, xkey]),
            start("inbox", &["--mailbox-messages=8".to_owned()]),
            start("registry", &[server, database]),
            start("push", &push),
            start("sigchain", &[chains, "--proof-resolvers=127.0.0.1:1".to_owned()]),
        ];
        let operator = mesh.user("operator").await;
        for service in ["registry", "inbox", "auth-callout", "sigchain", "push"] {
            until_replicas(&operator, service, 1).await;
        }
        while TcpStream::connect(gateway).await.is_err() {
            yield_now().await;
        }
        Self { collector, mesh, network, services, gateway, metrics }
    }

    fn http(&self) -> String {
        format!("http://{}", self.gateway)
    }

    /// What nats-server has logged, without the addresses that are its own.
    fn brokers_log(&self) -> Option<String> {
        let own = [&self.mesh.plan.nats_url, &self.mesh.plan.nats_websocket_url];
        let log = self.mesh.broker_log()?;
        Some(own.iter().fold(log, |log, url| log.replace(url.rsplit('/').next().unwrap(), "")))
    }

    /// Stops everything; what each service logged, and what was traced.
    fn stop(self) -> (Vec<String>, Collector) {
        (self.services.into_iter().map(Process::stop_and_tell).collect(), self.collector)
    }
}

/// Two people who talk, and what must not be found anywhere afterwards.
struct Conversation {
    alice: Person,
    bob: Person,
    text: String,
    marks: Marks,
}

/// The address that HTTP clients have here.
const CLIENT: Ipv4Addr = Ipv4Addr::new(127, 77, 66, 55);

/// Registers, looks up, sends and reads in every way.
async fn talk(watched: &Watched, web: &Web) -> Conversation {
    let mesh = &watched.mesh;
    let (names, text) = ([marked("alice"), marked("bob")], marked("text"));
    let alice = mesh.person(&names[0]).await;
    let bobs = SecretKey::from_seed(random::bytes());
    let envelope = Registration::create(&Handle::parse(&names[1]).unwrap(), SERVER, now(), &bobs);
    web.post("/v1/register", envelope).await.read::<Value>(201);
    let client = mesh.connect_websocket(&bobs).await.unwrap();
    let bob = Person { secret: bobs, client, handle: names[1].clone() };
    let tunnel = format!("{}/v1/nats", watched.http().replace("http", "ws"));
    let alices_browser = Client::connect(mesh.connection(&tunnel, &alice.secret)).await.unwrap();
    let over_http = |of: &Person| HttpClient::new(&watched.http(), SERVER, &of.secret, &mesh.clock).unwrap();

    let mut live = bob.follow().await;
    let mut stream = over_http(&bob).follow(&bob.name(), 0).await.unwrap();
    alice.client.send(&bob.handle, &text).await.unwrap();
    alices_browser.send(&bob.key().identifier(), &text).await.unwrap();
    over_http(&alice).send(&bob.handle, &text).await.unwrap();
    for _ in 0..3 {
        assert_eq!(live.next().await.unwrap().text(), Some(text.as_str()));
        assert_eq!(stream.next().await.unwrap().unwrap().text(), Some(text.as_str()));
    }
    assert_eq!(over_http(&bob).fetch(&bob.name(), 0, 10).await.unwrap().messages.len(), 3);

    let about = marked("about");
    let profile = Profile::create(Some(&about), Some(&text), None, now(), &alice.secret).unwrap();
    let call = PutProfile { envelope: document(profile).unwrap() };
    alice.client.call(&PUT_PROFILE, &call).await.unwrap();
    for path in [
        format!("/v1/u/{}", alice.handle),
        format!("/v1/by-primary/{}", bob.key().identifier()),
        format!("/v1/profile/{}", alice.handle),
        format!("/.well-known/webfinger?resource=acct:{}@{SERVER}", bob.handle),
    ] {
        web.get(&path).await.read::<Value>(200);
    }
    let account = claim(&alice, web).await;
    let marks = waking::sleep_and_be_woken(mesh, web, &watched.network, &alice)
        .await
        .word("an account", &account)
        .word("alice", &names[0])
        .word("bob", &names[1])
        .word("the text", &text)
        .word("the profile", &about)
        .key("alice", &alice.key())
        .key("bob", &bob.key());
    Conversation { alice, bob, text, marks }
}

/// Claims an account, asks in every way who claims it and whether it agrees, and takes the claim back.
async fn claim(alice: &Person, web: &Web) -> String {
    let account = marked("account");
    let (subject, me) = (identifier(&format!("dns:{account}.example")), alice.key());
    let claim = || add(subject.as_str());
    let primary = Primary::from(me);
    alice.client.append(&claim()).await.unwrap();
    alice.client.append(&claim()).await.unwrap_err();
    alice.client.chain(me).await.unwrap();
    alice.client.claimants(&subject, None).await.unwrap();
    assert_eq!(alice.client.verify(&subject, &primary, true).await.unwrap().status, Status::Unreachable);
    web.get(&format!("/v1/verify?subject={subject}&primary={primary}")).await.read::<Value>(200);
    web.get(&format!("/v1/claims?subject={subject}")).await.read::<Value>(200);
    let path = format!("/v1/sigchains/ed25519/{}", alice.hex());
    assert_eq!(web.get(&path).await.status, 200);
    web.post(&path, format!(r#"{{"kez":"{account}"}}"#)).await.refused(400, "malformed");
    alice.client.append(&revoke(subject.as_str())).await.unwrap();
    account
}

/// Everything that is refused, with marked words wherever one fits.
async fn be_refused(watched: &Watched, web: &Web, conversation: Conversation) -> Conversation {
    let Conversation { alice, bob, text, marks } = conversation;
    let nobody = SecretKey::from_seed(random::bytes()).public();
    let word = marked("strange");
    let auth = alice.auth(&request_auth::inbox(&bob.name(), 0));
    let path = format!("/v1/inbox/{}", bob.handle);
    web.get_signed(&path, &auth).await.refused(401, "bad_signature");
    web.get_signed(&path, &word).await.refused(400, "malformed");
    web.get(&format!("{path}/stream?auth={auth}")).await.refused(401, "bad_signature");
    web.get(&format!("/v1/u/{word}")).await.refused(404, "not_found");
    web.get(&format!("/v1/{word}/{}", bob.handle)).await.refused(404, "not_found");
    web.get(&format!("/.well-known/webfinger?resource={}", bob.handle)).await.refused(400, "malformed");
    web.post("/v1/register", format!(r#"{{"kez":"{word}","payload":"{}"#, bob.handle))
        .await
        .refused(400, "malformed");
    let tampered = Registration::create(&Handle::parse(&word).unwrap(), SERVER, now(), &alice.secret);
    let tampered = String::from_utf8(tampered).unwrap().replace(&word, &bob.handle);
    web.post("/v1/register", tampered).await.refused(401, "bad_signature");
    let (_, sealed) = alice.client.seal(&bob.key(), &text).unwrap();
    let envelope: Value = serde_json::from_slice(&sealed.canonical()).unwrap();
    for to in [&word, &nobody.identifier()] {
        let body = json!({ "to": to, "envelope": envelope }).to_string();
        web.post("/v1/messages", body).await.refused(404, "unknown_recipient");
    }
    web.post("/v1/messages", word.repeat(20_000)).await.refused(413, "too_large");
    let request = web.request(Method::from_bytes(b"MARKED").unwrap(), &path);
    let request = request
        .header("X-Forwarded-For", "198.51.100.77")
        .header("Cookie", &word)
        .header("User-Agent", &word);
    answer(request).await.refused(405, "method_not_allowed");
    answer(web.request(Method::GET, "/v1/nats").header("Origin", format!("https://{word}.example"))).await;

    // A full mailbox, and sign-ins that are refused: for another server, and out of date.
    while alice.client.send(&bob.handle, &text).await.is_ok() {}
    let mesh = &watched.mesh;
    let connection = || mesh.connection(&mesh.plan.nats_url, &alice.secret);
    let elsewhere = Connection { server: "other.example".to_owned(), ..connection() };
    let late = Connection { clock: Clock::default(), ..connection() };
    late.clock.advance(-3 * 24 * 3600);
    for connection in [elsewhere, late] {
        assert!(Client::connect(connection).await.is_err());
    }
    let marks = marks
        .word("a strange word", &word)
        .word("a signature", auth.split_once(':').unwrap().1)
        .key("nobody", &nobody);
    let marks = marks.word("a client's address", "127.0.0.1").word("a client's address", &CLIENT.to_string());
    let marks = marks.word("a forwarded address", "198.51.100.77");
    Conversation { alice, bob, text, marks }
}

fn now() -> Timestamp {
    Timestamp::from_unix(Clock::default().now())
}

/// What log lines may hold besides their time and level. `key` is a hash that changes with every process.
const FIELDS: [&str; 7] = ["message", "service", "reason", "error", "key", "code", "status"];
/// What spans may hold: where in our code they were, for how long, and which kind of call it was.
const ATTRIBUTES: [&str; 10] = [
    "busy_ns",
    "code.file.path",
    "code.line.number",
    "code.module.name",
    "endpoint",
    "idle_ns",
    "route",
    "target",
    "thread.id",
    "thread.name",
];

/// Numbers that the conversation has made.
const NUMBERS: [&str; 5] = [
    "kez_gateway_requests_total{route=\"/v1/messages\"",
    "kez_service_requests_total{service=\"inbox\"",
    "kez_push_total{outcome=\"accepted\"",
    "kez_push_total{outcome=\"gone\"",
    "kez_push_total{outcome=\"refused\"",
];

/// The metrics of a mesh in which everyone has found the broker again.
async fn whole_metrics(watched: &Watched) -> Answer {
    let page = Web::at(CLIENT, &format!("http://{}", watched.metrics));
    let begun = Instant::now();
    loop {
        let metrics = page.get("/metrics").await;
        if NUMBERS.iter().all(|number| metrics.body.contains(number)) {
            return metrics;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{metrics:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_no_trace_and_no_number_says_anything_about_people() {
    let mut watched = Watched::start().await;
    let web = Web::at(CLIENT, &watched.http());
    let conversation = talk(&watched, &web).await;
    let Conversation { alice, bob, marks, .. } = be_refused(&watched, &web, conversation).await;
    let brokers_log = watched.brokers_log();
    // Every connection breaks, in the middle of it.
    watched.mesh.restart_broker().await;
    while bob.client.fetch(0, 1).await.is_err() {}
    while alice.client.lookup(&bob.handle).await.is_err() {}
    let metrics = whole_metrics(&watched).await;
    let (logs, collector) = watched.stop();

    assert_eq!(marks.found_in(&collector.bytes()), Vec::<&str>::new());
    for span in collector.spans() {
        let strange = span.attributes.iter().find(|(name, _)| !ATTRIBUTES.contains(&name.as_str()));
        assert_eq!((strange, &span.events[..]), (None, &[][..]), "{span:?}");
    }
    let calls = |endpoint: &str| {
        collector.spans().iter().filter(|span| span.attribute("endpoint") == endpoint).count()
    };
    assert!(calls("rpc-send") > 2 && calls("web-register") == 2 && calls("sign-in") > 4, "traces did arrive");

    assert_eq!(marks.found_in(metrics.body.as_bytes()), Vec::<&str>::new());

    match brokers_log {
        Some(log) => {
            assert_eq!(marks.found_in(log.as_bytes()), Vec::<&str>::new());
            assert!(log.contains("Server is ready"), "{log}");
        }
        None => println!("what nats-server logs: skipped, in a container kez up does not keep its log"),
    }
    let mut said = Vec::new();
    for line in logs.iter().flat_map(|log| log.lines()) {
        assert_eq!(marks.found_in(line.as_bytes()), Vec::<&str>::new(), "{line}");
        said.push(read_log_line(line));
    }
    let times = |message: &str| said.iter().filter(|found| *found == message).count();
    assert_eq!(times("a sign-in is refused"), 2);
    assert_eq!(times("the broker is gone; reconnecting"), 6);
    assert_eq!(times("stopping: finishing what is in flight"), 6);
}

/// What a line of a JSON log says, in a form without surprises.
fn read_log_line(line: &str) -> String {
    let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    Timestamp::parse(&format!("{}Z", &line["timestamp"].as_str().unwrap()[..19])).unwrap();
    assert!(["INFO", "WARN", "ERROR"].contains(&line["level"].as_str().unwrap()), "{line}");
    for (name, value) in line["fields"].as_object().unwrap() {
        assert!(FIELDS.contains(&name.as_str()) && (value.is_string() || name == "status"), "{line}");
    }
    line["fields"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_is_one_trace_and_what_people_say_about_traces_counts_for_nothing() {
    let watched = Watched::start().await;
    let (alice, bob) = (watched.mesh.person("alice").await, watched.mesh.person("bob").await);
    let trace: String = random::bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
    let traceparent = format!("00-{trace}-00f067aa0ba902b7-01");
    let send = || {
        let (_, sealed) = alice.client.seal(&bob.key(), "hello").unwrap();
        let envelope: Value = serde_json::from_slice(&sealed.canonical()).unwrap();
        json!({ "to": format!("bob@{SERVER}"), "envelope": envelope }).to_string()
    };
    let web = Web::new(&watched.http());
    let over_http =
        web.request(Method::POST, "/v1/messages").header("traceparent", &traceparent).body(send());
    answer(over_http).await.read::<Value>(202);
    let mut headers = HeaderMap::new();
    headers.insert("traceparent", traceparent.as_str());
    let subject = SEND.subject(&alice.hex(), &alice.hex());
    let over_nats = alice.client.nats().request_with_headers(subject, headers, send().into()).await.unwrap();
    ask::read::<Sent>(&over_nats).unwrap();
    let (_, collector) = watched.stop();

    let spans = collector.spans();
    assert!(spans.iter().all(|span| span.trace != trace && span.parent != "00f067aa0ba902b7"));
    let called = |service: &str, kind: &str| -> Vec<&Span> {
        let is_it = |span: &&Span| [span.attribute("endpoint"), span.attribute("route")].contains(&kind);
        spans.iter().filter(|span| span.service == service).filter(is_it).collect()
    };
    let [gateway] = called("kez-gateway", "/v1/messages")[..] else { panic!("{spans:?}") };
    let [inbox] = called("kez-inbox", "web-send")[..] else { panic!("{spans:?}") };
    let [person] = called("kez-inbox", "rpc-send")[..] else { panic!("{spans:?}") };
    let resolves = called("kez-registry", "svc-resolve");
    let registry =
        resolves.iter().find(|span| span.trace == gateway.trace).expect("the registry is in the trace");
    assert_eq!([&gateway.parent, &inbox.parent, &registry.parent], ["", &gateway.id, &inbox.id]);
    assert_eq!(inbox.trace, gateway.trace);
    assert_eq!(person.parent, "");
    assert_ne!(person.trace, gateway.trace);
}
