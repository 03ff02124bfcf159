//! What must hold of any input: sealing round-trips, damage is noticed, nothing makes a parser panic.

use kez_crypto::chain::parse_event;
use kez_crypto::{
    Body, Chain, Claim, Copied, Fault, FullHandle, Handle, Identifier, Message, MessageId, Phrase, Picture,
    PictureKey, Preview, Primary, Profile, PublicKey, ReceiptStatus, Registration, Sealed, SecretKey,
    Session, Signed, Tag, Timestamp, bundle, conform, encoding, json, open, request_auth, seal, sealed,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

const TAGS: [Tag; 6] =
    [Tag::HandleRegistration, Tag::Claim, Tag::SigchainEvent, Tag::Message, Tag::Session, Tag::Profile];

fn secret_key() -> impl Strategy<Value = SecretKey> {
    any::<[u8; 32]>().prop_map(SecretKey::from_seed)
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_unix)
}

/// Values that strict JSON can hold.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-json::MAX_INTEGER..=json::MAX_INTEGER).prop_map(Value::from),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::Array),
            vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
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
        value().prop_map(|extra| Body::Unknown(json!({"kind": "of tomorrow", "extra": extra}))),
    ]
}

prop_compose! {
    fn message(from: SecretKey, device: SecretKey, to: PublicKey)
        (id in any::<[u8; 16]>(), sent_at in timestamp(), body in body(), by_device in any::<bool>())
        -> (Message, SecretKey)
    {
        let (device, sender) = if by_device { (Some(device.public()), device.clone()) } else { (None, from.clone()) };
        let id = MessageId::from_bytes(id);
        (Message { id, primary: from.public(), device, to, sent_at, body }, sender)
    }
}

/// A message, who signs it, and who can open it.
fn letter() -> impl Strategy<Value = (Message, SecretKey, SecretKey)> {
    (secret_key(), secret_key(), secret_key()).prop_flat_map(|(from, device, to)| {
        message(from, device, to.public()).prop_map(move |(message, sender)| (message, sender, to.clone()))
    })
}

/// JSON that is almost a sealed message: members that are missing, there twice, escaped or of another kind.
fn nearly_sealed() -> impl Strategy<Value = String> {
    let (enc, ct) = ("A".repeat(43), "A".repeat(363));
    let versions =
        ["2", "2", "2", "2", "3", "-2", "2.0", "2e0", "-0", "02", "9007199254740992", "1e999", "\"2\""];
    let encs = [
        format!("\"{enc}\""),
        format!("\"\\u0041{}\"", "A".repeat(42)),
        format!("\"{}-_4\"", "A".repeat(40)),
        format!("\"{}-_B\"", "A".repeat(40)),
        format!("\"{enc}=\""),
        format!("\"{ct}\""),
    ];
    let cts = [
        format!("\"{ct}\""),
        format!("\"{ct}{}\"", "-".repeat(341) + "w"),
        format!("\"{ct}A\""),
        format!("\"{}/\"", "A".repeat(362)),
        "\"\"".into(),
    ];
    let others = ["null", "true", "[]", "{\"a\":1,\"a\":2}", "\"\\ud800\"", "\"\u{1}\"", "", "1 2"];
    let member = |name: &'static str, escaped: &'static str, contents: Vec<String>| {
        let name = prop_oneof![6 => Just(name), 1 => Just(escaped), 1 => Just("x")];
        let other = prop::sample::select(others.to_vec()).prop_map(str::to_owned);
        let content = prop_oneof![9 => prop::sample::select(contents), 1 => other];
        (name, prop::sample::select(vec!["", "", "", " ", "\n\t", "\u{a0}"]), content)
            .prop_map(|(name, space, content)| format!("{space}\"{name}\"{space}:{content}{space}"))
    };
    let v = member("v", "\\u0076", versions.map(str::to_owned).to_vec());
    let enc = member("enc", "\\u0065nc", encs.to_vec());
    let ct = member("ct", "c\\u0074", cts.to_vec());
    let extra =
        prop::sample::select(vec![None, None, None, None, Some("\"v\":2"), Some("\"x\":{}"), Some("")]);
    let rest = prop::sample::select(vec!["", "", "", "", "", "", "x", " ", ",", "{}"]);
    let members = (v, enc, ct, extra).prop_map(|(v, enc, ct, extra)| {
        [Some(v), Some(enc), Some(ct), extra.map(str::to_owned)].into_iter().flatten().collect::<Vec<_>>()
    });
    (members.prop_shuffle(), rest).prop_map(|(members, rest)| format!("{{{}}}{rest}", members.join(",")))
}

