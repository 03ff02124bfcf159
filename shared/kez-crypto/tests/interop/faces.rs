//! Faces: the same identicons and shuffles, and pictures that one seals and the other opens, or refuses for the same reason.

use kez_crypto::picture::picture_hash;
use kez_crypto::{
    Body, Identicon, Message, MessageId, Picture, PictureKey, PictureType, Preview, Primary, SecretKey, json,
    open_picture, seal, seal_picture, visual,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, json};

use crate::{NOW, TypeScript, change, changed, each, hex, person, said, secret_key, text};

pub fn agree(typescript: &TypeScript) {
    each("identicons", 200, person(), |person| identicons(typescript, &person.signer().public()));
    let shuffled = (any::<[u8; 32]>(), any::<[u8; 16]>(), vec(any::<[u8; 3]>(), 0..200), 0u16..3000);
    each("shuffles", 60, shuffled, |(key, salt, pixels, count)| {
        shuffles(typescript, key, salt, &pixels, count);
    });
    let pictures = (secret_key(), secret_key(), any::<[u8; 32]>(), vec(any::<u8>(), 1..300), preview());
    each(
        "pictures",
        120,
        (pictures, vec(change(), 0..6)),
        |((me, other, random, image, preview), changes)| {
            let key = PictureKey::from_bytes(random);
            let picture = picture(typescript, &me, &key, &image, preview);
            opens(typescript, &picture, &me, &other, &key);
            let whole = text(json::canonical(&picture.to_value()));
            for text in
                std::iter::once(whole.clone()).chain(changes.into_iter().map(|it| changed(&whole, it)))
            {
                reads(typescript, &text);
            }
        },
    );
}

fn identicons(typescript: &TypeScript, primary: &Primary) {
    let identicon = Identicon::of(primary);
    let colour = |channels: [u8; 3]| format!("#{}", hex(&channels));
    let cells = (0..5).flat_map(|y| (0..5).map(move |x| (x, y)));
    let cells: Vec<_> = cells.filter(|(x, y)| identicon.rows[*y][*x]).collect();
    let ours = json!({
        "hue": identicon.hue, "ground": colour(identicon.ground()), "cell": colour(identicon.cell()), "cells": cells,
    });
    assert_eq!(typescript.get("identicon", json!({ "primary": primary })), ours);
}

fn shuffles(typescript: &TypeScript, key: [u8; 32], salt: [u8; 16], pixels: &[[u8; 3]], count: u16) {
    let given =
        |rgb: &[[u8; 3]]| json!({ "rgb": hex(rgb.as_flattened()), "key": hex(&key), "salt": hex(&salt) });
    let secret = PictureKey::from_bytes(key);
    let ours = visual::shuffle(pixels, &secret, &salt);
    assert_eq!(typescript.get("shuffle", given(pixels)), hex(ours.as_flattened()));
    assert_eq!(typescript.get("unshuffle", given(&ours)), hex(pixels.as_flattened()));
    let given = json!({ "pixels": count, "key": hex(&key), "salt": hex(&salt) });
    assert_eq!(typescript.get("permutation", given), json!(visual::order(&secret, &salt, count)));
}

/// Previews, some of which are none.
fn preview() -> impl Strategy<Value = Option<Preview>> {
    let png = vec(any::<u8>(), 0..60).prop_map(|between| {
        let start = data_encoding::BASE64.decode(b"iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJ").unwrap();
        [&start[..], &between, b"\0\0\0\0IEND\xae\x42\x60\x82"].concat()
    });
    prop::option::of((png, any::<[u8; 16]>()).prop_map(|(png, salt)| Preview { png, salt }))
}

/// A picture that both seal alike.
fn picture(
    typescript: &TypeScript,
    me: &SecretKey,
    key: &PictureKey,
    image: &[u8],
    preview: Option<Preview>,
) -> Picture {
    let (primary, nonce) = (me.public(), *key.as_bytes().first_chunk().unwrap());
    let ct = seal_picture(image, &primary, key, nonce).unwrap();
    let given =
        json!({ "image": hex(image), "primary": primary, "key": hex(key.as_bytes()), "nonce": hex(&nonce) });
    assert_eq!(typescript.get("seal_picture", given), hex(&ct));
    let message = Message {
        id: MessageId::from_bytes([1; 16]),
        primary,
        device: None,
        to: primary,
        sent_at: NOW,
        body: Body::PictureKey { key: key.clone(), picture: picture_hash(&ct) },
    };
    let own = seal(&message, me, *key.as_bytes()).unwrap();
    Picture { kind: PictureType::Webp, nonce, ct, own, preview, others: Map::new() }
}

/// Its owner finds the key, and whoever has the key opens it; nobody else does, nor as another person's.
fn opens(typescript: &TypeScript, picture: &Picture, me: &SecretKey, other: &SecretKey, key: &PictureKey) {
    let text = text(json::canonical(&picture.to_value()));
    let wrong = PictureKey::from_bytes([9; 32]);
    for reader in [me, other] {
        let ours = picture.own_key(reader).map(|key| hex(key.as_bytes()));
        let given = json!({ "text": text, "seed": hex(reader.seed()) });
        assert_eq!(typescript.ask("own_key", given), said(ours));
        for key in [key, &wrong] {
            let ours = open_picture(picture, &reader.public(), key).map(|image| hex(&image));
            let given = json!({ "text": text, "primary": reader.public(), "key": hex(key.as_bytes()) });
            assert_eq!(typescript.ask("open_picture", given), said(ours));
        }
    }
}

/// Both read the same, as far as they know its members, or refuse it for the same reason.
fn reads(typescript: &TypeScript, text: &str) {
    let read = json::parse(text.as_bytes()).and_then(|value| Picture::from_value(&value));
    let known = read.map(|picture| Picture { others: Map::new(), ..picture }.to_value());
    let ours = known.map(|value| crate::text(json::canonical(&value)));
    assert_eq!(typescript.ask("picture", json!({ "text": text })), said(ours), "{text}");
}
