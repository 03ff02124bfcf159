//! What a sign-in is made of, and every way of bending it that was thought of: each must fail for its own reason.

mod world;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use kez_crypto::{Fault, PublicKey, Purpose, SecretKey, Timestamp};
use nkeys::{KeyPair, KeyPairType, XKey};
use serde_json::{Value, json};

use crate::refusal::{NoAnswer, Refusal, Unreadable};
use crate::rules::Person;
use crate::sign_in::{Known, recognise};
use world::{NONCE, shown, signature, world};

const NOW: i64 = 1_790_000_000;
const HOUR: i64 = 60 * 60;

fn refused(outcome: Result<Known, NoAnswer>) -> Refusal {
    match outcome {
        Err(NoAnswer::Refused { reason, .. }) => reason,
        other => panic!("{:?}", other.map(|known| known.person)),
    }
}

fn unreadable(outcome: Result<Known, NoAnswer>) -> Unreadable {
    match outcome {
        Err(NoAnswer::Unreadable(reason)) => reason,
        other => panic!("{:?}", other.map(|known| known.person)),
    }
}

#[test]
fn people_are_who_they_prove_to_be() {
    let world = world();
    let alice = world.alice.public();
    let purpose = Purpose::Everything;
    let plain = Person { primary: alice, device: alice, purpose, session_ends: None };
    assert_eq!(world.ask(&world.plain()).unwrap().person, plain);
    // The signature in the encoding with padding, which some clients use.
    let mut padded = world.plain();
    shown(&mut padded)["sig"] = json!(STANDARD.encode(world.alice.sign(NONCE.as_bytes())));
    assert_eq!(world.ask(&padded).unwrap().person, plain);

    // The broker's clock may be a little behind ours.
    let mut late = world.plain();
    late["exp"] = json!(NOW - 1);
    assert_eq!(world.ask(&late).unwrap().person, plain);

    let session_ends = Some(Timestamp::from_unix(NOW + HOUR));
    let by_session = Person { primary: alice, device: alice, purpose, session_ends };
    assert_eq!(world.ask(&world.session()).unwrap().person, by_session);

    // Whoever signs as a device is that device and nothing else: Alice's sigchain says whether it speaks for her.
    for device in [SecretKey::from_seed([6; 32]), world.mallory.clone()] {
        let envelope = world.envelope("kez.lat", NOW, NOW + HOUR, &device);
        let on_device = Person { primary: alice, device: device.public(), purpose, session_ends };
        assert_eq!(world.ask(&world.with_session(&envelope)).unwrap().person, on_device);
    }
}

#[test]
fn credentials_that_prove_nobody_are_refused() {
    let world = world();
    let low_order = PublicKey::from_bytes([0; 32]).nkey();
    let account = KeyPair::new_from_raw(KeyPairType::Account, [3; 32]).unwrap().public_key();
    let changes: [(&str, Value, Refusal); 22] = [
        ("nkey", Value::Null, Refusal::NoCredentials),
        ("nkey", json!(account), Refusal::NotAnNkey),
        ("nkey", json!(world.alice.public().nkey().to_lowercase()), Refusal::NotAnNkey),
        ("nkey", json!(world.alice.public().to_hex()), Refusal::NotAnNkey),
        // Another's key: Mallory shows it, and signs with her own, or Alice's signature is shown with hers.
        ("sig", json!(signature(&world.mallory)), Refusal::BadSignature),
        ("nkey", json!(world.mallory.public().nkey()), Refusal::BadSignature),
        ("nkey", json!(low_order), Refusal::BadSignature),
        ("sig", Value::Null, Refusal::NoNonce),
        ("sig", json!("garbage"), Refusal::BadSignature),
        ("sig", json!("!!!!"), Refusal::BadSignature),
        ("sig", json!(URL_SAFE_NO_PAD.encode([0; 64])), Refusal::BadSignature),
        ("sig", json!(URL_SAFE_NO_PAD.encode([0; 65])), Refusal::BadSignature),
        ("sig", json!("A".repeat(4000)), Refusal::BadSignature),
        ("sig", json!(URL_SAFE_NO_PAD.encode(world.alice.sign(b"another nonce"))), Refusal::BadSignature),
        ("user", json!("alice"), Refusal::PasswordOrJwt),
        ("pass", json!("secret"), Refusal::PasswordOrJwt),
        ("jwt", json!("eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.e30."), Refusal::PasswordOrJwt),
        ("auth_token", json!("secret"), Refusal::Session(Fault::Malformed)),
        ("auth_token", json!("[".repeat(4096)), Refusal::Session(Fault::Malformed)),
        ("auth_token", json!(" ".repeat(4097)), Refusal::SessionTooLong),
        ("auth_token", json!("{}"), Refusal::Session(Fault::Malformed)),
        // A session that names another connection key than the one that signed.
        (
            "auth_token",
            json!(world.envelope("kez.lat", NOW, NOW + HOUR, &world.alice)),
            Refusal::Session(Fault::WrongSession),
        ),
    ];
    for (member, value, expected) in changes {
        let mut claims = world.plain();
        shown(&mut claims)[member] = value.clone();
        if value.is_null() {
            shown(&mut claims).as_object_mut().unwrap().remove(member);
        }
        assert_eq!(refused(world.ask(&claims)), expected, "{member}: {value}");
    }
}

