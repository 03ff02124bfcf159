//! Signed documents: envelopes of every tag, registrations, sessions, profiles, request signatures, and claims in all forms.

use kez_crypto::{
    Claim, Handle, Identifier, Profile, PublicKey, Purpose, Registration, SecretKey, Session, Signed, Tag,
    Timestamp, encoding, request_auth,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::{NOW, Person, TypeScript, by, change, changed, each, person, said, secret_key, text, value};

const TAGS: [Tag; 6] =
    [Tag::HandleRegistration, Tag::Claim, Tag::SigchainEvent, Tag::Message, Tag::Session, Tag::Profile];

const ODD: [&str; 9] =
    ["primary", "device", "to", "version", "type", "subject", "created_at", "seq", "handle"];

const SERVER: &str = "kez.lat";

pub fn agree(typescript: &TypeScript) {
    let envelope = (prop::sample::select(&TAGS[..]), person(), value(), odd_members(), vec(change(), 1..8));
    each("envelopes", 250, envelope, |(tag, person, extra, odd, changes)| {
        envelopes(typescript, tag, &person, extra, odd, changes);
    });
    let terms = (secret_key(), secret_key(), -400i64..400, -100_000i64..100_000, "[a-z]{2,8}", "\\PC{0,70}");
    each("registrations, sessions and profiles", 200, terms, |(key, other, from, to, name, about)| {
        let at = NOW.plus_seconds(from);
        let handle = Handle::parse("alice").unwrap();
        let ours = text(Registration::create(&handle, &name, at, &key));
        let given = json!({ "handle": "alice", "server": name, "now": at.unix(), "by": by(&key) });
        assert_eq!(typescript.get("register", given), ours);
        let checked = Registration::check(ours.as_bytes(), SERVER, NOW).map(|it| it.handle.to_string());
        let given = json!({ "text": ours, "server": SERVER, "now": NOW.unix() });
        assert_eq!(typescript.ask("registration", given), said(checked));

        let (primary, session, end) = (key.public(), other.public(), NOW.plus_seconds(to));
        for signer in [&key, &other] {
            sessions(typescript, primary, session, [at, end], signer, &name);
        }

        let created = Profile::create(Some(&about), Some(&name), None, at, &key).map(text);
        let given = json!({ "name": about, "about": name, "now": at.unix(), "by": by(&key) });
        assert_eq!(typescript.ask("profile", given), said(created.clone()));
        if let Ok(ours) = created {
            let checked = Profile::check(ours.as_bytes(), NOW)
                .map(|it| json!({ "name": it.display_name, "about": it.about }));
            let given = json!({ "text": ours, "now": NOW.unix() });
            assert_eq!(typescript.ask("check_profile", given), said(checked));
        }
        requests(typescript, &key, &name, from);
    });
    let claim =
        (person(), "[^\\s\\p{Cc}]{1,20}", prop::option::of(0i64..9), "[^{`~:]{0,20}", vec(change(), 0..4));
    each("claims", 200, claim, |(person, name, end, around, changes)| {
        claims(typescript, &person, &name, end.map(|end| NOW.plus_seconds(end)), &around, changes);
    });
}

/// Members of a payload that may be there and wrong.
fn odd_members() -> impl Strategy<Value = Map<String, Value>> {
    let values = prop_oneof![
        Just(json!(null)),
        Just(json!(2)),
        Just(json!("ed25519:")),
        Just(json!("nostr:npub1q")),
        person().prop_map(|person| json!(person.signer().public())),
        secret_key().prop_map(|secret| json!(secret.public())),
    ];
    vec((prop::sample::select(&ODD[..]), values), 0..3)
        .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn envelopes(
    typescript: &TypeScript,
    tag: Tag,
    person: &Person,
    extra: Value,
    odd: Map<String, Value>,
    changes: Vec<(prop::sample::Index, u8, char)>,
) {
    let mut payload = odd;
    payload.insert("extra".into(), extra);
    // A primary that is none is the caller's mistake, which each side mends in its own way.
    let names_one = payload
        .get("primary")
        .is_none_or(|it| serde_json::from_value::<kez_crypto::Primary>(it.clone()).is_ok());
    if !names_one {
        payload.remove("primary");
    }
    let ours = text(Signed::create(tag, payload.clone(), person.signer()).to_json());
    let written =
        json!({ "tag": tag.name(), "payload": Value::Object(payload).to_string(), "by": person.by() });
    assert_eq!(typescript.get("sign", written), ours);
    let whole = std::iter::once(ours.clone());
    for text in whole.chain(changes.into_iter().map(|change| changed(&ours, change))) {
        for expected in TAGS {
            let read = Signed::parse(text.as_bytes(), expected).map(|signed| crate::text(signed.to_json()));
            let given = json!({ "tag": expected.name(), "text": text });
            assert_eq!(typescript.ask("signed", given), said(read), "{text}");
        }
    }
}

/// Sessions for everything, for waking, and for a use that nobody knows.
fn sessions(
    typescript: &TypeScript,
    primary: PublicKey,
    session: PublicKey,
    [from, to]: [Timestamp; 2],
    signer: &SecretKey,
    odd_use: &str,
) {
    let everything = text(Session::create(primary, session, SERVER, from, to, signer));
    let wake = text(Session::create_to_wake(primary, session, SERVER, from, to, signer));
    let mut payload = Signed::parse(wake.as_bytes(), Tag::Session).unwrap().payload;
    payload.insert("use".into(), odd_use.into());
    let odd = text(Signed::create(Tag::Session, payload, signer).to_json());
    for (ours, wake) in [(&everything, false), (&wake, true)] {
        let given = json!({
            "primary": primary, "session": session, "server": SERVER, "from": from.unix(), "to": to.unix(),
            "wake": wake, "by": by(signer),
        });
        assert_eq!(typescript.get("session", given), *ours);
    }
    let nkey = session.nkey();
    for ours in [everything, wake, odd] {
        let checked = Session::check(ours.as_bytes(), SERVER, &nkey, NOW)
            .map(|it| json!({ "primary": it.primary.identifier(), "wake": it.purpose == Purpose::Wake }));
        let given = json!({ "text": ours, "server": SERVER, "nkey": nkey, "now": NOW.unix() });
        assert_eq!(typescript.ask("check_session", given), said(checked));
    }
}

fn requests(typescript: &TypeScript, key: &kez_crypto::SecretKey, name: &str, skew: i64) {
    let handle = Handle::parse("alice").unwrap();
    let lines = request_auth::push_subscribe(&handle, name);
    let header = request_auth::sign(&lines, NOW, key);
    let given = json!({ "text": lines, "now": NOW.unix(), "by": by(key) });
    assert_eq!(typescript.get("authorise", given), header);
    for lines in [lines, request_auth::stream(&handle)] {
        let now = NOW.plus_seconds(skew);
        let ours = request_auth::check(&header, &lines, &key.public(), now, request_auth::SKEW_SECONDS);
        let given = json!({ "header": header, "text": lines, "primary": key.public(), "now": now.unix() });
        assert_eq!(typescript.ask("check_request", given), said(ours));
    }
}

/// Claims in every form, written by either side, alone and among other text, whole and with changes.
fn claims(
    typescript: &TypeScript,
    person: &Person,
    name: &str,
    end: Option<Timestamp>,
    around: &str,
    changes: Vec<(prop::sample::Index, u8, char)>,
) {
    let subject = Identifier::parse(&format!("github:{name}")).unwrap();
    let ours = text(Claim::create(&subject, NOW, end, person.signer()));
    let given = json!({
        "subject": subject, "now": NOW.unix(), "end": end.map(Timestamp::unix), "by": person.by(),
    });
    assert_eq!(typescript.get("claim", given), ours);
    assert_eq!(typescript.get("parse_claim", json!({ "text": ours })), subject.as_str());
    let compact = encoding::compact(ours.as_bytes());
    let mut forms =
        vec![encoding::markdown(compact.as_bytes()), encoding::txt_pieces(&compact).concat(), compact];
    let theirs = typescript.get("forms", json!({ "text": ours }));
    forms.extend(theirs.as_array().unwrap().iter().map(|form| form.as_str().unwrap().to_owned()));
    for form in forms {
        assert_eq!(encoding::decode(&form).map(text), Ok(ours.clone()), "{form}");
        assert_eq!(typescript.get("decode", json!({ "text": form })), ours, "{form}");
        let among = format!("{around}\n{form}{around} {form}");
        for text in [&form, &among] {
            let text = changes.iter().fold(text.clone(), |text, change| changed(&text, *change));
            same_claims(typescript, &text);
        }
    }
}

/// Why a damaged frame cannot be read depends on where a decoder notices, so that any refusal of a form is like another.
fn same_claims(typescript: &TypeScript, text: &str) {
    let given = || json!({ "text": text });
    let decoded = typescript.ask("decode", given());
    assert_eq!(
        decoded.get("value"),
        encoding::decode(text).ok().map(crate::text).map(Value::from).as_ref(),
        "{text}"
    );
    let found = encoding::find(text).into_iter().map(|found| found.ok().map(crate::text));
    let theirs = typescript.get("find", given());
    let theirs = theirs.as_array().into_iter().flatten();
    let theirs: Vec<_> =
        theirs.map(|found| found.get("envelope").and_then(Value::as_str).map(str::to_owned)).collect();
    assert_eq!(theirs, found.collect::<Vec<_>>(), "{text}");
}
