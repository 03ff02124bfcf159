//! The picture of a key as a file: the identicon that the web client shows, too.

use std::path::{Path, PathBuf};

use clap::Args;
use kez_crypto::{Identicon, Primary};

use crate::failure::{Exit, Failure};
use crate::private_file;

#[derive(Debug, Args)]
pub struct AvatarArgs {
    /// Write the picture of the key to this PNG file; what it holds is replaced
    #[arg(long, value_name = "FILE.png")]
    pub avatar: Option<PathBuf>,

    /// Width and height of the picture in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 256, requires = "avatar", value_parser = clap::value_parser!(u16).range(8..=2048))]
    size: u16,
}

impl AvatarArgs {
    /// Writes the file, if one is wanted.
    pub fn write(&self, primary: &Primary) -> Result<(), Failure> {
        let Some(path) = &self.avatar else { return Ok(()) };
        let picture = png(&Identicon::of(primary), self.size).map_err(|error| unwritable(path, &error))?;
        private_file::write(path, &picture, true).map_err(|error| unwritable(path, &error))
    }
}

fn png(identicon: &Identicon, size: u16) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, size.into(), size.into());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&identicon.rgb(size))?;
    writer.finish()?;
    Ok(file)
}

fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Failed, "failed", format!("cannot write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use kez_crypto::PublicKey;

    use super::*;

    #[test]
    fn the_file_reads_back_as_the_picture_that_was_drawn() {
        let identicon = Identicon::of(&PublicKey::from_bytes([7; 32]).into());
        for size in [8, 51, 256] {
            let file = png(&identicon, size).unwrap();
            let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            let info = reader.next_frame(&mut pixels).unwrap();
            assert_eq!((info.width, info.height), (size.into(), size.into()));
            assert_eq!(pixels, identicon.rgb(size));
        }
    }
}
