//! Passwords as Django stores them: `pbkdf2_sha256$<iterations>$<salt>$<base64>`.
//!
//! Written in the same form, so that Django Sal goes on accepting them. Any number of iterations up to
//! [`MAX_ITERATIONS`] is verified; other algorithms, and Django's unusable passwords (`!…`), never match.

mod common;

use std::num::NonZeroU32;

use aws_lc_rs::{
    digest::SHA256_OUTPUT_LEN,
    pbkdf2::{self, PBKDF2_HMAC_SHA256},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use rand::{RngExt, distr::Alphanumeric};

use crate::{
    access::hashing::{Asker, Hashing},
    error::AppError,
};

pub use self::common::is_guessed_first;

/// The most iterations that are computed; a stored password that asks for more is refused.
pub const MAX_ITERATIONS: u32 = 10_000_000;

/// The longest password that is looked at, in characters; Django's forms take no longer one.
pub const MAX_CHARACTERS: usize = 4096;

/// Whether the password is the stored one, computed on a thread for blocking work.
///
/// `encoded` is `None` when there is no such user. A wrong password costs the work of a new one, whether there is a
/// user, one with an old password that is cheap to check, or one without a password: the time taken does not tell
/// which users exist.
///
/// # Errors
/// When too many ask at once, or the server is shutting down.
pub async fn verify(
    password: String,
    encoded: Option<String>,
    asker: &Asker,
    hashing: &Hashing,
) -> Result<bool, AppError> {
    if password.chars().count() > MAX_CHARACTERS {
        return Ok(false);
    }
    let work = move || {
        let checked = check(&password, encoded.as_deref().unwrap_or_default());
        if !checked.is_right
            && let Some(rest) = ITERATIONS
                .get()
                .checked_sub(checked.iterations)
                .and_then(NonZeroU32::new)
        {
            derive(&password, "nobody", rest);
        }
        checked.is_right
    };
    hashing.run(asker, work).await
}

/// Encodes a new password on a thread for blocking work.
///
/// # Errors
/// When too many ask at once, or the server is shutting down.
pub async fn encode(
    password: String,
    asker: &Asker,
    hashing: &Hashing,
) -> Result<String, AppError> {
    let work = move || {
        let salt: String = rand::rng()
            .sample_iter(Alphanumeric)
            .take(SALT_CHARACTERS)
            .map(char::from)
            .collect();
        let hash = BASE64_STANDARD.encode(derive(&password, &salt, ITERATIONS));
        format!("{ALGORITHM}${ITERATIONS}${salt}${hash}")
    };
    hashing.run(asker, work).await
}

/// What a check found, and how much work it was.
struct Checked {
    is_right: bool,
    iterations: u32,
}

fn check(password: &str, encoded: &str) -> Checked {
    let unusable = Checked {
        is_right: false,
        iterations: 0,
    };
    let mut parts = encoded.splitn(4, '$');
    let (Some(ALGORITHM), Some(iterations), Some(salt), Some(hash)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return unusable;
    };
    let iterations = iterations
        .parse()
        .ok()
        .filter(|iterations: &NonZeroU32| iterations.get() <= MAX_ITERATIONS);
    let hash = BASE64_STANDARD.decode(hash).ok();
    let (Some(iterations), Some(hash)) = (iterations, hash) else {
        return unusable;
    };
    if hash.len() != SHA256_OUTPUT_LEN {
        return unusable;
    }
    let (salt, password) = (salt.as_bytes(), password.as_bytes());
    Checked {
        is_right: pbkdf2::verify(PBKDF2_HMAC_SHA256, iterations, salt, password, &hash).is_ok(),
        iterations: iterations.get(),
    }
}

fn derive(password: &str, salt: &str, iterations: NonZeroU32) -> [u8; SHA256_OUTPUT_LEN] {
    let mut hash = [0; SHA256_OUTPUT_LEN];
    let (salt, password) = (salt.as_bytes(), password.as_bytes());
    pbkdf2::derive(PBKDF2_HMAC_SHA256, iterations, salt, password, &mut hash);
    hash
}

const ALGORITHM: &str = "pbkdf2_sha256";
/// What Django 4.2 writes.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(600_000).unwrap();
const SALT_CHARACTERS: usize = 22;

#[cfg(test)]
mod tests {
    use super::*;

    // Made by Python's hashlib.pbkdf2_hmac in Django's form.
    const ENCODED: &str =
        "pbkdf2_sha256$600000$x9KfO2sVb1QeLm3RtYuI0p$KvA3kkGcXojTwOtWXeOkN/NCci1Gx43WsK+TEClx0wo=";
    const OLD: &str = "pbkdf2_sha256$1000$seasalt$EqCL4TJDvY77OVYjQped2t9qDQ3xEdvvzv1yQvLuPH0=";

    fn is_right(password: &str, encoded: &str) -> bool {
        check(password, encoded).is_right
    }

    #[test]
    fn passwords_that_django_stored_are_accepted_and_others_are_not() {
        assert!(is_right("pässword", ENCODED));
        assert!(is_right("pässword", OLD));
        for wrong in ["", "password", "pässword ", "pÄssword"] {
            assert!(!is_right(wrong, OLD), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_pbkdf2_password_never_matches() {
        let huge = OLD.replacen("$1000$", "$4000000000$", 1);
        let none = OLD.replacen("$1000$", "$0$", 1);
        let short = "pbkdf2_sha256$1000$salt$";
        for encoded in ["", "!unusable", "md5$salt$hash", short, &huge, &none] {
            assert!(!is_right("", encoded), "{encoded}");
            assert!(!is_right("pässword", encoded), "{encoded}");
        }
    }

    #[tokio::test]
    async fn a_new_password_is_written_in_djangos_form() {
        let hashing = Hashing::default();
        let encoded = encode("secret".to_owned(), &Asker::Server, &hashing)
            .await
            .unwrap();
        assert!(encoded.starts_with("pbkdf2_sha256$600000$"), "{encoded}");
        assert!(encoded.len() <= 128);
        let right = verify("secret".to_owned(), Some(encoded), &Asker::Server, &hashing).await;
        assert!(right.unwrap());
        let nobody = verify("secret".to_owned(), None, &Asker::Server, &hashing).await;
        assert!(!nobody.unwrap());
    }

    #[tokio::test]
    async fn a_password_that_is_too_long_is_wrong_even_when_it_is_the_stored_one() {
        let hashing = Hashing::default();
        let long = "ä".repeat(MAX_CHARACTERS + 1);
        let hash = BASE64_STANDARD.encode(derive(&long, "salt", NonZeroU32::MIN));
        let encoded = format!("{ALGORITHM}$1$salt${hash}");
        assert!(is_right(&long, &encoded));
        assert!(
            !verify(long, Some(encoded), &Asker::Server, &hashing)
                .await
                .unwrap()
        );
    }

    #[test]
    fn the_work_of_a_check_is_known_so_that_the_rest_can_be_added() {
        assert_eq!(check("wrong", OLD).iterations, 1000);
        assert_eq!(check("wrong", ENCODED).iterations, ITERATIONS.get());
        for without_password in ["", "!unusable", "md5$salt$hash"] {
            assert_eq!(check("wrong", without_password).iterations, 0);
        }
    }
}