#[test]
fn connections_that_are_not_clients_are_refused() {
    let world = world();
    for (member, value, expected) in [
        ("kind", "Leafnode", Refusal::NotAClient),
        ("type", "mqtt", Refusal::NotAClient),
        ("type", "", Refusal::NotAClient),
        ("nonce", "", Refusal::NoNonce),
        ("nonce", "another-nonce__", Refusal::BadSignature),
    ] {
        let mut claims = world.plain();
        claims["nats"]["client_info"][member] = json!(value);
        assert_eq!(refused(world.ask(&claims)), expected, "{member}: {value}");
    }
}

#[test]
fn sessions_are_good_for_one_key_one_server_and_one_time() {
    let world = world();
    let device = SecretKey::from_seed([6; 32]);
    let (alice, mallory) = (&world.alice, &world.mallory);
    let good = world.envelope("kez.lat", NOW, NOW + HOUR, alice);
    for (envelope, expected) in [
        (world.envelope("kez.example", NOW, NOW + HOUR, alice), Fault::WrongServer),
        (world.envelope("kez.lat", NOW - HOUR, NOW, alice), Fault::Expired),
        (world.envelope("kez.lat", NOW, NOW + 25 * HOUR, alice), Fault::StaleTimestamp),
        (world.envelope("kez.lat", NOW + HOUR, NOW + 2 * HOUR, alice), Fault::StaleTimestamp),
        // Signed by Mallory, who names a device of Alice's in her stead.
        (
            world
                .envelope("kez.lat", NOW, NOW + HOUR, mallory)
                .replace(&mallory.public().to_hex(), &device.public().to_hex()),
            Fault::BadSignature,
        ),
        (good.replace(&alice.public().to_hex(), &mallory.public().to_hex()), Fault::BadSignature),
        (good.replace("kez.chat.session", "kez.chat.profile"), Fault::WrongEnvelope),
        (format!("{good} {good}"), Fault::Malformed),
    ] {
        assert_eq!(refused(world.ask(&world.with_session(&envelope))), Refusal::Session(expected));
    }
    // A stolen token, used with a connection key of the thief's, and with the right key but another's signature.
    let mut claims = world.session();
    shown(&mut claims)["nkey"] = json!(mallory.public().nkey());
    shown(&mut claims)["sig"] = json!(signature(mallory));
    assert_eq!(refused(world.ask(&claims)), Refusal::Session(Fault::WrongSession));
    shown(&mut claims)["nkey"] = json!(world.connection.public().nkey());
    assert_eq!(refused(world.ask(&claims)), Refusal::BadSignature);
}

#[test]
fn requests_of_others_are_not_taken() {
    let world = world();
    let other_server = KeyPair::new_from_raw(KeyPairType::Server, [4; 32]).unwrap().public_key();
    let other_account = KeyPair::new_from_raw(KeyPairType::Account, [4; 32]).unwrap().public_key();
    let other_xkey = XKey::new_from_raw([4; 32]).public_key();
    for (pointer, value, expected) in [
        ("/aud", json!("nats-authorization-response"), Unreadable::WrongAudience),
        ("/aud", json!(""), Unreadable::WrongAudience),
        ("/exp", json!(NOW - 2), Unreadable::Expired),
        ("/exp", json!(i64::MIN), Unreadable::Expired),
        ("/exp", json!(0), Unreadable::Expired),
        ("/exp", json!("tomorrow"), Unreadable::WrongClaims),
        ("/sub", json!(other_account), Unreadable::WrongIssuer),
        ("/iss", json!(other_server), Unreadable::WrongServer),
        ("/iss", json!(world.user_nkey()), Unreadable::WrongServer),
        ("/nats/server_id/id", json!(other_server), Unreadable::WrongServer),
        ("/nats/server_id/xkey", json!(other_xkey), Unreadable::WrongXkey),
        ("/nats/server_id/xkey", json!(""), Unreadable::WrongXkey),
        ("/nats/type", json!("authorization_response"), Unreadable::WrongClaims),
        ("/nats/version", json!(1), Unreadable::WrongClaims),
        ("/nats/user_nkey", json!(""), Unreadable::WrongClaims),
        ("/nats/user_nkey", json!(other_account), Unreadable::WrongClaims),
        ("/nats", json!([]), Unreadable::WrongClaims),
    ] {
        let mut claims = world.plain();
        *claims.pointer_mut(pointer).unwrap() = value.clone();
        assert_eq!(unreadable(world.ask(&claims)), expected, "{pointer}: {value}");
    }
    // Another server's request, complete in itself but for its signature; then with a key that is no server's.
    let mut claims = world.plain();
    claims["iss"] = json!(other_server);
    claims["nats"]["server_id"]["id"] = json!(other_server);
    assert_eq!(unreadable(world.ask(&claims)), Unreadable::BadSignature);
    let as_user = world.broker.public().nkey();
    claims["iss"] = json!(as_user);
    claims["nats"]["server_id"]["id"] = json!(as_user);
    assert_eq!(unreadable(world.ask(&claims)), Unreadable::WrongServer);
}

