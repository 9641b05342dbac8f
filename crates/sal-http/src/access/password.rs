//! Passwords as Django stores them: `pbkdf2_sha256$<iterations>$<salt>$<base64>`.
//!
//! Written in the same form, so that Django Sal goes on accepting them. Any number of iterations up to
//! [`MAX_ITERATIONS`] is verified; other algorithms, and Django's unusable passwords (`!…`), never match.

use std::num::NonZeroU32;

use aws_lc_rs::{
    digest::SHA256_OUTPUT_LEN,
    pbkdf2::{self, PBKDF2_HMAC_SHA256},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use rand::{RngExt, distr::Alphanumeric};

use crate::{access::attempts::LoginAttempts, error::AppError};

/// The most iterations that are computed; a stored password that asks for more is refused.
pub const MAX_ITERATIONS: u32 = 10_000_000;

/// Whether the password is the stored one, computed on a thread for blocking work.
///
/// `encoded` is `None` when there is no such user; the same work is done then, so that the time taken does not
/// tell which users exist.
///
/// # Errors
/// When the server is shutting down.
pub async fn verify(
    password: String,
    encoded: Option<String>,
    attempts: &LoginAttempts,
) -> Result<bool, AppError> {
    let permit = attempts.permit().await;
    let work = move || match encoded {
        Some(encoded) => verify_now(&password, &encoded),
        None => {
            derive(&password, "nobody", ITERATIONS);
            false
        }
    };
    let result = tokio::task::spawn_blocking(work).await;
    drop(permit);
    result.map_err(|error| AppError::internal("checking a password", error))
}

/// Encodes a new password on a thread for blocking work.
///
/// # Errors
/// When the server is shutting down.
pub async fn encode(password: String, attempts: &LoginAttempts) -> Result<String, AppError> {
    let permit = attempts.permit().await;
    let work = move || {
        let salt: String = rand::rng()
            .sample_iter(Alphanumeric)
            .take(SALT_CHARACTERS)
            .map(char::from)
            .collect();
        let hash = BASE64_STANDARD.encode(derive(&password, &salt, ITERATIONS));
        format!("{ALGORITHM}${ITERATIONS}${salt}${hash}")
    };
    let result = tokio::task::spawn_blocking(work).await;
    drop(permit);
    result.map_err(|error| AppError::internal("encoding a password", error))
}

fn verify_now(password: &str, encoded: &str) -> bool {
    let mut parts = encoded.splitn(4, '$');
    let (Some(ALGORITHM), Some(iterations), Some(salt), Some(hash)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let iterations = iterations
        .parse()
        .ok()
        .filter(|iterations: &NonZeroU32| iterations.get() <= MAX_ITERATIONS);
    let hash = BASE64_STANDARD.decode(hash).ok();
    let (Some(iterations), Some(hash)) = (iterations, hash) else {
        return false;
    };
    let (salt, password) = (salt.as_bytes(), password.as_bytes());
    hash.len() == SHA256_OUTPUT_LEN
        && pbkdf2::verify(PBKDF2_HMAC_SHA256, iterations, salt, password, &hash).is_ok()
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

    #[test]
    fn passwords_that_django_stored_are_accepted_and_others_are_not() {
        assert!(verify_now("pässword", ENCODED));
        assert!(verify_now("pässword", OLD));
        for wrong in ["", "password", "pässword ", "pÄssword"] {
            assert!(!verify_now(wrong, OLD), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_pbkdf2_password_never_matches() {
        let huge = OLD.replacen("$1000$", "$4000000000$", 1);
        let none = OLD.replacen("$1000$", "$0$", 1);
        let short = "pbkdf2_sha256$1000$salt$";
        for encoded in ["", "!unusable", "md5$salt$hash", short, &huge, &none] {
            assert!(!verify_now("", encoded), "{encoded}");
            assert!(!verify_now("pässword", encoded), "{encoded}");
        }
    }

    #[tokio::test]
    async fn a_new_password_is_written_in_djangos_form() {
        let attempts = LoginAttempts::default();
        let encoded = encode("secret".to_owned(), &attempts).await.unwrap();
        assert!(encoded.starts_with("pbkdf2_sha256$600000$"), "{encoded}");
        assert!(encoded.len() <= 128);
        let right = verify("secret".to_owned(), Some(encoded), &attempts).await;
        assert!(right.unwrap());
        let nobody = verify("secret".to_owned(), None, &attempts).await;
        assert!(!nobody.unwrap());
    }
}
