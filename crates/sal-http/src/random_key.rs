//! Keys for clients and programs: lower-case letters and digits, as Sal makes them.

use rand::RngExt;

/// Draws a key from the cryptographic generator of this thread.
#[must_use]
pub fn random_key(length: usize) -> String {
    let mut random = rand::rng();
    let character = |_| {
        CHARACTERS
            .get(random.random_range(0..CHARACTERS.len()))
            .copied()
    };
    (0..length).filter_map(character).map(char::from).collect()
}

/// Length of a machine group's key.
pub const GROUP_KEY: usize = 128;
/// Length of the part of an API key that is no secret.
pub const API_KEY_PUBLIC: usize = 24;
/// Length of the secret part of an API key.
pub const API_KEY_PRIVATE: usize = 64;
const CHARACTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_as_long_as_sals_and_never_the_same() {
        for length in [GROUP_KEY, API_KEY_PRIVATE, API_KEY_PUBLIC] {
            let (one, other) = (random_key(length), random_key(length));
            assert_eq!(one.len(), length);
            assert_ne!(one, other);
            assert!(one.bytes().all(|byte| CHARACTERS.contains(&byte)));
        }
    }

    #[test]
    fn every_character_occurs() {
        let key = random_key(10_000);
        assert!(CHARACTERS.iter().all(|byte| key.as_bytes().contains(byte)));
    }
}
