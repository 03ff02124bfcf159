//! What is no push subscription, and who asks for too much.

use kez_contract::push::{SUBSCRIBE, SignedPush, Subscriptions, WEB_SUBSCRIBE};
use kez_contract::{Code, Problem};
use kez_crypto::request_auth;
use kez_service::ask;
use serde_json::json;
use tests::Mesh;
use tests::subscriber::{POINT, SECRET, subscription, with_keys};

fn code<T>(result: Result<T, Problem>) -> Option<Code> {
    result.err().map(|problem| problem.code)
}

/// URLs that nothing may be pushed to.
const NO_ENDPOINTS: &[&str] = &[
    "",
    "x",
    "push.example/a",
    "//push.example/a",
    "http://push.example/a",
    "wss://push.example/a",
    "ftp://push.example/a",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "data:,x",
    "https:",
    "https://",
    "https:push.example/a",
    "https:\\\\push.example\\a",
    "https:///push.example/a",
    "https://push.example",
    "HTTPS://push.example/a",
    "https://PUSH.example/a",
    "https://push.example:443/a",
    "https://push.example/../a",
    "https://push.example/a\nX-Kez: 1",
    " https://push.example/a",
    "https://push.example/a ",
    "https://push.example/a\t",
    "https://push.example/ü",
    "https://ü.example/a",
    "https://push.example:99999/a",
    "https://alice@push.example/a",
    "https://alice:secret@push.example/a",
    "https://push.example/a#b",
    "https://push.example/#",
    // Addresses that are not public, however they are written.
    "https://127.0.0.1/a",
    "https://127.1/a",
    "https://2130706433/a",
    "https://0x7f000001/a",
    "https://0/a",
    "https://10.0.0.1/a",
    "https://10.2.0.1/a",
    "https://172.16.0.1/a",
    "https://192.168.0.1/a",
    "https://169.254.169.254/latest/meta-data",
    "https://100.64.0.1/a",
    "https://224.0.0.1/a",
    "https://255.255.255.255/a",
    "https://[::1]/a",
    "https://[::]/a",
    "https://[fe80::1]/a",
    "https://[fd00::1]/a",
    "https://[::ffff:127.0.0.1]/a",
    "https://[::ffff:8.8.8.8]/a",
    "https://[64:ff9b::a00:1]/a",
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_endpoint_is_refused() {
    let flags = ["--person-push-calls-per-minute=1000", "--allow-private-push=10.1.0.0/16"];
    let mesh = Mesh::with(&flags.map(|flag| ("push", flag))).await;
    let alice = mesh.person("alice").await;
    let long = |bytes: usize| format!("https://push.example/{}", "x".repeat(bytes - 21));
    for endpoint in NO_ENDPOINTS {
        assert_eq!(code(alice.subscribe(endpoint).await), Some(Code::InvalidSubscription), "{endpoint:?}");
    }
    assert_eq!(code(alice.subscribe(&long(2049)).await), Some(Code::TooLarge));
    assert_eq!(alice.subscribed().await, [""; 0]);

    let taken = [
        "https://push.example/",
        "https://push.example:8443/a/b?c=d&e=%20",
        "https://fcm.googleapis.com/fcm/send/abc:APA91b-_",
        "https://8.8.8.8/a",
        "https://[2606:4700::1111]/a",
        // Let through by the operator.
        "https://10.1.2.3/a",
        &long(2048),
    ];
    for endpoint in taken {
        alice.subscribe(endpoint).await.unwrap_or_else(|problem| panic!("{endpoint}: {problem}"));
    }
    assert_eq!(alice.subscribed().await, taken);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_key_is_refused() {
    let mesh = Mesh::with(&[("push", "--person-push-calls-per-minute=1000")]).await;
    let alice = mesh.person("alice").await;
    let padded = [format!("{POINT}="), format!("{SECRET}==")];
    let standard = POINT.replace('-', "+").replace('_', "/");
    // The last character holds two bits, or four, that belong to no byte.
    let [loose_point, loose_secret] = [format!("{}V", &POINT[..86]), format!("{}x", &SECRET[..21])];
    let off_the_curve = format!("{}I", &POINT[..86]);
    let compressed = "A2sX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKW";
    let infinity = "A".repeat(87);
    for (p256dh, auth) in [
        ("", SECRET),
        ("x", SECRET),
        (&padded[0], SECRET),
        (&standard, SECRET),
        (&POINT[1..], SECRET),
        (&loose_point, SECRET),
        (&off_the_curve, SECRET),
        (compressed, SECRET),
        ("AA", SECRET),
        (&infinity, SECRET),
        (&POINT.replacen('B', "C", 1), SECRET),
        (&format!("{POINT}AAAA"), SECRET),
        (&" ".repeat(87), SECRET),
        (POINT, ""),
        (POINT, &padded[1]),
        (POINT, &SECRET[1..]),
        (POINT, &loose_secret),
        (POINT, POINT),
        (POINT, &"ü".repeat(11)),
    ] {
        let wanted = with_keys("https://push.example/a", p256dh, auth);
        let refused = alice.client.call(&SUBSCRIBE, &wanted).await;
        assert_eq!(code(refused), Some(Code::InvalidSubscription), "{p256dh:?} {auth:?}");
    }
    assert_eq!(alice.subscribed().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_over_http_are_strict_and_small() {
    let mesh = Mesh::start().await;
    let (alice, web) = (mesh.person("alice").await, mesh.web());
    let endpoint = "https://push.example/a";
    let auth = alice.auth(&request_auth::push_subscribe(&alice.name(), endpoint));
    let good = serde_json::to_string(&subscription(endpoint)).unwrap();
    for body in [
        String::new(),
        "null".to_owned(),
        format!("[{good}]"),
        format!("{good}{good}"),
        format!("\u{feff}{good}"),
        good.replacen('{', r#"{"endpoint":"https://push.example/b","#, 1),
        good.replacen('{', r#"{"more":1,"#, 1),
        good.replace(r#""auth":"#, r#""more":1,"auth":"#),
        good.replace(SECRET, "\\ud800"),
        json!({ "endpoint": endpoint }).to_string(),
        json!({ "endpoint": 1, "keys": {} }).to_string(),
    ] {
        println!("{body}");
        web.post_signed("/v1/push/subscribe/alice", &auth, body).await.refused(400, "malformed");
    }
    let large = format!("{good}{}", " ".repeat(4097 - good.len()));
    web.post_signed("/v1/push/subscribe/alice", &auth, large.clone()).await.refused(413, "too_large");
    // Nor does the service take it from the gateway.
    let signed = SignedPush { handle: "alice".to_owned(), auth: auth.clone(), body: large };
    let refused = ask(&mesh.user("gateway").await, WEB_SUBSCRIBE, &signed).await;
    assert_eq!(code(refused), Some(Code::TooLarge));
    let unsigned = web.post("/v1/push/subscribe/alice", good.clone()).await;
    unsigned.refused(401, "unauthorized");
    web.post_signed("/v1/push/subscribe/alice", &auth, good).await.read::<Subscriptions>(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_calls_too_often_waits_and_nobody_else_does() {
    let mesh = Mesh::with(&[("push", "--person-push-calls-per-minute=3")]).await;
    let (alice, mallory) = (mesh.person("alice").await, mesh.person("mallory").await);
    let (web, text) = (mesh.web(), request_auth::push_subscriptions(&alice.name()));
    // What is signed by another is not counted as hers.
    for _ in 0..5 {
        let refused = web.get_signed("/v1/push/subscriptions/alice", &mallory.auth(&text)).await;
        refused.refused(401, "bad_signature");
    }
    for _ in 0..3 {
        assert_eq!(alice.subscribed().await, [""; 0]);
    }
    let refused = alice.subscribe("https://push.example/a").await.unwrap_err();
    assert_eq!((refused.code, refused.limit_per_minute), (Code::RateLimited, Some(3)));
    let refused = web.get_signed("/v1/push/subscriptions/alice", &alice.auth(&text)).await;
    assert_eq!(refused.refused(429, "rate_limited")["limit_per_minute"], 3);
    assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|seconds| (1..=21).contains(&seconds)));
    assert_eq!(mallory.subscribed().await, [""; 0]);
}
