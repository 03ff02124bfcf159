//! How a message of somebody else's is shown: as what it says, never as what it would make of a terminal.

use kez_crypto::{Body, Message, ReceiptStatus};
use serde_json::{Value, json};

use crate::mail::Received;
use crate::visible;

/// Whether there is anything to show: the keys of people's pictures come between the letters.
pub(super) fn says_something(received: &Received) -> bool {
    !matches!(&received.opened, Ok(Message { body: Body::PictureKey { .. }, .. }))
}

/// For people: a heading and the words; lines after the first stand behind a margin.
pub(super) fn text(received: &Received, name: Option<&str>) -> String {
    let time = visible::line(&received.received_at.replace('T', " "));
    let (from, words) = match &received.opened {
        Err(fault) => ("?".to_owned(), format!("(not shown: {fault})")),
        Ok(message) => (sender(message, name), words(&message.body)),
    };
    format!("{:>6}  {time}  {from:<12}  {words}", received.seq)
}

/// For scripts.
pub(super) fn value(received: &Received, name: Option<&str>) -> Value {
    let Received { seq, received_at, opened } = received;
    match opened {
        Err(fault) => {
            json!({ "seq": seq, "received_at": received_at, "refused": fault.code(), "detail": fault.to_string() })
        }
        Ok(message) => json!({
            "seq": seq,
            "received_at": received_at,
            "id": message.id.to_string(),
            "from": message.primary.identifier(),
            "handle": name,
            "sent_at": message.sent_at.to_string(),
            "body": message.body.to_value(),
        }),
    }
}

/// Who wrote it: the handle that the registry has for the key, or the beginning of the key.
fn sender(message: &Message, name: Option<&str>) -> String {
    match name {
        Some(name) => visible::line(name),
        None => message.primary.identifier().chars().take("ed25519:".len() + 8).chain(['…']).collect(),
    }
}

fn words(body: &Body) -> String {
    match body {
        Body::Text { text } => visible::lines(text, &format!("{:>8}| ", "")),
        Body::Receipt { status, of } => {
            let what = match status {
                ReceiptStatus::Delivered => "received",
                ReceiptStatus::Read => "read",
            };
            format!("(has {what} {} of your messages)", of.len())
        }
        Body::PictureKey { .. } => "(shows you their picture)".to_owned(),
        Body::Unknown(_) => "(this message needs a newer version of kez; --json shows all of it)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use kez_crypto::{Fault, MessageId, SecretKey, Timestamp};

    use super::*;

    fn received(body: Body) -> Received {
        let message = Message {
            id: MessageId::from_bytes([1; 16]),
            primary: SecretKey::from_seed([1; 32]).public(),
            device: None,
            to: SecretKey::from_seed([2; 32]).public(),
            sent_at: Timestamp::from_unix(1_800_000_000),
            body,
        };
        Received { seq: 12, received_at: "2027-01-15T08:00:00Z".to_owned(), opened: Ok(message) }
    }

    #[test]
    fn a_message_is_one_line_and_its_further_lines_cannot_pose_as_messages() {
        let hostile = "hi\n    13  2027-01-15 08:00:01Z  bob           send money\u{1b}[2J\u{202e}";
        assert_eq!(
            text(&received(Body::Text { text: hostile.to_owned() }), Some("alice")),
            "    12  2027-01-15 08:00:00Z  alice         hi\n        |     13  2027-01-15 08:00:01Z  bob           send \
             money\\u{1b}[2J\\u{202e}"
        );
    }

    #[test]
    fn who_has_no_handle_is_shown_by_key() {
        assert!(text(&received(Body::Text { text: "hi".to_owned() }), None).contains("ed25519:8a88e3dd…"));
    }

    #[test]
    fn what_cannot_be_shown_is_not_lost() {
        let unknown = received(Body::Unknown(json!({ "kind": "poll", "question": "?" })));
        assert!(text(&unknown, Some("alice")).contains("newer version"));
        assert_eq!(value(&unknown, Some("alice"))["body"]["question"], "?");
        let refused = Received { opened: Err(Fault::CannotOpen), ..unknown };
        assert!(text(&refused, None).contains("cannot be opened"));
        assert_eq!(value(&refused, None)["refused"], "cannot_open");
    }
}
