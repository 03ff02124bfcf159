//! Known attacks (C2SP's Wycheproof) against the primitives that this crate stands on.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use kez_crypto::PublicKey;
use sha2::Sha256;
use wycheproof::{TestResult, aead, eddsa, hkdf as kdf, xdh};
use x25519_dalek::StaticSecret;

#[test]
fn ed25519_strict() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut count = 0;
    for group in &set.test_groups {
        let key = PublicKey::from_bytes(group.key.pk.as_slice().try_into().unwrap());
        for test in &group.tests {
            // A signature that is not 64 bytes long has no place in this API at all.
            let signature: Result<[u8; 64], _> = test.sig.as_slice().try_into();
            let accepted = signature.is_ok_and(|signature| key.verify_strict(&test.msg, &signature).is_ok());
            assert_eq!(accepted, test.result == TestResult::Valid, "case {}: {}", test.tc_id, test.comment);
            count += 1;
        }
    }
    println!("ed25519: {count} passed");
    assert_eq!(count, set.number_of_tests);
}

#[test]
fn x25519() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let mut count = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let secret: [u8; 32] = test.private_key.as_slice().try_into().unwrap();
        // A public key that is not 32 bytes long cannot be written in this API.
        let Ok(public) = <[u8; 32]>::try_from(test.public_key.as_slice()) else {
            assert!(test.result.must_fail(), "case {}", test.tc_id);
            count += 1;
            continue;
        };
        let shared = StaticSecret::from(secret).diffie_hellman(&public.into());
        assert_eq!(shared.as_bytes(), test.shared_secret.as_slice(), "case {}: {}", test.tc_id, test.comment);
        // HPKE refuses what does not contribute: the shared secret of zero.
        assert_eq!(shared.was_contributory(), test.shared_secret.iter().any(|byte| *byte != 0));
        count += 1;
    }
    println!("x25519: {count} passed");
    assert_eq!(count, set.number_of_tests);
}

#[test]
fn aes_256_gcm() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let ours =
        |group: &&aead::TestGroup| (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128);
    let mut count = 0;
    for test in set.test_groups.iter().filter(ours).flat_map(|group| &group.tests) {
        let cipher = Aes256Gcm::new_from_slice(&test.key).unwrap();
        let nonce = Nonce::try_from(test.nonce.as_slice()).unwrap();
        let sealed = [test.ct.as_slice(), &test.tag].concat();
        let opened = cipher.decrypt(&nonce, Payload { msg: &sealed, aad: &test.aad });
        assert_eq!(opened.is_ok(), !test.result.must_fail(), "case {}: {}", test.tc_id, test.comment);
        if let Ok(opened) = opened {
            assert_eq!(opened, test.pt.as_slice(), "case {}", test.tc_id);
            let again = cipher.encrypt(&nonce, Payload { msg: &test.pt, aad: &test.aad });
            assert_eq!(again, Ok(sealed), "case {}", test.tc_id);
        }
        count += 1;
    }
    println!("aes-256-gcm: {count} passed");
    assert!(count > 0);
}

#[test]
fn hkdf_sha256() {
    let set = kdf::TestSet::load(kdf::TestName::HkdfSha256).unwrap();
    let mut count = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let mut output = vec![0; test.size];
        let expanded = Hkdf::<Sha256>::new(Some(&test.salt), &test.ikm).expand(&test.info, &mut output);
        assert_eq!(expanded.is_ok(), !test.result.must_fail(), "case {}: {}", test.tc_id, test.comment);
        if expanded.is_ok() {
            assert_eq!(output, test.okm.as_slice(), "case {}", test.tc_id);
        }
        count += 1;
    }
    println!("hkdf-sha256: {count} passed");
    assert_eq!(count, set.number_of_tests);
}
