//! The padding that hides a message's length: `0x80`, then zeros to a multiple of 256 bytes.

use zeroize::Zeroizing;

use crate::Fault;

pub(super) const BLOCK: usize = 256;

const MARK: u8 = 0x80;

/// Pads a text; it is moved, so that no copy of it stays behind unpadded.
pub(super) fn pad(text: Vec<u8>) -> Zeroizing<Vec<u8>> {
    let text = Zeroizing::new(text);
    let length = (text.len() + 1).next_multiple_of(BLOCK);
    let mut padded = Zeroizing::new(Vec::with_capacity(length));
    padded.extend_from_slice(&text);
    padded.push(MARK);
    padded.resize(length, 0);
    padded
}

/// The text before the padding, which must be the one that [`pad`] adds.
pub(super) fn unpad(padded: &[u8]) -> Result<&[u8], Fault> {
    let mark = padded.iter().rposition(|byte| *byte != 0).ok_or(Fault::Malformed)?;
    let (text, padding) = padded.split_at_checked(mark).ok_or(Fault::Malformed)?;
    let fits = padding.first() == Some(&MARK) && padded.len().is_multiple_of(BLOCK) && padding.len() <= BLOCK;
    if fits { Ok(text) } else { Err(Fault::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpads_what_it_pads() {
        for length in [0, 1, 254, 255, 256, 257, 511, 512] {
            let padded = pad(vec![MARK; length]);
            assert_eq!(padded.len(), (length / BLOCK + 1) * BLOCK);
            assert_eq!(unpad(&padded), Ok(&*vec![MARK; length]));
        }
    }

    #[test]
    fn refuses_other_padding() {
        let two_blocks_of_padding = [&[MARK][..], &[0; 511]].concat();
        let mut short = pad(b"x".to_vec()).to_vec();
        short.pop();
        for padded in [vec![], vec![0; 256], vec![1; 256], two_blocks_of_padding, short] {
            assert_eq!(unpad(&padded), Err(Fault::Malformed));
        }
    }
}
