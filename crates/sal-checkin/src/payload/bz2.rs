//! bzip2 as Python's `bz2.decompress` takes it: one stream after another, rubbish after the first one ignored.
//!
//! Stops at a limit, because a bomb of 100 bytes unpacks to 45 MiB.

use std::io::Read;

use bzip2::bufread::BzDecoder;

use super::Unreadable;

/// The bytes, if they are no more than the limit. Nothing unpacks to nothing.
pub(super) fn decompress(packed: &[u8], limit_bytes: usize) -> Result<Vec<u8>, Unreadable> {
    let mut unpacked = Vec::new();
    let mut rest = packed;
    for stream in 0..STREAMS {
        if rest.is_empty() {
            return Ok(unpacked);
        }
        let before = unpacked.len();
        let room = u64::try_from(limit_bytes - before).unwrap_or(u64::MAX);
        let mut decoder = BzDecoder::new(rest);
        let read = decoder
            .by_ref()
            .take(room.saturating_add(1))
            .read_to_end(&mut unpacked);
        if unpacked.len() > limit_bytes {
            return Err(Unreadable::TooLarge { limit_bytes });
        }
        if read.is_err() {
            unpacked.truncate(before);
            return if stream == 0 {
                Err(Unreadable::Broken("it is not bzip2, or ends early"))
            } else {
                Ok(unpacked)
            };
        }
        rest = decoder.into_inner();
    }
    Err(Unreadable::Broken("it is thousands of bzip2 streams"))
}

/// The most streams; each costs a few MiB of memory for a moment. Parallel packers make one for each 900 kB.
const STREAMS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::Write;

    fn pack(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn streams_are_joined_and_rubbish_after_them_is_ignored() {
        let one = pack(b"one");
        let two = [one.clone(), pack(b" two")].concat();
        assert_eq!(decompress(&one, 100).as_deref(), Ok(&b"one"[..]));
        assert_eq!(decompress(&two, 100).as_deref(), Ok(&b"one two"[..]));
        let rubbish = [one.clone(), b"rubbish".to_vec()].concat();
        assert_eq!(decompress(&rubbish, 100).as_deref(), Ok(&b"one"[..]));
        assert_eq!(decompress(b"", 100).as_deref(), Ok(&b""[..]));
        assert!(decompress(b"hello", 100).is_err());
        for length in 1..one.len() {
            assert!(decompress(&one[..length], 100).is_err(), "{length}");
        }
    }

    #[test]
    fn q028_a_bomb_stops_at_the_limit() {
        let bomb = pack(&vec![0; 20 * 1024 * 1024]);
        assert!(bomb.len() < 200, "{}", bomb.len());
        let limit_bytes = 1024 * 1024;
        assert_eq!(
            decompress(&bomb, limit_bytes),
            Err(Unreadable::TooLarge { limit_bytes })
        );
        assert_eq!(decompress(&pack(b"abcd"), 4).as_deref(), Ok(&b"abcd"[..]));
        assert!(decompress(&pack(b"abcde"), 4).is_err());
        let both = [pack(b"abc"), pack(b"de")].concat();
        assert_eq!(
            decompress(&both, 4),
            Err(Unreadable::TooLarge { limit_bytes: 4 })
        );
        let many: Vec<u8> = std::iter::repeat_n(pack(b""), 1001).flatten().collect();
        assert!(matches!(decompress(&many, 4), Err(Unreadable::Broken(_))));
    }
}
