//! NATS user nkeys: `U…`, the base32 form of an Ed25519 public key with a checksum.

use data_encoding::BASE32_NOPAD;

use crate::Fault;

/// The prefix byte of user keys, which makes the text begin with `U`.
const USER: u8 = 20 << 3;

/// The nkey text of a user's public key (protocol section 1): base32, without padding, of
/// `0xA0 | 32 bytes | CRC-16/XMODEM, little-endian`.
pub(crate) fn encode(key: &[u8; 32]) -> String {
    let mut raw = Vec::with_capacity(35);
    raw.push(USER);
    raw.extend_from_slice(key);
    raw.extend_from_slice(&crc16(&raw).to_le_bytes());
    BASE32_NOPAD.encode(&raw)
}

/// The public key in a user nkey; the text must be the one that [`encode`] writes.
pub(crate) fn decode(text: &str) -> Result<[u8; 32], Fault> {
    let raw = BASE32_NOPAD.decode(text.as_bytes()).map_err(|_| Fault::Malformed)?;
    let raw: [u8; 35] = raw.try_into().map_err(|_| Fault::Malformed)?;
    let [USER, key @ .., _, _] = raw else { return Err(Fault::Malformed) };
    if encode(&key) == text { Ok(key) } else { Err(Fault::Malformed) }
}

/// CRC-16/XMODEM: polynomial 0x1021, initial value 0, no reflection.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_is_xmodem() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
    }

    #[test]
    fn refuses_other_types_and_damage() {
        let text = encode(&[7; 32]);
        assert_eq!(decode(&text), Ok([7; 32]));
        assert!(text.starts_with('U'));
        for position in 0..text.len() {
            for letter in ["A", "B", "7", "u", "="] {
                let mut damaged = text.clone();
                damaged.replace_range(position..=position, letter);
                assert_eq!(decode(&damaged).is_ok(), damaged == text, "{damaged}");
            }
        }
        for other in ["", "U", &text.to_lowercase(), &format!("{text}="), &format!("{text}A")] {
            assert_eq!(decode(other), Err(Fault::Malformed));
        }
    }
}