/// A whole sealed text with its members in any order and some bytes changed.
fn damaged_sealed() -> impl Strategy<Value = Vec<u8>> {
    let members = Just(vec![
        "\"v\":2".to_owned(),
        format!("\"enc\":\"{}\"", "A".repeat(43)),
        format!("\"ct\":\"{}\"", "A".repeat(363)),
    ])
    .prop_shuffle();
    (members, vec((any::<prop::sample::Index>(), any::<u8>()), 0..3)).prop_map(|(members, changes)| {
        let mut text = format!("{{{}}}", members.join(",")).into_bytes();
        for (index, byte) in changes {
            let place = index.index(text.len());
            text.splice(place..=place, [byte]);
        }
        text
    })
}

/// What [`sealed::carry`] must answer, said slowly: strict JSON first, then the three members.
fn carried_slowly(text: &[u8]) -> Result<Vec<u8>, Fault> {
    let value = json::parse(text)?;
    let members = value.as_object().filter(|members| members.len() == 3).ok_or(Fault::Malformed)?;
    let member = |name: &str| members.get(name).ok_or(Fault::Malformed);
    let version = member("v")?.as_i64().ok_or(Fault::Malformed)?;
    let decode = |name: &str| {
        let text = member(name)?.as_str().ok_or(Fault::Malformed)?;
        data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| Fault::Malformed)
    };
    let (enc, ct) = (decode("enc")?, decode("ct")?);
    if enc.len() != 32 || ct.len() < 272 || ct.len() % 256 != 16 {
        return Err(Fault::Malformed);
    }
    if version == 2 { Ok(json::canonical(&value)) } else { Err(Fault::UnsupportedVersion) }
}

fn agrees(text: &[u8]) -> Result<(), TestCaseError> {
    let carried = sealed::carry(text);
    let parsed = Sealed::parse(text).map(|sealed| (sealed.canonical(), sealed.transport_id()));
    prop_assert_eq!(carried.clone().map(|carried| carried.canonical), carried_slowly(text));
    prop_assert_eq!(carried.map(|carried| (carried.canonical, carried.transport_id)), parsed);
    Ok(())
}

/// Hands the bytes to every parser that reads what strangers send.
fn read_everywhere(bytes: &[u8]) {
    let now = Timestamp::from_unix(1_779_678_000);
    let me = SecretKey::from_seed([1; 32]);
    let _ = json::parse(bytes).map(|value| (json::canonical(&value), Picture::from_value(&value).is_ok()));
    let _ = TAGS.map(|tag| Signed::parse(bytes, tag).is_ok());
    let _ = Sealed::parse(bytes).and_then(|sealed| open(&sealed, &me, now));
    let _ = sealed::carry(bytes);
    let _ = Registration::check(bytes, "kez.lat", now);
    let _ = Session::check(bytes, "kez.lat", "U", now);
    let _ = Profile::check(bytes, now);
    let _ = Chain::new(me.public()).append_downloaded(bytes);
    let _ = (parse_event(bytes), Claim::parse(bytes), bundle::read(bytes));
    let text = String::from_utf8_lossy(bytes);
    let _ = (Handle::parse(&text), FullHandle::parse(&text), Identifier::parse(&text), Phrase::parse(&text));
    let _ = (encoding::decode(&text), encoding::find(&text), bundle::unpack(&text), Primary::parse(&text));
    let _ = (PublicKey::parse(&text), PublicKey::from_nkey(&text), PublicKey::from_hex(&text));
    let _ =
        (Timestamp::parse(&text), MessageId::parse(&text), Preview::parse(&text), PictureKey::parse(&text));
    let _ = request_auth::check(&text, "", &me.public(), now, 60);
    for name in conform::FILES {
        let _ = conform::run(name, &text);
    }
}

