//! The part of the conversation in which somebody sleeps: endpoints, keys and whoever is woken are marked.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kez_contract::push::{SUBSCRIBE, Subscriptions, TEST, Test};
use kez_contract::{Code, Problem};
use kez_crypto::request_auth;
use kez_service::random;
use serde_json::Value;
use tests::marks::{Marks, marked};
use tests::push::{Reply, settled};
use tests::subscriber::{POINT, subscription, with_keys};
use tests::{Mesh, Person, PushNetwork, Web};

/// Somebody leaves two devices behind, one of which the network knows no more, and is written to.
pub async fn sleep_and_be_woken(mesh: &Mesh, web: &Web, network: &PushNetwork, from: &Person) -> Marks {
    let names = [marked("phone"), marked("tablet"), marked("laptop")];
    let [phone, tablet, laptop] = names.each_ref().map(|name| network.endpoint(name));
    let secret = URL_SAFE_NO_PAD.encode(random::bytes::<16>());
    let sleeper = mesh.person(&marked("sleeper")).await;
    for endpoint in [&phone, &laptop] {
        sleeper.client.call(&SUBSCRIBE, &with_keys(endpoint, POINT, &secret)).await.unwrap();
    }
    let body = serde_json::to_string(&with_keys(&tablet, POINT, &secret)).unwrap();
    let subscribe = format!("/v1/push/subscribe/{}", sleeper.handle);
    let auth = sleeper.auth(&request_auth::push_subscribe(&sleeper.name(), &tablet));
    web.post_signed(&subscribe, &auth, body).await.read::<Subscriptions>(200);
    let auth = sleeper.auth(&request_auth::push_subscriptions(&sleeper.name()));
    let list = format!("/v1/push/subscriptions/{}", sleeper.handle);
    web.get_signed(&list, &auth).await.read::<Value>(200);

    network.script(&names[1], [Reply::Status(410)]);
    network.script(&names[2], [Reply::Status(403)]);
    let test = Test { endpoint: phone.clone() };
    assert!(sleeper.client.call(&TEST, &test).await.unwrap().accepted);
    be_refused(web, &sleeper, &phone, &secret).await;

    let Person { secret: key, client, handle } = sleeper;
    drop(client);
    // Nobody is woken while they still count as connected.
    let listed = async || {
        let user = mesh.user("push").await;
        let asked = user.request("kez.edge.connections", r#"{"auth":true}"#.into()).await.unwrap();
        String::from_utf8_lossy(&asked.payload).contains(&key.public().to_hex())
    };
    while listed().await {}
    from.client.send(&handle, "wake up").await.unwrap();
    for name in &names {
        network.heard(name, 1).await;
    }
    settled(&mesh.user("push").await).await;

    let marks = names.iter().fold(Marks::default(), |marks, name| marks.word("an endpoint", name));
    let network = phone.trim_start_matches("https://").split('/').next().unwrap();
    marks
        .word("a push network", network)
        .word("a subscription's secret", &secret)
        .word("a subscription's point", POINT)
        .word("the sleeper", &handle)
        .key("the sleeper", &key.public())
}

/// What is refused, with marked words in it.
async fn be_refused(web: &Web, sleeper: &Person, endpoint: &str, secret: &str) {
    let code = |result: Result<_, Problem>| result.map(|_: Subscriptions| ()).unwrap_err().code;
    let wrong = with_keys(endpoint, secret, secret);
    assert_eq!(code(sleeper.client.call(&SUBSCRIBE, &wrong).await), Code::InvalidSubscription);
    let private = endpoint.replace("push.test", "10.0.0.1");
    assert_eq!(code(sleeper.subscribe(&private).await), Code::InvalidSubscription);
    let path = format!("/v1/push/unsubscribe/{}", sleeper.handle);
    let auth = sleeper.auth(&request_auth::push_subscribe(&sleeper.name(), endpoint));
    let body = serde_json::json!({ "endpoint": endpoint }).to_string();
    web.post_signed(&path, &auth, body).await.refused(401, "bad_signature");
    let body = serde_json::to_string(&subscription(endpoint)).unwrap();
    web.post_signed(&path, &auth, body).await.refused(400, "malformed");
}
