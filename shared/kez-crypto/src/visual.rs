//! The keyed shuffle `#kez-visual-v1`: what strangers may see of a picture (`tests/vectors/README.md`).
//!
//! It is no encryption: every pixel keeps its colour, so whoever can guess the picture can check the guess.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::PictureKey;

/// Pixels in a row of a preview, and rows.
pub const SIDE: usize = 64;

const INFO: &[u8] = b"kez-visual-v1";

/// Where so many pixels come from: in place p of the shuffled picture stands pixel `order[p]` of the other.
pub fn order(key: &PictureKey, salt: &[u8; 16], pixels: u16) -> Vec<u16> {
    let mut words = Words::new(shuffle_key(key, salt));
    let mut order: Vec<u16> = (0..pixels).collect();
    for place in (1..pixels).rev() {
        order.swap(usize::from(place), words.uniform(place));
    }
    order
}

/// A picture's pixels, each in another place. There are at most 65,535 of them; more stay where they are.
pub fn shuffle<Pixel: Copy>(pixels: &[Pixel], key: &PictureKey, salt: &[u8; 16]) -> Vec<Pixel> {
    let count = u16::try_from(pixels.len()).unwrap_or(u16::MAX);
    let mut shuffled = pixels.to_vec();
    for (to, from) in shuffled.iter_mut().zip(order(key, salt, count)) {
        if let Some(pixel) = pixels.get(usize::from(from)) {
            *to = *pixel;
        }
    }
    shuffled
}

/// Shuffled pixels, each back in its place.
pub fn unshuffle<Pixel: Copy>(shuffled: &[Pixel], key: &PictureKey, salt: &[u8; 16]) -> Vec<Pixel> {
    let count = u16::try_from(shuffled.len()).unwrap_or(u16::MAX);
    let mut pixels = shuffled.to_vec();
    for (from, to) in shuffled.iter().zip(order(key, salt, count)) {
        if let Some(pixel) = pixels.get_mut(usize::from(to)) {
            *pixel = *from;
        }
    }
    pixels
}

/// HKDF-SHA256 (RFC 5869) of 32 bytes, which is one block of output.
pub(crate) fn shuffle_key(key: &PictureKey, salt: &[u8; 16]) -> [u8; 32] {
    let extracted = hmac(salt, &[key.as_bytes()]);
    hmac(&extracted, &[INFO, &[1]])
}

/// The words that the shuffle is drawn from.
pub(crate) struct Words {
    key: [u8; 32],
    counter: u32,
    /// Those of this block that are still to come, the next one last.
    ahead: Vec<u32>,
}

impl Words {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self { key, counter: 0, ahead: Vec::new() }
    }

    pub(crate) fn next_word(&mut self) -> u32 {
        loop {
            if let Some(word) = self.ahead.pop() {
                return word;
            }
            let block = hmac(&self.key, &[&self.counter.to_be_bytes()]);
            let (words, _) = block.as_chunks::<4>();
            self.ahead.extend(words.iter().rev().map(|word| u32::from_be_bytes(*word)));
            self.counter = self.counter.wrapping_add(1);
        }
    }

    /// A number from 0 to `most`, each as likely as another: words beyond the last whole multiple are dropped.
    fn uniform(&mut self, most: u16) -> usize {
        let count = u64::from(most) + 1;
        let whole = (1u64 << 32) / count * count;
        loop {
            let word = u64::from(self.next_word());
            if word < whole {
                return usize::try_from(word % count).unwrap_or(0);
            }
        }
    }
}

/// HMAC-SHA256 with a key of at most a block, which ends in zeros that HMAC would put there itself.
fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut block = [0; 64];
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn who_has_the_key_puts_every_pixel_back(
            key in any::<[u8; 32]>(), salt in any::<[u8; 16]>(), pixels in prop::collection::vec(any::<[u8; 3]>(), 0..300)
        ) {
            let key = PictureKey::from_bytes(key);
            let shuffled = shuffle(&pixels, &key, &salt);
            prop_assert_eq!(unshuffle(&shuffled, &key, &salt), pixels.clone());
            let sorted = |mut pixels: Vec<[u8; 3]>| { pixels.sort_unstable(); pixels };
            prop_assert_eq!(sorted(shuffled), sorted(pixels), "colours stay");
        }

        #[test]
        fn another_key_or_salt_is_another_order(key in any::<[u8; 32]>(), salt in any::<[u8; 16]>(), bit in 0usize..384) {
            let (mut other_key, mut other_salt) = (key, salt);
            let bytes = other_key.iter_mut().chain(&mut other_salt);
            if let Some(byte) = bytes.into_iter().nth(bit / 8) {
                *byte ^= 1u8 << (bit % 8);
            }
            let order = |key: [u8; 32], salt| super::order(&PictureKey::from_bytes(key), &salt, 256);
            prop_assert_ne!(order(key, salt), order(other_key, other_salt));
        }
    }

    #[test]
    fn every_order_of_three_comes_up_as_often_as_another() {
        let mut counts = std::collections::BTreeMap::<Vec<u16>, u32>::new();
        for salt in 0..6000u128 {
            *counts.entry(order(&PictureKey::from_bytes([7; 32]), &salt.to_be_bytes(), 3)).or_default() += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|count| (880..1120).contains(count)), "{counts:?}");
    }
}
