//! What a user name and a new password must be. The rules are Django's validators, so that both servers agree.

use super::password::{self, is_guessed_first};

/// Why this cannot be a new user's name.
#[must_use]
pub fn username_problem(name: &str) -> Option<&'static str> {
    let is_fine = |c: char| c.is_alphanumeric() || "@.+-_".contains(c);
    let is_short = (1..=MOST_NAME_CHARACTERS).contains(&name.chars().count());
    (!is_short || !name.chars().all(is_fine))
        .then_some("A user name has 1 to 150 letters, digits and @ . + - _")
}

/// Why this cannot be a new password, typed twice. `about` are the texts that everybody knows of the person: user name,
/// first and last name, e-mail address.
#[must_use]
pub fn password_problem(password: &str, again: &str, about: &[&str]) -> Option<&'static str> {
    let characters = password.chars().count();
    if characters < LEAST_PASSWORD_CHARACTERS {
        return Some("A password has at least 10 characters.");
    }
    if characters > password::MAX_CHARACTERS || password.contains('\0') {
        return Some("A password has at most 4096 characters.");
    }
    if password != again {
        return Some("The two passwords differ.");
    }
    if password.chars().all(char::is_numeric) {
        return Some("A password of nothing but digits is guessed too easily.");
    }
    if is_guessed_first(password) {
        return Some("That is one of the commonest passwords; it is guessed first.");
    }
    let password = password.to_lowercase();
    about
        .iter()
        .any(|text| is_similar(&password, text))
        .then_some("The password is too similar to the person's name or address.")
}

/// Whether the password is mostly made of the text's characters, or of those of a word in it.
fn is_similar(password: &str, text: &str) -> bool {
    let text = text.to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words
        .chain([text.as_str()])
        .filter(|word| !word.is_empty())
        .any(|word| shared_tenths(password, word) >= SIMILAR_TENTHS)
}

/// How much of both texts is the same characters in whatever order, in tenths.
fn shared_tenths(one: &str, other: &str) -> usize {
    let mut left: Vec<char> = other.chars().collect();
    let all = one.chars().count() + left.len();
    let mut shared = 0;
    for character in one.chars() {
        if let Some(place) = left.iter().position(|c| *c == character) {
            left.swap_remove(place);
            shared += 1;
        }
    }
    (20 * shared) / all.max(1)
}

const MOST_NAME_CHARACTERS: usize = 150;
const LEAST_PASSWORD_CHARACTERS: usize = 10;
/// Django's measure of likeness is 0.7.
const SIMILAR_TENTHS: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(password: &str, about: &[&str]) -> Option<&'static str> {
        password_problem(password, password, about)
    }

    #[test]
    fn names_are_letters_digits_and_five_signs() {
        for name in [
            "admin",
            "anna.lee@example.org",
            "Zoë_1+x-y",
            &"a".repeat(150),
        ] {
            assert_eq!(username_problem(name), None, "{name}");
        }
        for name in ["", "a b", "a/b", "a\0b", "<b>", &"a".repeat(151)] {
            assert!(username_problem(name).is_some(), "{name}");
        }
    }

    #[test]
    fn short_long_and_mistyped_passwords_are_refused() {
        assert_eq!(problem("long enough", &["admin"]), None);
        assert!(problem("short", &[]).unwrap().contains("10 characters"));
        for long in ["x1".repeat(2049), "long \0enough".to_owned()] {
            assert!(problem(&long, &[]).unwrap().contains("at most 4096"));
        }
        let differ = password_problem("long enough", "long enuogh", &[]);
        assert!(differ.unwrap().contains("differ"));
    }

    #[test]
    fn what_is_guessed_first_is_refused() {
        for (password, words) in [
            ("4711081547", "digits"),
            ("QwertyUiop", "commonest"),
            ("aaaaaaaaaaaa", "commonest"),
            ("annabella.lee", "similar"),
            ("eel.allebanna", "similar"),
            ("annabellalee1", "similar"),
            ("Example.Org1", "similar"),
        ] {
            let about = ["annabella.lee", "", "annabella@example.org"];
            let sentence = problem(password, &about).unwrap_or_default();
            assert!(sentence.contains(words), "{password}: {sentence}");
        }
        assert_eq!(problem("four blue kettles", &["annabella.lee", ""]), None);
    }
}
