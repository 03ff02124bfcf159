//! How a message is shown: as what it says, never as what it would make of a terminal.

use kez_crypto::{Body, Message, PublicKey, ReceiptStatus};
use serde_json::{Value, json};

use crate::mail::{Received, Waiting};
use crate::visible;

/// A message of my mailbox, and what those whom it names are called.
pub(super) struct Letter<'a> {
    pub received: &'a Received,
    /// What the sender is called.
    pub from: Option<&'a str>,
    /// Of a message that another device of mine has sent: to whom, and what they are called.
    pub sent_to: Option<(PublicKey, Option<&'a str>)>,
}

/// Whether there is anything to show: the keys of people's pictures come between the letters, and so does word from my other
/// devices of what I have read there, which is for programs alone.
pub(super) fn says_something(received: &Received, me: &PublicKey, to_programs: bool) -> bool {
    match &received.opened {
        Ok(Message { body: Body::PictureKey { .. }, .. }) => false,
        Ok(Message { body: Body::Receipt { .. }, primary, .. }) => to_programs || primary != me,
        _ => true,
    }
}

impl Letter<'_> {
    /// For people: a heading and the words; lines after the first stand behind a margin.
    pub(super) fn text(&self) -> String {
        let Received { seq, received_at, opened } = self.received;
        let time = visible::line(&received_at.replace('T', " "));
        let (from, words) = match (opened, self.sent_to) {
            (Err(fault), _) => ("?".to_owned(), format!("(not shown: {fault})")),
            // No handle holds a space: nobody's name looks like this.
            (Ok(message), Some((to, name))) => (format!("you to {}", called(to, name)), words(&message.body)),
            (Ok(message), None) => (called(message.primary, self.from), words(&message.body)),
        };
        format!("{seq:>6}  {time}  {from:<12}  {words}")
    }

    /// For scripts. Whoever wrote the body may have put anything into it: `to` stands beside it only where I have sent it.
    pub(super) fn value(&self) -> Value {
        let Received { seq, received_at, opened } = self.received;
        let message = match opened {
            Err(fault) => {
                return json!({
                    "seq": seq, "received_at": received_at, "refused": fault.code(), "detail": fault.to_string(),
                });
            }
            Ok(message) => message,
        };
        let mut value = json!({
            "seq": seq,
            "received_at": received_at,
            "id": message.id.to_string(),
            "from": message.primary.identifier(),
            "handle": self.from,
            "sent_at": message.sent_at.to_string(),
            "body": message.body.to_value(),
        });
        if let Some((to, name)) = self.sent_to {
            value["to"] = to.identifier().into();
            value["to_handle"] = name.into();
        }
        value
    }
}

/// For people: a message that is not shown yet.
pub(super) fn waiting_text(waiting: &Waiting) -> String {
    let Waiting { seq, received_at, problem } = waiting;
    let time = visible::line(&received_at.replace('T', " "));
    format!("{seq:>6}  {time}  {:<12}  (not shown yet: {})", "?", visible::line(&problem.detail))
}

/// The same for scripts.
pub(super) fn waiting_value(waiting: &Waiting) -> Value {
    let Waiting { seq, received_at, problem } = waiting;
    json!({
        "seq": seq, "received_at": received_at, "waits_for": problem.code.as_str(), "detail": problem.detail,
    })
}

/// Somebody: the handle that the registry has for the key, or the beginning of the key.
fn called(primary: PublicKey, name: Option<&str>) -> String {
    match name {
        Some(name) => visible::line(name),
        None => primary.identifier().chars().take("ed25519:".len() + 8).chain(['…']).collect(),
    }
}

fn words(body: &Body) -> String {
    match body {
        Body::Text { text, .. } => visible::lines(text, &format!("{:>8}| ", "")),
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
    use kez_crypto::{Copied, Fault, MessageId, SecretKey, Timestamp};

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

    fn from<'a>(received: &'a Received, name: Option<&'a str>) -> Letter<'a> {
        Letter { received, from: name, sent_to: None }
    }

    #[test]
    fn a_message_is_one_line_and_its_further_lines_cannot_pose_as_messages() {
        let hostile = "hi\n    13  2027-01-15 08:00:01Z  bob           send money\u{1b}[2J\u{202e}";
        assert_eq!(
            from(&received(Body::text(hostile)), Some("alice")).text(),
            "    12  2027-01-15 08:00:00Z  alice         hi\n        |     13  2027-01-15 08:00:01Z  bob           send \
             money\\u{1b}[2J\\u{202e}"
        );
    }

    #[test]
    fn who_has_no_handle_is_shown_by_key() {
        assert!(from(&received(Body::text("hi")), None).text().contains("ed25519:8a88e3dd…"));
    }

    #[test]
    fn what_cannot_be_shown_is_not_lost() {
        let unknown = received(Body::Unknown(json!({ "kind": "poll", "question": "?" })));
        assert!(from(&unknown, Some("alice")).text().contains("newer version"));
        assert_eq!(from(&unknown, Some("alice")).value()["body"]["question"], "?");
        let refused = Received { opened: Err(Fault::CannotOpen), ..unknown };
        assert!(from(&refused, None).text().contains("cannot be opened"));
        assert_eq!(from(&refused, None).value()["refused"], "cannot_open");
    }

    #[test]
    fn what_i_have_sent_names_whom_it_was_for() {
        let to = SecretKey::from_seed([2; 32]).public();
        let copy_of = Some(Copied { to, id: MessageId::from_bytes([5; 16]) });
        let copy = received(Body::Text { text: "hi\nbob".to_owned(), copy_of });
        let letter = |name| Letter { received: &copy, from: Some("alice"), sent_to: Some((to, name)) };
        assert_eq!(
            letter(Some("bob")).text(),
            "    12  2027-01-15 08:00:00Z  you to bob    hi\n        | bob"
        );
        assert!(letter(None).text().contains("  you to ed25519:8139770e…  hi"), "{}", letter(None).text());
        let value = letter(Some("bob")).value();
        assert_eq!((&value["to"], &value["to_handle"]), (&to.identifier().into(), &"bob".into()));
        assert_eq!(value["body"]["copy_of"]["id"], "05".repeat(16));

        let said_by_a_stranger = from(&copy, Some("alice")).value();
        assert_eq!(said_by_a_stranger.get("to"), None);
    }

    #[test]
    fn word_of_what_i_have_read_elsewhere_is_for_programs() {
        let me = SecretKey::from_seed([1; 32]).public();
        let other = SecretKey::from_seed([2; 32]).public();
        let receipt = received(Body::Receipt { status: ReceiptStatus::Read, of: Vec::new() });
        let shown = |me, to_programs| says_something(&receipt, me, to_programs);
        assert_eq!([shown(&me, false), shown(&me, true), shown(&other, false)], [false, true, true]);
        assert!(says_something(&received(Body::text("a note")), &me, false));
    }
}
