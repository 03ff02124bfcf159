//! Sealed messages: sealed by one, opened by the other.

use kez_crypto::{
    Body, Copied, Message, MessageId, PictureKey, ReceiptStatus, Sealed, SecretKey, Signed, Tag, json, open,
    seal,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{NOW, TypeScript, by, change, changed, each, hex, person, said, secret_key, text, value};

pub fn agree(typescript: &TypeScript) {
    let letter = (secret_key(), secret_key(), secret_key(), body(), any::<bool>(), any::<[u8; 32]>(), sent());
    each("sealed messages", 250, (letter, vec(change(), 0..3)), |(letter, changes)| {
        let (from, device, to, body, by_device, random, seconds) = letter;
        let id = MessageId::from_bytes(random.first_chunk().copied().unwrap());
        let sender = if by_device { &device } else { &from };
        let device = by_device.then(|| device.public());
        let sent_at = NOW.plus_seconds(seconds);
        let message = Message { id, primary: from.public(), device, to: to.public(), sent_at, body };
        letters(typescript, &message, sender, &to, random, changes);
    });
    let copy = (secret_key(), any::<String>(), odd_copy());
    each("texts that say of what they are a copy", 250, copy, |(me, text, copy_of)| {
        // Written as it stands, not as a text.
        let body = Body::Unknown(json!({ "kind": "text", "text": text, "copy_of": copy_of }));
        let (id, primary) = (MessageId::from_bytes([1; 16]), me.public());
        let message = Message { id, primary, device: None, to: primary, sent_at: NOW, body };
        let sealed = crate::text(seal(&message, &me, [2; 32]).unwrap().canonical());
        same_opened(typescript, &sealed, &me);
    });
}

/// What a text may say of what it is a copy, rightly and wrongly.
fn odd_copy() -> impl Strategy<Value = Value> {
    let to = prop_oneof![
        secret_key().prop_map(|to| json!(to.public())),
        secret_key().prop_map(|to| json!(to.public().to_hex())),
        person().prop_map(|person| json!(person.signer().public())),
        value(),
    ];
    let id = prop_oneof![
        any::<[u8; 16]>().prop_map(|id| json!(hex(&id))),
        any::<[u8; 16]>().prop_map(|id| json!(hex(&id).to_uppercase())),
        any::<[u8; 17]>().prop_map(|id| json!(hex(&id))),
        value(),
    ];
    let both = (to.clone(), id.clone()).prop_map(|(to, id)| json!({ "to": to, "id": id }));
    let more = (to, id, value()).prop_map(|(to, id, more)| json!({ "to": to, "id": id, "more": more }));
    prop_oneof![both, more, value()]
}

/// Times around both ends of what is taken.
fn sent() -> impl Strategy<Value = i64> {
    prop_oneof![-10i64..10, 290i64..310, -604_810i64..-604_790]
}

fn copied() -> impl Strategy<Value = Copied> {
    (secret_key(), any::<[u8; 16]>())
        .prop_map(|(to, id)| Copied { to: to.public(), id: MessageId::from_bytes(id) })
}

fn body() -> impl Strategy<Value = Body> {
    let status = prop_oneof![Just(ReceiptStatus::Delivered), Just(ReceiptStatus::Read)];
    let ids = vec(any::<[u8; 16]>().prop_map(MessageId::from_bytes), 0..5);
    prop_oneof![
        any::<String>().prop_map(Body::text),
        (any::<String>(), copied()).prop_map(|(text, copied)| Body::Text { text, copy_of: Some(copied) }),
        (status, ids).prop_map(|(status, of)| Body::Receipt { status, of }),
        (any::<[u8; 32]>(), any::<[u8; 32]>())
            .prop_map(|(key, picture)| Body::PictureKey { key: PictureKey::from_bytes(key), picture }),
        value().prop_map(|extra| Body::Unknown(json!({ "kind": "of tomorrow", "extra": extra }))),
    ]
}

fn letters(
    typescript: &TypeScript,
    message: &Message,
    sender: &SecretKey,
    to: &SecretKey,
    random: [u8; 32],
    changes: Vec<(prop::sample::Index, u8, char)>,
) {
    let signed = text(Signed::create(Tag::Message, message.to_payload(), sender).to_json());
    let sealed = seal(message, sender, random).unwrap();
    let ours = text(sealed.canonical());
    // The same random bytes make the same message, so either side's is the other's.
    let given = json!({ "signed": signed, "random": hex(&random), "by": by(sender) });
    assert_eq!(typescript.get("seal", given), ours);
    assert_eq!(typescript.get("transport_id", json!({ "text": ours })), sealed.transport_id());
    let whole = std::iter::once(ours.clone());
    for text in whole.chain(changes.into_iter().map(|change| changed(&ours, change))) {
        for reader in [to, sender] {
            same_opened(typescript, &text, reader);
        }
    }
}

fn same_opened(typescript: &TypeScript, text: &str, reader: &SecretKey) {
    let opened = Sealed::parse(text.as_bytes())
        .and_then(|sealed| open(&sealed, reader, NOW))
        .map(|message| crate::text(json::canonical_object(&message.to_payload())));
    let given = json!({ "text": text, "seed": hex(reader.seed()), "now": NOW.unix() });
    assert_eq!(typescript.ask("open", given), said(opened), "{text}");
}
