//! Published claims and packed chains: what is written is read, and damage and noise do no harm.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what cannot be set up ends its test")]

use data_encoding::BASE64URL_NOPAD;
use kez_crypto::encoding::{self, COMPACT, compact, decode, find, markdown, txt_pieces};
use kez_crypto::{Claim, Fault, Identifier, NostrSecret, SecretKey, Timestamp, bundle};
use proptest::collection::vec;
use proptest::prelude::*;

const BASE64URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn timestamp() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_unix)
}

prop_compose! {
    /// Claims of anybody about anything.
    fn claim()(
        name in "[^\\s\\p{Cc}]{1,40}", created_at in timestamp(), expires_at in prop::option::of(timestamp()),
        seed in any::<[u8; 32]>(), is_nostr in any::<bool>()
    ) -> Vec<u8> {
        let subject = Identifier::parse(&format!("github:{name}")).unwrap();
        match NostrSecret::from_bytes(seed).ok().filter(|_| is_nostr) {
            Some(secret) => Claim::create(&subject, created_at, expires_at, &secret),
            None => Claim::create(&subject, created_at, expires_at, &SecretKey::from_seed(seed)),
        }
    }
}

/// Texts that almost say something: marks of every form in any order, with anything between them.
fn noise() -> impl Strategy<Value = String> {
    let marks = [
        "```kez\n",
        "\n```\n",
        "~~~~ kez\n",
        "kez:z1:",
        "kez:zc1:",
        "{\"kez\":",
        "{\"payload\":{",
        "}",
        "\"",
        "\\",
    ];
    let pieces = prop_oneof![
        prop::sample::select(marks.to_vec()).prop_map(str::to_owned),
        any::<String>(),
        "[A-Za-z0-9_-]{0,60}",
    ];
    vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

/// Hands a text to every reader of encodings. Those who publish choose every byte of it.
fn read_everywhere(text: &str) {
    let _ = decode(text).map(|envelope| Claim::parse(&envelope).is_ok());
    assert!(find(text).len() <= encoding::MAX_FOUND);
    let _ = (bundle::unpack(text), bundle::read(text.as_bytes()), bundle::from_lines(text.as_bytes()));
    assert_eq!(txt_pieces(text).concat(), text);
}

proptest! {
    #[test]
    fn every_form_reads_back(envelope in claim()) {
        let claim = Claim::parse(&envelope).unwrap();
        let json = String::from_utf8(envelope.clone()).unwrap();
        let pieces = txt_pieces(&compact(&envelope));
        prop_assert!(pieces.iter().all(|piece| piece.len() <= 255));
        for form in [json, compact(&envelope), markdown(&envelope), pieces.concat()] {
            prop_assert_eq!(decode(&form), Ok(envelope.clone()));
            prop_assert_eq!(find(&form), [Ok(envelope.clone())]);
        }
        prop_assert_eq!(Claim::parse(&envelope), Ok(claim));
    }

    #[test]
    fn claims_are_found_in_any_text(envelopes in vec(claim(), 0..5), before in "[^{`~:]*", between in "[^{`~:]*") {
        let forms = envelopes.iter().enumerate().map(|(number, envelope)| match number % 3 {
            0 => compact(envelope),
            1 => format!("\n{}", markdown(envelope)),
            _ => String::from_utf8_lossy(envelope).into_owned(),
        });
        let text = forms.fold(before, |text, form| format!("{text} {form} {between}"));
        let found: Vec<_> = envelopes.iter().cloned().map(Ok).collect();
        prop_assert_eq!(find(&text), found);
    }

    #[test]
    fn a_cut_compact_text_is_refused(envelope in claim()) {
        let text = compact(&envelope);
        for length in 0..text.len() {
            prop_assert_eq!(decode(&text[..length]), Err(Fault::Malformed));
        }
    }

    #[test]
    fn no_text_makes_a_reader_panic(noise in noise(), text in any::<String>(), bytes in vec(any::<u8>(), 0..300)) {
        read_everywhere(&noise);
        read_everywhere(&text);
        let encoded = BASE64URL_NOPAD.encode(&bytes);
        let framed = BASE64URL_NOPAD.encode(&[&[0x28, 0xb5, 0x2f, 0xfd], bytes.as_slice()].concat());
        for text in [&encoded, &framed] {
            read_everywhere(&format!("{COMPACT}{text}"));
            read_everywhere(&format!("{}{text}", bundle::PACKED));
        }
        let _ = (bundle::read(&bytes), Claim::parse(&bytes));
    }

    #[test]
    fn no_damage_to_a_frame_makes_a_reader_panic(
        lines in vec("[ -~]{0,200}", 1..20), changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)
    ) {
        let text = compact(lines.join("\n").as_bytes());
        let mut frame = BASE64URL_NOPAD.decode(&text.as_bytes()[COMPACT.len()..]).unwrap();
        for (place, byte) in changes {
            let place = place.index(frame.len());
            frame[place] = byte;
        }
        let encoded = BASE64URL_NOPAD.encode(&frame);
        read_everywhere(&format!("{COMPACT}{encoded}"));
        read_everywhere(&format!("{}{encoded}", bundle::PACKED));
    }
}

proptest! {
    // Each of these claims is tried with every character changed to several others.
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_character_makes_no_other_claim(envelope in claim(), other in 1usize..64) {
        let text = compact(&envelope);
        for place in COMPACT.len()..text.len() {
            for other in [other, 1, 32] {
                let mut changed = text.clone().into_bytes();
                let value = BASE64URL.iter().position(|character| *character == changed[place]).unwrap();
                changed[place] = BASE64URL[value ^ other];
                if let Ok(decoded) = decode(&String::from_utf8(changed).unwrap()) {
                    // A frame that asks for another window still holds the same text: never compare compact texts.
                    prop_assert!(decoded == envelope || Claim::parse(&decoded).is_err());
                }
            }
        }
    }
}
