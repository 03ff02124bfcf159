//! Identicons: the picture of a key that nobody chose, the same wherever the key is shown (`tests/vectors/README.md`).

use sha2::{Digest, Sha256};

use crate::Primary;

/// Cells in a row, and rows.
pub const CELLS: usize = 5;

/// Three channels of sRGB.
pub type Colour = [u8; 3];

/// Five by five cells, the same on both sides of the middle, and a hue.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identicon {
    /// Degrees on the colour wheel, 0 to 359.
    pub hue: u16,
    /// Which cells are filled, row by row from the top left.
    pub rows: [[bool; CELLS]; CELLS],
}

impl Identicon {
    /// The identicon of a key. It is hashed first: keys that were searched for a nice beginning look like others.
    pub fn of(primary: &Primary) -> Self {
        let digest: [u8; 32] = match primary {
            Primary::Ed25519(key) => Sha256::digest(key.as_bytes()),
            Primary::Nostr(key) => Sha256::digest(key.as_bytes()),
        }
        .into();
        let [first, second, cells @ ..] = digest;
        let is_filled = |x: usize, y: usize| {
            let place = y * 3 + x.min(CELLS - 1 - x);
            cells.get(place).is_some_and(|byte| byte % 2 == 1)
        };
        Self {
            hue: u16::from_be_bytes([first, second]) % 360,
            rows: std::array::from_fn(|y| std::array::from_fn(|x| is_filled(x, y))),
        }
    }

    /// The colour of what is not filled: dark, so that cells stand out on light pages and dark ones.
    pub fn ground(&self) -> Colour {
        oklch(0.3, 0.05, self.hue)
    }

    /// The colour of filled cells.
    pub fn cell(&self) -> Colour {
        oklch(0.78, 0.11, self.hue)
    }

    /// A square of `size` by `size` pixels, row by row, three bytes a pixel.
    pub fn rgb(&self, size: u16) -> Vec<u8> {
        let (ground, cell) = (self.ground(), self.cell());
        let is_filled = |x: u16, y: u16| {
            let row = cell_at(y, size).and_then(|y| self.rows.get(y));
            row.zip(cell_at(x, size)).and_then(|(row, x)| row.get(x)).copied().unwrap_or(false)
        };
        let pixels = (0..size).flat_map(|y| (0..size).map(move |x| (x, y)));
        pixels.flat_map(|(x, y)| if is_filled(x, y) { cell } else { ground }).collect()
    }
}

/// The column or row of cells that the centre of a pixel lies in; none in the margin. A picture is eight units wide, of which
/// the margins take one and a half each.
fn cell_at(pixel: u16, size: u16) -> Option<usize> {
    let (pixel, size) = (i64::from(pixel), i64::from(size));
    let cell = (16 * pixel + 8 - 3 * size).checked_div_euclid(2 * size)?;
    usize::try_from(cell).ok().filter(|cell| *cell < CELLS)
}

/// A colour of CSS's `oklch()` that lies within sRGB (Oklab by Björn Ottosson; CSS Color 4, sections 9 and 10).
fn oklch(lightness: f64, chroma: f64, hue: u16) -> Colour {
    let hue = f64::from(hue).to_radians();
    let (a, b) = (chroma * hue.cos(), chroma * hue.sin());
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
    ]
    .map(channel)
}

/// A channel of linear light, as sRGB writes it.
fn channel(linear: f64) -> u8 {
    let curved = if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float is cut to the nearest end of the range, and this one lies within it"
    )]
    let byte = (255.0 * curved).round() as u8;
    byte
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NostrKey, PublicKey};

    fn identicon(byte: u8) -> Identicon {
        Identicon::of(&PublicKey::from_bytes([byte; 32]).into())
    }

    #[test]
    fn it_is_the_same_on_both_sides_and_whatever_the_algorithm() {
        for byte in 0..=255 {
            let identicon = identicon(byte);
            assert!(identicon.hue < 360);
            assert!(identicon.rows.iter().all(|row| row.iter().eq(row.iter().rev())), "{byte}");
            assert_eq!(Identicon::of(&NostrKey::from_bytes([byte; 32]).into()), identicon);
        }
    }

    #[test]
    fn every_size_is_a_whole_square_with_a_margin() {
        let identicon = identicon(1);
        for size in [0, 1, 2, 7, 8, 100] {
            let rgb = identicon.rgb(size);
            assert_eq!(rgb.len(), usize::from(size).pow(2) * 3);
            let margin = usize::from(size) * usize::from(size / 8) * 3;
            assert!(rgb.iter().take(margin).eq(identicon.ground().iter().cycle().take(margin)));
        }
    }
}
