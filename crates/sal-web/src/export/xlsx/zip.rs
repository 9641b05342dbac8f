//! A ZIP archive (APPNOTE 6.3) that is written in one go, without knowing beforehand how long its entries become.

use std::io::Write;

use axum::body::Bytes;
use flate2::{Compression, Crc, write::DeflateEncoder};

/// An archive that is being written.
#[derive(Default)]
pub(super) struct Zip {
    /// What is ready and was not taken.
    ready: Vec<u8>,
    /// How much was taken.
    taken: usize,
    entries: Vec<Entry>,
    open: Option<Open>,
}

/// An entry that is written.
struct Entry {
    path: &'static str,
    offset: usize,
    crc: u32,
    compressed: usize,
    size: usize,
}

/// An entry that still grows.
struct Open {
    path: &'static str,
    offset: usize,
    /// How much of it was compressed and handed on.
    compressed: usize,
    crc: Crc,
    size: usize,
    deflate: DeflateEncoder<Vec<u8>>,
}

impl Zip {
    /// Adds a whole entry.
    pub(super) fn add(&mut self, path: &'static str, content: &[u8]) {
        self.begin(path);
        self.write(content);
        self.end();
    }

    /// Begins an entry.
    pub(super) fn begin(&mut self, path: &'static str) {
        self.end();
        let offset = self.taken + self.ready.len();
        self.put(&[&LOCAL_HEADER, &COMMON, &[0; 12], &two(path.len()), &[0; 2]]);
        self.ready.extend_from_slice(path.as_bytes());
        self.open = Some(Open {
            path,
            offset,
            compressed: 0,
            crc: Crc::new(),
            size: 0,
            deflate: DeflateEncoder::new(Vec::new(), Compression::fast()),
        });
    }

    /// Adds to the entry that was begun.
    pub(super) fn write(&mut self, content: &[u8]) {
        let Some(open) = &mut self.open else { return };
        open.crc.update(content);
        open.size += content.len();
        // Writing to memory does not fail.
        let _written = open.deflate.write_all(content);
        let pressed = std::mem::take(open.deflate.get_mut());
        open.compressed += pressed.len();
        self.ready.extend_from_slice(&pressed);
    }

    /// The bytes that are ready.
    pub(super) fn take(&mut self) -> Bytes {
        self.taken += self.ready.len();
        Bytes::from(std::mem::take(&mut self.ready))
    }

    /// Ends the archive and returns its last bytes.
    pub(super) fn finish(mut self) -> Bytes {
        self.end();
        let start = self.taken + self.ready.len();
        let entries = std::mem::take(&mut self.entries);
        for entry in &entries {
            self.put(&[
                &CENTRAL_HEADER,
                &VERSION,
                &COMMON,
                &entry.crc.to_le_bytes(),
                &four(entry.compressed),
                &four(entry.size),
                &two(entry.path.len()),
                // No extra field, no comment, first disk, no attributes.
                &[0; 12],
                &four(entry.offset),
            ]);
            self.ready.extend_from_slice(entry.path.as_bytes());
        }
        let size = self.taken + self.ready.len() - start;
        let count = two(entries.len());
        self.put(&[
            &END,
            &[0; 4],
            &count,
            &count,
            &four(size),
            &four(start),
            &[0; 2],
        ]);
        Bytes::from(self.ready)
    }

    /// Ends the entry that was begun; its sizes follow it.
    fn end(&mut self) {
        let Some(open) = self.open.take() else { return };
        let rest = open.deflate.finish().unwrap_or_default();
        self.ready.extend_from_slice(&rest);
        let entry = Entry {
            path: open.path,
            offset: open.offset,
            crc: open.crc.sum(),
            compressed: open.compressed + rest.len(),
            size: open.size,
        };
        self.put(&[
            &DESCRIPTOR,
            &entry.crc.to_le_bytes(),
            &four(entry.compressed),
            &four(entry.size),
        ]);
        self.entries.push(entry);
    }

    fn put(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.ready.extend_from_slice(part);
        }
    }
}

/// A number of four bytes. An archive of four gigabytes would be another kind of archive; no list becomes one.
fn four(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes()
}

fn two(number: usize) -> [u8; 2] {
    u16::try_from(number).unwrap_or(u16::MAX).to_le_bytes()
}

const LOCAL_HEADER: [u8; 4] = *b"PK\x03\x04";
const CENTRAL_HEADER: [u8; 4] = *b"PK\x01\x02";
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";
const END: [u8; 4] = *b"PK\x05\x06";
/// Written as version 2.0 has it.
const VERSION: [u8; 2] = [20, 0];
/// Readable from version 2.0 on; sizes behind the entry, names in UTF-8; deflate; midnight of 1980-01-01.
const COMMON: [u8; 10] = [20, 0, 0x08, 0x08, 8, 0, 0, 0, 0x21, 0];
