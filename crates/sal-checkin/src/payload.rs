//! The packed field of a form: base64 of a plist, or of a bzip2 of one, as munki and the clients make them.
//!
//! Unpacking is bounded in size and runs on threads of its own, few at a time. What cannot be unpacked is answered
//! as the original answers it, with 200; what is too large or too deep is a 400. [`base64`] and [`bz2`] take what
//! Python's modules take; [`plist`] makes values.

mod base64;
mod bz2;
pub(crate) mod plist;

use std::collections::HashMap;
use std::sync::Arc;

use sal_http::memory::Reserved;
use sal_http::{App, AppError};
use sha2::{Digest, Sha256};
use tracing::warn;

/// A packed field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payload {
    text: String,
    packing: Packing,
}

/// How the bytes below the base64 are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Bz2,
    Plain,
}

/// Why a payload has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// Not what it should be. The original answers 200 and does nothing.
    #[error("the payload is ignored: {0}")]
    Broken(&'static str),
    /// Larger than the limit, unpacked.
    #[error("The data is larger than {limit_bytes} bytes when it is unpacked.")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// Lists and dicts in each other, deeper than anything a client sends.
    #[error("The plist is more than {} levels deep.", plist::DEPTH)]
    TooDeep,
    /// A plist, but of another shape than this address takes (the original: 500).
    #[error("{0}")]
    WrongShape(&'static str),
}

impl Payload {
    /// The payload among a form's fields: `bz2_name` if it is there, else `plain_name`. Empty ones are none.
    pub(crate) fn of(
        fields: &HashMap<String, String>,
        bz2_name: &str,
        plain_name: &str,
    ) -> Option<Self> {
        let (text, packing) = match fields.get(bz2_name) {
            Some(text) => (text, Packing::Bz2),
            None => (fields.get(plain_name)?, Packing::Plain),
        };
        (!text.is_empty()).then(|| Self {
            text: text.clone(),
            packing,
        })
    }

    /// The payload in the field `bz2_name`, where there is no plain form. An empty one is none.
    pub(crate) fn packed(fields: &HashMap<String, String>, bz2_name: &str) -> Option<Self> {
        Self::of(fields, bz2_name, bz2_name)
    }

    /// A payload by itself.
    pub(crate) fn new(text: &str, is_bz2: bool) -> Self {
        Self {
            text: text.to_owned(),
            packing: if is_bz2 { Packing::Bz2 } else { Packing::Plain },
        }
    }

    pub(crate) fn unpack(&self, limit_bytes: usize) -> Result<Vec<u8>, Unreadable> {
        let bytes = base64::decode(&self.text)?;
        match self.packing {
            Packing::Bz2 => bz2::decompress(&bytes, limit_bytes),
            Packing::Plain if bytes.len() > limit_bytes => {
                Err(Unreadable::TooLarge { limit_bytes })
            }
            Packing::Plain => Ok(bytes),
        }
    }
}

/// What was made of a payload, and the room it takes.
pub(crate) struct Opened<T> {
    pub(crate) value: T,
    pub(crate) room: Reserved,
}

/// Unpacks and reads. `None` when the payload is broken; that is in the log then.
///
/// Nobody knows how large it is before it is unpacked, and nearly all are small: so it is tried with little room, then
/// with more, and the rare large one waits until it has the large share to itself.
///
/// # Errors
/// 400 for everything else in [`Unreadable`], 503 when there was no room in time.
pub(crate) async fn open<T: Send + 'static>(
    app: &App,
    payload: Payload,
    read: impl Fn(&[u8], usize) -> Result<T, Unreadable> + Clone + Send + 'static,
) -> Result<Option<Opened<T>>, AppError> {
    let most = app.config.unpacked_limit_bytes;
    let payload = Arc::new(payload);
    for limit_bytes in STEPS.into_iter().filter(|step| *step < most).chain([most]) {
        let weight = if limit_bytes == most {
            usize::MAX
        } else {
            limit_bytes * MADE_OF_A_BYTE
        };
        let room = app.memory().reserve(weight).await?;
        let (payload, read) = (Arc::clone(&payload), read.clone());
        let work = tokio::task::spawn_blocking(move || {
            // The room moves along: the thread goes on when the request is gone.
            let read = payload
                .unpack(limit_bytes)
                .and_then(|bytes| read(&bytes, limit_bytes));
            (read, room)
        });
        let (done, room) = work
            .await
            .map_err(|error| AppError::internal("unpacking a payload", error))?;
        match done {
            Ok(value) => return Ok(Some(Opened { value, room })),
            Err(Unreadable::TooLarge { .. }) if limit_bytes < most => {}
            Err(Unreadable::Broken(what)) => {
                warn!(what, "a payload that cannot be read was ignored: {what}");
                return Ok(None);
            }
            Err(other) => return Err(AppError::BadRequest(other.to_string())),
        }
    }
    Ok(None)
}

/// SHA-256 in hexadecimal digits, as clients compute it over what they packed.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digits = Sha256::digest(bytes);
    digits.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Inventories of a Mac have 60 to 200 KB, and with what is made of them count for some 600.
const STEPS: [usize; 2] = [1024 * 1024, 8 * 1024 * 1024];
/// The bytes, the values, the rows, and the rows on their way to the database.
const MADE_OF_A_BYTE: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_field_goes_before_a_plain_one_and_an_empty_one_is_none() {
        let fields = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let payload = |pairs: &[(&str, &str)]| Payload::of(&fields(pairs), "packed", "plain");
        assert_eq!(payload(&[]), None);
        assert_eq!(payload(&[("packed", ""), ("plain", "eA==")]), None);
        let packed = payload(&[("packed", "eA=="), ("plain", "eQ==")]).unwrap();
        assert_eq!(packed.packing, Packing::Bz2);
        let plain = payload(&[("plain", "eA==")]).unwrap();
        assert_eq!(plain.unpack(1), Ok(b"x".to_vec()));
        assert_eq!(
            plain.unpack(0),
            Err(Unreadable::TooLarge { limit_bytes: 0 })
        );
    }

    #[test]
    fn hashes_are_those_of_sha256sum() {
        // From `printf abc | sha256sum`.
        assert_eq!(
            sha256(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