#[test]
fn tokens_are_signed_in_one_way_only() {
    let world = world();
    let token = world.token(&world.plain());
    let [_, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("{token}") };
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    for header in [
        r#"{"typ":"JWT","alg":"none"}"#,
        r#"{"typ":"JWT","alg":"HS256"}"#,
        r#"{"typ":"JWT","alg":"EdDSA"}"#,
        r#"{"typ":"JWT","alg":"ed25519"}"#,
        r#"{"typ":"JWS","alg":"ed25519-nkey"}"#,
    ] {
        let signed = format!("{}.{claims}", encode(header));
        let signature = URL_SAFE_NO_PAD.encode(world.broker.sign(signed.as_bytes()));
        for signature in [signature.as_str(), ""] {
            let outcome = world.ask_token(&format!("{signed}.{signature}"));
            assert_eq!(unreadable(outcome), Unreadable::WrongAlgorithm, "{header}");
        }
    }
    let header = encode(r#"{"typ":"JWT","alg":"ed25519-nkey"}"#);
    // As version 1 of these tokens was signed: the claims alone.
    let version_1 = URL_SAFE_NO_PAD.encode(world.broker.sign(claims.as_bytes()));
    for signature in ["", "AAAA", version_1.as_str(), &signature[1..], &format!("{signature}AA")] {
        let outcome = world.ask_token(&format!("{header}.{claims}.{signature}"));
        assert_eq!(unreadable(outcome), Unreadable::BadSignature, "{signature}");
    }
    for token in
        ["", ".", "..", "e30.e30", "a.b.c.d", "é.è.ê", &format!("{token}="), &format!("{header}.{claims}")]
    {
        unreadable(world.ask_token(token));
    }
}

#[test]
fn every_changed_byte_is_noticed() {
    let world = world();
    let token = world.token(&world.session());
    for position in 0..token.len() {
        let mut damaged = token.clone().into_bytes();
        damaged[position] = if damaged[position] == b'A' { b'B' } else { b'A' };
        unreadable(world.ask_token(std::str::from_utf8(&damaged).unwrap()));
    }
}

#[test]
fn requests_must_be_sealed_to_us_by_the_server_that_signed_them() {
    let world = world();
    let token = world.token(&world.plain());
    let stranger = XKey::new_from_raw([4; 32]);
    let xkey = world.broker_xkey.public_key();

    assert_eq!(unreadable(world.ask_sealed(token.as_bytes())), Unreadable::NotSealed);
    let to_another = world.broker_xkey.seal(token.as_bytes(), &stranger).unwrap();
    assert_eq!(unreadable(world.ask_sealed(&to_another)), Unreadable::CannotOpen);

    let sealed = world.broker_xkey.seal(token.as_bytes(), &world.our_xkey).unwrap();
    assert_eq!(unreadable(world.ask_from(&stranger.public_key(), &sealed)), Unreadable::CannotOpen);
    assert_eq!(unreadable(world.ask_from("", &sealed)), Unreadable::NoXkey);
    let unnamed = recognise(&world.keys, None, &sealed, Timestamp::from_unix(NOW));
    assert_eq!(unreadable(unnamed), Unreadable::NoXkey);
    // A true request, sealed again from a key that is not the one inside.
    let resealed = stranger.seal(token.as_bytes(), &world.our_xkey).unwrap();
    assert_eq!(unreadable(world.ask_from(&stranger.public_key(), &resealed)), Unreadable::WrongXkey);

    let mut large = world.plain();
    shown(&mut large)["auth_token"] = json!("x".repeat(64 * 1024));
    assert_eq!(unreadable(world.ask(&large)), Unreadable::TooLarge);
    assert!(world.ask_from(&xkey, &sealed).is_ok());
}

#[test]
fn the_answer_is_for_that_server_that_attempt_and_that_person() {
    let world = world();
    let now = Timestamp::from_unix(NOW);
    let (alice, issuer) = (world.alice.public().to_hex(), world.keys.issuer.public());
    let device = SecretKey::from_seed([6; 32]);
    let on_device = world.with_session(&world.envelope("kez.lat", NOW, NOW + HOUR, &device));
    let device = device.public().to_hex();
    for (claims, registered, ends, device, name) in [
        (world.plain(), true, NOW + 24 * HOUR, &alice, alice.clone()),
        (world.plain(), false, NOW + 24 * HOUR, &alice, alice.clone()),
        (world.session(), true, NOW + HOUR, &alice, alice.clone()),
        (on_device, true, NOW + HOUR, &device, format!("{alice}.{device}")),
    ] {
        let known = world.ask(&claims).unwrap();
        let answer = world.keys.issuer.admit(&known.request, &known.person, registered, now).unwrap();
        let answer = read(&answer, issuer);
        let user = read(answer["nats"]["jwt"].as_str().unwrap(), issuer);
        assert_eq!((&answer["iss"], &user["iss"]), (&json!(issuer), &json!(issuer)));
        assert_eq!((&answer["sub"], &user["sub"]), (&json!(world.user_nkey()), &json!(world.user_nkey())));
        assert_eq!((&answer["aud"], &user["aud"]), (&json!(world.broker_id), &json!("EDGE")));
        assert_eq!((&user["name"], &user["exp"]), (&json!(name), &json!(ends)));
        assert!(user["nats"].get("issuer_account").is_none() && answer["nats"].get("error").is_none());
        let publish = if registered {
            json!([format!("kez.rpc.*.*.{alice}.{device}")])
        } else {
            let call = |verb| format!("kez.rpc.{verb}.{alice}.{device}");
            let registry = ["register", "lookup", "by-primary", "available", "profile"]
                .map(|verb| format!("registry.{verb}"));
            let sigchain = ["head", "events", "claimants"].map(|verb| format!("sigchain.{verb}"));
            json!(registry.into_iter().chain(sigchain).map(call).collect::<Vec<_>>())
        };
        let replies = format!("_INBOX_{alice}_{device}.>");
        let subscribe = if registered {
            json!([format!("kez.live.{alice}"), "kez.feed.>", replies])
        } else {
            json!([replies])
        };
        assert_eq!(user["nats"]["pub"], json!({ "allow": publish }));
        assert_eq!(user["nats"]["sub"], json!({ "allow": subscribe }));
    }
}

#[test]
fn who_may_only_wake_is_told_apart_and_given_less() {
    let world = world();
    let (alice, issuer) = (world.alice.public().to_hex(), world.keys.issuer.public());
    let laptop = SecretKey::from_seed([6; 32]);
    for signer in [&world.alice, &laptop] {
        let known = world.ask(&world.with_session(&world.wake_envelope(signer))).unwrap();
        let device = signer.public().to_hex();
        assert_eq!(known.person.purpose, Purpose::Wake);
        for registered in [true, false] {
            let now = Timestamp::from_unix(NOW);
            let answer = world.keys.issuer.admit(&known.request, &known.person, registered, now).unwrap();
            let user = read(read(&answer, issuer)["nats"]["jwt"].as_str().unwrap(), issuer);
            assert_eq!(user["name"], format!("{alice}.{device}.wake"));
            let publish =
                ["inbox.fetch", "registry.by-primary"].map(|call| format!("kez.rpc.{call}.{alice}.{device}"));
            assert_eq!(user["nats"]["pub"], json!({ "allow": publish }));
            let replies = format!("_INBOX_{alice}_{device}.>");
            assert_eq!(user["nats"]["sub"], json!({ "allow": [replies] }));
        }
        // Whoever takes the use away, or puts another there, has no signature over that.
        let envelope = world.wake_envelope(signer);
        for forged in ["", r#""use":"everything","#] {
            let forged = envelope.replace(r#""use":"wake","#, forged);
            assert_ne!(forged, envelope);
            assert_eq!(
                refused(world.ask(&world.with_session(&forged))),
                Refusal::Session(Fault::BadSignature)
            );
        }
    }
}

/// The claims of a token, its signature checked by another implementation than the one that made it.
fn read(token: &str, issuer: &str) -> Value {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    KeyPair::from_public_key(issuer).unwrap().verify(signed.as_bytes(), &signature).unwrap();
    let (_, claims) = signed.split_once('.').unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}
