//! Mail is there when its owner comes back: everything, once, in order, also across a gap in the live feed.

use futures_util::StreamExt;
use tests::Mesh;

#[tokio::test]
async fn misses_messages_while_away_and_catches_up() {
    let mesh = Mesh::start().await;
    let alice = mesh.person("alice").await;
    let bob = mesh.person("bob").await;
    let wanted: Vec<String> = (0..120).map(|n| format!("message {n}")).collect();

    // Bob is registered and connected, but does not listen.
    for text in &wanted[..100] {
        alice.send(&bob, text).await;
    }
    let follow = bob.follow().await;
    for text in &wanted[100..] {
        alice.send(&bob, text).await;
    }

    let got: Vec<String> = follow.take(wanted.len()).map(|mail| mail.text().unwrap().to_owned()).collect().await;
    assert_eq!(got, wanted);
    assert_eq!(bob.texts().await.len(), wanted.len(), "each is stored once");
}