proptest! {
    #[test]
    fn opens_what_was_sealed((message, sender, to) in letter(), random in any::<[u8; 32]>()) {
        let sealed = seal(&message, &sender, random).unwrap();
        prop_assert_eq!(sealed.ct.len() % 256, 16);
        let text = sealed.canonical();
        prop_assert_eq!(json::canonical(&json::parse(&text).unwrap()), text.clone());
        let parsed = Sealed::parse(&text).unwrap();
        prop_assert_eq!(&parsed, &sealed);
        prop_assert_eq!(open(&parsed, &to, message.sent_at), Ok(message));
    }

    #[test]
    fn nobody_else_opens_it((message, sender, _) in letter(), random in any::<[u8; 32]>(), other in secret_key()) {
        let sealed = seal(&message, &sender, random).unwrap();
        prop_assert_eq!(open(&sealed, &other, message.sent_at), Err(Fault::CannotOpen));
    }

    #[test]
    fn a_flipped_bit_is_noticed(
        (message, sender, to) in letter(), random in any::<[u8; 32]>(), place in any::<prop::sample::Index>(), bit in 0..8
    ) {
        let mut sealed = seal(&message, &sender, random).unwrap();
        let place = place.index(32 + sealed.ct.len());
        let byte = sealed.enc.iter_mut().chain(&mut sealed.ct).nth(place).unwrap();
        *byte ^= 1u8 << bit;
        // RFC 7748 ignores the highest bit of an X25519 key, but HPKE binds enc as it stands.
        prop_assert_eq!(open(&sealed, &to, message.sent_at), Err(Fault::CannotOpen));
    }

    #[test]
    fn a_changed_envelope_is_refused(
        (message, sender, _) in letter(), place in any::<prop::sample::Index>(), bit in 0..8
    ) {
        let mut text = Signed::create(Tag::Message, message.to_payload(), &sender).to_json();
        let place = place.index(text.len());
        *text.get_mut(place).unwrap() ^= 1u8 << bit;
        prop_assert!(Signed::parse(&text, Tag::Message).is_err());
    }

    #[test]
    fn an_envelope_reads_back(extra in value(), key in secret_key(), tag in prop::sample::select(TAGS.to_vec())) {
        let payload = [("extra".to_owned(), extra)].into_iter().collect();
        let signed = Signed::create(tag, payload, &key);
        prop_assert_eq!(Signed::parse(&signed.to_json(), tag), Ok(signed));
    }

    #[test]
    fn the_wrong_sender_cannot_seal((message, _, to) in letter(), random in any::<[u8; 32]>()) {
        prop_assert_eq!(seal(&message, &to, random), Err(Fault::KeyMismatch));
    }

    #[test]
    fn old_and_early_messages_are_stale((message, sender, to) in letter(), away in -1_000_000i64..1_000_000) {
        let sealed = seal(&message, &sender, [1; 32]).unwrap();
        let now = message.sent_at.plus_seconds(away);
        let age = now.seconds_since(message.sent_at);
        let expected = if (-300..=604_800).contains(&age) { Ok(message.clone()) } else { Err(Fault::Stale) };
        prop_assert_eq!(open(&sealed, &to, now), expected);
        prop_assert_eq!(kez_crypto::open_archived(&sealed, &to), Ok(message));
    }

    #[test]
    fn strict_json_reads_what_it_writes(value in value()) {
        let text = json::canonical(&value);
        prop_assert_eq!(json::parse(&text), Ok(value));
    }

    #[test]
    fn strict_json_takes_no_more_than_json(text in any::<String>()) {
        if let Ok(value) = json::parse(text.as_bytes()) {
            prop_assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(value));
        }
    }

    #[test]
    fn carrying_agrees_with_strict_parsing(near in nearly_sealed(), damaged in damaged_sealed()) {
        agrees(near.as_bytes())?;
        agrees(&damaged)?;
    }

    #[test]
    fn times_read_back(time in timestamp()) {
        prop_assert_eq!(Timestamp::parse(&time.to_string()), Ok(time));
    }

    #[test]
    fn keys_read_back(bytes in any::<[u8; 32]>()) {
        let key = PublicKey::from_bytes(bytes);
        prop_assert_eq!(PublicKey::parse(&key.identifier()), Ok(key));
        prop_assert_eq!(PublicKey::from_nkey(&key.nkey()), Ok(key));
        prop_assert_eq!(serde_json::from_value::<PublicKey>(json!(key)).ok(), Some(key));
    }

    #[test]
    fn no_bytes_make_a_parser_panic(bytes in vec(any::<u8>(), 0..600), text in any::<String>(), value in value()) {
        read_everywhere(&bytes);
        read_everywhere(text.as_bytes());
        read_everywhere(&json::canonical(&value));
    }

    #[test]
    fn no_envelope_makes_a_parser_panic(
        payload in vec(("primary|handle|server|created_at|to|body|device|session|id|picture|updated_at|subject|expires_at|seq|prev|op|payload", value()), 0..8),
        key in secret_key(), tag in prop::sample::select(TAGS.to_vec())
    ) {
        let payload = payload.into_iter().collect();
        read_everywhere(&Signed::create(tag, payload, &key).to_json());
    }
}
