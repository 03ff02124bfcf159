//! Whoever has subscribed can try it: one push, now, though they are there; and nobody is held up by those who try.

use std::time::Duration;

use futures_util::future::join_all;
use kez_contract::push::{TEST, Test, Tested};
use kez_contract::{Code, Problem};
use kez_service::ask::ask_as;
use tests::push::{Reply, settled, vapid_key};
use tests::{Person, PushNetwork};

/// A push network may take ten seconds.
const PATIENCE: Duration = Duration::from_secs(20);

async fn try_it(person: &Person, endpoint: &str) -> Result<Tested, Problem> {
    let asked = Test { endpoint: endpoint.to_owned() };
    let subject = TEST.subject(&person.hex(), &person.hex());
    ask_as(person.client.nats(), TEST.service(), subject, &asked, PATIENCE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_network_says_is_told() {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    let alice = mesh.person("alice").await;
    let endpoint = network.endpoint("phone");
    alice.subscribe(&endpoint).await.unwrap();
    network.script("phone", [Reply::Status(201), Reply::Status(202), Reply::Status(410), Reply::Status(503)]);
    for (accepted, status) in [(true, 201), (true, 202), (false, 410), (false, 503)] {
        let tested = try_it(&alice, &endpoint).await.unwrap();
        assert_eq!(tested, Tested { accepted, status: Some(status) });
    }
    let key = vapid_key(&mesh).await;
    for push in network.to("phone") {
        push.check(&key, &mesh, &network);
    }

    // Nobody answers there, or nobody may go there.
    let nowhere = "https://nowhere.test/phone";
    alice.subscribe(nowhere).await.unwrap();
    assert_eq!(try_it(&alice, nowhere).await.unwrap(), Tested { accepted: false, status: None });
    // It was the fifth; the seventh within a minute has to wait.
    try_it(&alice, nowhere).await.unwrap();
    let refused = try_it(&alice, &endpoint).await.unwrap_err();
    assert_eq!((refused.code, refused.limit_per_minute), (Code::RateLimited, Some(6)));
    assert_eq!(network.to("phone").len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_endpoints_that_are_tried_hold_up_nobody_who_is_to_be_woken() {
    let network = PushNetwork::start().await;
    let mesh = network.mesh().await;
    let sleeper = mesh.sleeper("sleeper").await;
    network.subscribe(&mesh, &sleeper, "sleeper").await;
    let mut people = Vec::new();
    for number in 0..5 {
        let person = mesh.person(&format!("person-{number}")).await;
        let device = format!("device-{number}");
        person.subscribe(&network.endpoint(&device)).await.unwrap();
        network.script(&device, [Reply::Silent]);
        people.push((person, device));
    }
    let (last, device) = people.pop().unwrap();
    let tries = join_all(people.iter().map(async |(person, device)| {
        let tested = try_it(person, &network.endpoint(device)).await.unwrap();
        assert_eq!(tested, Tested { accepted: false, status: None });
    }));
    let meanwhile = async {
        for (_, device) in &people {
            network.heard(device, 1).await;
        }
        let refused = try_it(&last, &network.endpoint(&device)).await.unwrap_err();
        assert_eq!(refused.code, Code::Unavailable);
        last.client.send("sleeper", "wake up").await.unwrap();
        network.heard("sleeper", 1).await;
        settled(&mesh.user("push").await).await;
    };
    tokio::select! {
        () = meanwhile => {}
        _ = tries => panic!("whoever sleeps was woken only after those who tried"),
    }
}
