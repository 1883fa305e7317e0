//! Compressed streams, recognised by their first bytes.

use std::io::{self, BufReader, Chain, Cursor, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;

type Sniffed<R> = Chain<Cursor<Vec<u8>>, R>;

/// The bytes behind gzip, bzip2, xz or zstd; bytes that are not compressed as they are.
///
/// # Errors
/// When reading fails.
pub(crate) fn decompress<'a>(
    mut reader: impl Read + Send + 'a,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    let mut start = Vec::with_capacity(6);
    reader.by_ref().take(6).read_to_end(&mut start)?;
    let magic = start.clone();
    let reader: Sniffed<_> = Cursor::new(start).chain(reader);
    match magic.as_slice() {
        [0x1f, 0x8b, ..] => Ok(Box::new(MultiGzDecoder::new(BufReader::with_capacity(
            1 << 16,
            reader,
        )))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Ok(Box::new(zstd::Decoder::new(reader)?)),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Ok(Box::new(XzReader::new(
            BufReader::with_capacity(1 << 16, reader),
            true,
        ))),
        [b'B', b'Z', b'h', ..] => Ok(Box::new(MultiBzDecoder::new(BufReader::with_capacity(
            1 << 16,
            reader,
        )))),
        _ => Ok(Box::new(reader)),
    }
}
