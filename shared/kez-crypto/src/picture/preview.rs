//! Previews: the shuffled picture that strangers see, as a `data:` URL of one exact form.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::Fault;

const BEFORE: &str = "data:image/png;base64,";
const BETWEEN: &str = "#kez-visual-v1:";

/// The longest preview, in characters.
pub const MAX_PREVIEW: usize = 24 * 1024;

/// A shuffled picture, which is as large as its header says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Preview {
    /// The PNG, 64 by 64 pixels, RGB.
    pub png: Vec<u8>,
    /// What the shuffle was salted with.
    pub salt: [u8; 16],
}

impl Preview {
    /// How a PNG of 64 by 64 pixels begins: RGB, eight bits a channel, not interlaced.
    pub(crate) const HEADER: [u8; 33] =
        *b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x40\0\0\0\x40\x08\x02\0\0\0\x25\x0b\xe6\x89";
    /// How every PNG ends.
    pub(crate) const END: [u8; 12] = *b"\0\0\0\0IEND\xae\x42\x60\x82";

    /// Reads a preview.
    ///
    /// # Errors
    /// [`Fault::TooLarge`] beyond [`MAX_PREVIEW`]; [`Fault::Malformed`] unless it is exactly
    /// `data:image/png;base64,<PNG>#kez-visual-v1:<salt>`, of a PNG whose header says 64 by 64 pixels of RGB.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        if text.len() > MAX_PREVIEW {
            return Err(Fault::TooLarge);
        }
        let rest = text.strip_prefix(BEFORE).ok_or(Fault::Malformed)?;
        let (png, salt) = rest.split_once(BETWEEN).ok_or(Fault::Malformed)?;
        let png = STANDARD.decode(png).map_err(|_| Fault::Malformed)?;
        let salt = URL_SAFE_NO_PAD.decode(salt).map_err(|_| Fault::Malformed)?;
        if !png.starts_with(&Self::HEADER) || !png.ends_with(&Self::END) {
            return Err(Fault::Malformed);
        }
        Ok(Self { png, salt: salt.try_into().map_err(|_| Fault::Malformed)? })
    }
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (png, salt) = (STANDARD.encode(&self.png), URL_SAFE_NO_PAD.encode(self.salt));
        write!(f, "{BEFORE}{png}{BETWEEN}{salt}")
    }
}
