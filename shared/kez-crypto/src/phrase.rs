//! Recovery phrases: twelve or twenty-four English words that hold a key.

use std::fmt;

use bip39::{Language, Mnemonic};
use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::SecretKey;

/// What is hashed before the entropy of twelve words, so that no other use of it yields the same seed.
const TWELVE_WORDS: &[u8] = b"kez-bip39-12-v1";

/// What is wrong with a phrase. It names places, never words: a phrase with one mistake is still a secret.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum PhraseFault {
    /// There are no words.
    #[error("the phrase is empty: type the 12 or 24 words of your recovery phrase")]
    Empty,
    /// There are neither 12 nor 24 words.
    #[error("a recovery phrase has 12 or 24 words, this one has {found}")]
    WordCount {
        /// How many words there are.
        found: usize,
    },
    /// A word is not in the list.
    #[error("word {position} is not in the list of recovery words; check its spelling")]
    UnknownWord {
        /// Which word, counted from one.
        position: usize,
    },
    /// The words are known, but do not belong together.
    #[error("these words do not belong together: one is wrong, or their order is (the checksum fails)")]
    Checksum,
}

impl PhraseFault {
    /// The fault in two words, as vectors name it.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::WordCount { .. } => "word count",
            Self::UnknownWord { .. } => "unknown word",
            Self::Checksum => "checksum",
        }
    }
}

/// A valid recovery phrase (protocol section 2), kept as its entropy; zeroized when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Phrase(Entropy);

#[derive(Clone, Zeroize, ZeroizeOnDrop)]
enum Entropy {
    Twelve([u8; 16]),
    TwentyFour([u8; 32]),
}

/// The phrase of twelve words that holds these 16 random bytes.
pub fn generate_12(entropy: [u8; 16]) -> Phrase {
    Phrase(Entropy::Twelve(entropy))
}

/// The phrase of twenty-four words that holds these 32 random bytes.
pub fn generate_24(entropy: [u8; 32]) -> Phrase {
    Phrase(Entropy::TwentyFour(entropy))
}

/// Reads a phrase; case and white space do not matter.
///
/// # Errors
/// A [`PhraseFault`], checked in its order: empty, word count, unknown word, checksum.
pub fn parse(text: &str) -> Result<Phrase, PhraseFault> {
    let found = text.split_whitespace().count();
    match found {
        0 => return Err(PhraseFault::Empty),
        12 | 24 => {}
        _ => return Err(PhraseFault::WordCount { found }),
    }
    let text = Zeroizing::new(text.to_ascii_lowercase());
    let mut mnemonic =
        Mnemonic::parse_in_normalized(Language::English, &text).map_err(|error| match error {
            bip39::Error::UnknownWord(index) => PhraseFault::UnknownWord { position: index + 1 },
            bip39::Error::BadWordCount(found) => PhraseFault::WordCount { found },
            _ => PhraseFault::Checksum,
        })?;
    let (mut entropy, length) = mnemonic.to_entropy_array();
    let phrase = match (length, entropy.first_chunk::<16>(), entropy.first_chunk::<32>()) {
        (16, Some(sixteen), _) => Ok(generate_12(*sixteen)),
        (32, _, Some(thirty_two)) => Ok(generate_24(*thirty_two)),
        _ => Err(PhraseFault::WordCount { found }),
    };
    entropy.zeroize();
    mnemonic.zeroize();
    phrase
}

impl Phrase {
    /// See [`parse`].
    ///
    /// # Errors
    /// Those of [`parse`].
    pub fn parse(text: &str) -> Result<Self, PhraseFault> {
        parse(text)
    }

    /// The Ed25519 seed that the phrase holds (protocol section 2): the entropy of 24 words itself, or
    /// SHA-256(`kez-bip39-12-v1` ‖ entropy) of 12.
    pub fn to_seed(&self) -> Zeroizing<[u8; 32]> {
        match &self.0 {
            Entropy::TwentyFour(entropy) => Zeroizing::new(*entropy),
            Entropy::Twelve(entropy) => Zeroizing::new(
                Sha256::new().chain_update(TWELVE_WORDS).chain_update(entropy).finalize().into(),
            ),
        }
    }

    /// The secret key that grows from the seed.
    pub fn secret_key(&self) -> SecretKey {
        SecretKey::from_seed(*self.to_seed())
    }

    /// The 12 or 24 words (BIP-39, English list).
    pub fn words(&self) -> Vec<&'static str> {
        let entropy = self.entropy();
        let checksum: [u8; 32] = Sha256::digest(entropy).into();
        let list = Language::English.word_list();
        let mut words = Vec::with_capacity(24);
        let (mut bits, mut held) = (0u32, 0);
        for byte in entropy.iter().chain(checksum.first()) {
            bits = (bits << 8) | u32::from(*byte);
            held += 8;
            if held >= 11 {
                held -= 11;
                words.extend(list.get((bits >> held) as usize & 0x7ff));
            }
        }
        // 128 + 4 bits fill twelve words of eleven bits; the loop has read 136 and holds four too many.
        bits.zeroize();
        words
    }

    fn entropy(&self) -> &[u8] {
        match &self.0 {
            Entropy::Twelve(entropy) => entropy,
            Entropy::TwentyFour(entropy) => entropy,
        }
    }
}

impl fmt::Debug for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Entropy::Twelve(_) => "Phrase(12 words)",
            Entropy::TwentyFour(_) => "Phrase(24 words)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_agree_with_bip39() {
        for byte in 0..=255 {
            for (phrase, entropy) in
                [(generate_12([byte; 16]), vec![byte; 16]), (generate_24([byte; 32]), vec![byte; 32])]
            {
                let text = phrase.words().join(" ");
                assert_eq!(text, Mnemonic::from_entropy_in(Language::English, &entropy).unwrap().to_string());
                assert_eq!(parse(&text).unwrap().entropy(), entropy);
            }
        }
    }

    #[test]
    fn faults_name_the_place() {
        let zeroes = ["abandon"; 11].join(" ");
        insta::assert_debug_snapshot!(parse(&format!("{zeroes} abouт")), @r"
        Err(
            UnknownWord {
                position: 12,
            },
        )
        ");
        assert_eq!(parse("a b c").err(), Some(PhraseFault::WordCount { found: 3 }));
        assert_eq!(parse(" \n").err(), Some(PhraseFault::Empty));
        assert_eq!(parse(&format!("{zeroes} abandon")).err(), Some(PhraseFault::Checksum));
    }

    #[test]
    fn debug_shows_no_word() {
        insta::assert_debug_snapshot!(generate_12([7; 16]), @"Phrase(12 words)");
        insta::assert_debug_snapshot!(generate_24([7; 32]), @"Phrase(24 words)");
    }
}
