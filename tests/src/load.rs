//! A load of messages from one person to another, for stories in which something breaks in the middle of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::person::{Person, Text};

/// Messages that are being sent.
pub struct Load {
    acknowledged: watch::Receiver<usize>,
    senders: JoinSet<Vec<Text>>,
}

impl Load {
    /// Starts to send so many messages, so many of them at once, each for as long as the sender's patience lasts.
    pub fn start(from: &Person, to: &Person, messages: usize, at_once: usize) -> Self {
        let (count, acknowledged) = watch::channel(0);
        let count = Arc::new(count);
        let mut senders = JoinSet::new();
        for first in 0..at_once {
            let (client, to, count) = (from.client.clone(), to.key(), count.clone());
            senders.spawn(async move {
                let mut sent = Vec::new();
                for number in (first..messages).step_by(at_once) {
                    let text = format!("message {number}");
                    let (_, sealed) = client.seal(&to, &text).unwrap();
                    let delivered = client.deliver(&to, &sealed).await;
                    let seq = delivered.unwrap_or_else(|problem| panic!("{text} is not sent: {problem}")).seq;
                    sent.push(Text { seq, text });
                    count.send_modify(|count| *count += 1);
                }
                sent
            });
        }
        Self { acknowledged, senders }
    }

    /// Waits until so many are acknowledged.
    pub async fn until(&mut self, messages: usize) {
        let reached = self.acknowledged.wait_for(|count| *count >= messages).await;
        reached.expect("the senders go on until then");
    }

    /// Waits for the last acknowledgement; all that was acknowledged, in order.
    pub async fn finish(self) -> Vec<Text> {
        let mut sent: Vec<Text> = self.senders.join_all().await.into_iter().flatten().collect();
        sent.sort();
        sent
    }
}

/// Checks that what somebody found is what was acknowledged: so many messages, each once, in the order of their places.
#[track_caller]
pub fn each_once(found: &[Text], acknowledged: &[Text], wanted: usize) {
    let texts: BTreeSet<&str> = acknowledged.iter().map(|message| message.text.as_str()).collect();
    assert_eq!((texts.len(), acknowledged.len()), (wanted, wanted), "each is acknowledged once");
    let (there, promised): (BTreeSet<&Text>, BTreeSet<&Text>) =
        (found.iter().collect(), acknowledged.iter().collect());
    let lost: Vec<_> = promised.difference(&there).take(5).collect();
    let unasked: Vec<_> = there.difference(&promised).take(5).collect();
    assert!(
        lost.is_empty() && unasked.is_empty(),
        "lost: {lost:?} …; stored, but not acknowledged: {unasked:?} …"
    );
    assert!(found.is_sorted() && found.len() == there.len(), "each stands there once, and in order");
}
