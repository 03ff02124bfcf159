//! What an operator sees of a mesh: which replicas answer, and how much each has done.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::Client;
use async_nats::service::Stats;
use futures_util::StreamExt;
use tokio::time::{Instant, timeout};

/// Answers that must come are waited for so long, however busy this machine is.
const LISTEN: Duration = Duration::from_millis(500);
/// Replicas on this machine answer within a few milliseconds: after such a silence no other one will.
const SILENCE: Duration = Duration::from_millis(60);
const PATIENCE: Duration = Duration::from_secs(20);

/// How many calls a replica has taken.
pub fn taken(replica: &Stats) -> usize {
    replica.endpoints.iter().map(|endpoint| endpoint.requests).sum()
}

/// Waits until exactly so many replicas of a service answer: the statistics of each, by its id.
pub async fn until_replicas(operator: &Client, service: &str, wanted: usize) -> BTreeMap<String, Stats> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = replicas(operator, service, wanted).await;
        if found.len() == wanted {
            return found;
        }
        assert!(Instant::now() < deadline, "{} replicas of {service} answer, not {wanted}", found.len());
    }
}

async fn replicas(operator: &Client, service: &str, wanted: usize) -> BTreeMap<String, Stats> {
    let inbox = operator.new_inbox();
    let mut replies = operator.subscribe(inbox.clone()).await.unwrap();
    // Its account lets the operator ask, under a prefix.
    let account = if service == "auth-callout" { "kez.auth." } else { "" };
    let question = format!("{account}$SRV.STATS.{service}");
    operator.publish_with_reply(question, inbox, "".into()).await.unwrap();
    let mut replicas = BTreeMap::new();
    while let Ok(Some(reply)) =
        timeout(if replicas.len() < wanted { LISTEN } else { SILENCE }, replies.next()).await
    {
        if let Ok(stats) = serde_json::from_slice::<Stats>(&reply.payload) {
            replicas.insert(stats.id.clone(), stats);
        }
    }
    replicas
}
