//! What arrives at a gate before anyone has logged in: the first packet, the password, and a server's error.
//!
//! A body that is taken must be written back byte for byte: what a gate passes on is what it read.

use pg_frames::{ErrorResponse, FirstPacket, Header, Password};

use crate::Outcome;

/// Checks one body as each of the messages, and its first bytes as length words.
pub fn check(data: &[u8]) -> Outcome {
    check_lengths(data);
    check_password(data);
    check_error(data);
    let Ok(packet) = FirstPacket::parse(data) else {
        return Outcome::Refused;
    };
    let written = packet.to_bytes().expect("what was read can be written");
    let (word, body) = written.split_first_chunk::<4>().expect("a length word");
    assert_eq!(body, data, "{packet:?} is written in another way");
    assert_eq!(u32::from_be_bytes(*word) as usize, written.len());
    let fits = body.len() <= 10_000;
    assert_eq!(
        FirstPacket::body_length(*word).ok(),
        fits.then_some(body.len())
    );
    match packet {
        FirstPacket::Startup(startup) => {
            assert_eq!(startup.protocol.major, 3);
            let names = [startup.user(), startup.database()];
            for name in names.into_iter().flatten() {
                assert!(!name.is_empty() && !name.contains(&0));
            }
            assert!(startup.user().is_none() || startup.database().is_some());
        }
        FirstPacket::Cancel(key) => {
            assert!((4..=256).contains(&key.secret.len()));
            assert_eq!(
                format!("{key:?}"),
                format!("CancelKey({}, ***)", key.process_id)
            );
        }
        FirstPacket::SslRequest | FirstPacket::GssEncryptionRequest => assert_eq!(data.len(), 4),
    }
    Outcome::Accepted
}

/// A length that is taken is one that a buffer can safely be made for.
fn check_lengths(data: &[u8]) {
    if let Some(word) = data.first_chunk::<4>()
        && let Ok(length) = FirstPacket::body_length(*word)
    {
        assert!((4..=10_000).contains(&length));
    }
    let Some(header) = data.first_chunk::<{ Header::SIZE }>() else {
        return;
    };
    if let Ok(length) = Password::body_length(*header) {
        assert!(header[0] == b'p' && length <= 65_531);
    }
    if let Ok(length) = ErrorResponse::body_length(*header) {
        assert!(header[0] == b'E' && length <= 30_000);
    }
}

fn check_password(data: &[u8]) {
    let Ok(password) = Password::parse(data.to_vec()) else {
        return;
    };
    assert_eq!(format!("{password:?}"), "Password(***)");
    if data.len() <= 65_531 {
        let written = password.to_bytes().expect("what was read can be written");
        assert_eq!(written.get(Header::SIZE..), Some(data));
    }
}

fn check_error(data: &[u8]) {
    let Ok(error) = ErrorResponse::parse(data) else {
        return;
    };
    let written = error.to_bytes().expect("what was read can be written");
    let body = written.get(Header::SIZE..).expect("a header");
    // Texts in another encoding are replaced once, and then stay.
    assert_eq!(ErrorResponse::parse(body).as_ref(), Ok(&error));
    let replaced = |text: &str| text.contains(char::REPLACEMENT_CHARACTER);
    if !error.fields.iter().any(|(_, text)| replaced(text)) {
        assert_eq!(body, data);
    }
}
