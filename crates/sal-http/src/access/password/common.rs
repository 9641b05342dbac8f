//! Passwords that are guessed first. Pure.

/// Whether this is one of the first passwords that anybody tries: a common one, a word such as `password` or `sal` with
/// digits and signs around it or in the place of letters, the same again and again, or nothing but digits.
#[must_use]
pub fn is_guessed_first(password: &str) -> bool {
    let password = password.trim().to_lowercase();
    COMMON.contains(&password.as_str())
        || password.chars().all(char::is_numeric)
        || password.chars().all(|c| password.starts_with(c))
        || is_disguised(&password)
}

/// Whether nothing but a word is left without the signs around it, and with letters for the signs in it.
fn is_disguised(password: &str) -> bool {
    let is_sign = |c: char| !c.is_alphabetic();
    let without_end = password.trim_end_matches(is_sign);
    [password, without_end]
        .iter()
        .flat_map(|text| ['l', 'i'].map(|one| plain(text, one)))
        .chain([password.to_owned()])
        .any(|text| is_a_word_again_and_again(text.trim_matches(is_sign)))
}

/// Letters for the signs that are written for them; a one may stand for either.
fn plain(text: &str, one: char) -> String {
    let letters = text.chars().map(|c| match c {
        '1' => one,
        other => plain_letter(other),
    });
    letters.collect()
}

/// The letter that a sign is written for.
fn plain_letter(character: char) -> char {
    match character {
        '0' => 'o',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '!' => 'i',
        other => other,
    }
}

fn is_a_word_again_and_again(text: &str) -> bool {
    WORDS
        .iter()
        .any(|word| !text.is_empty() && text.replace(word, "").is_empty())
}

/// What is tried with anything around it.
const WORDS: &[&str] = &[
    "admin",
    "administrator",
    "changeit",
    "changeme",
    "default",
    "geheim",
    "letmein",
    "munki",
    "pass",
    "passwd",
    "password",
    "passwort",
    "postgres",
    "qwerty",
    "root",
    "sal",
    "salsoftware",
    "secret",
    "test",
    "welcome",
];
/// Common ones that the other rules let pass.
const COMMON: &[&str] = &[
    "1q2w3e4r5t",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "1qaz@wsx#edc",
    "abc1234567",
    "abcd123456",
    "abcdefghij",
    "administrator",
    "administrator1",
    "admin12345",
    "admin123456",
    "asdfghjkl1",
    "asdfghjkl;",
    "basketball",
    "changeme12",
    "changeme123",
    "correct horse battery staple",
    "correcthorsebatterystaple",
    "football123",
    "iloveyou12",
    "iloveyou123",
    "letmein123",
    "letmein1234",
    "liverpool1",
    "macbookpro",
    "manchester",
    "open sesame",
    "opensesame",
    "p@ssw0rd12",
    "p@ssw0rd123",
    "p@ssword123",
    "passw0rd123",
    "password11",
    "password12",
    "password123",
    "password1234",
    "password12345",
    "passwordpassword",
    "princess12",
    "q1w2e3r4t5",
    "q1w2e3r4t5y6",
    "qazwsxedcrfv",
    "qwerty1234",
    "qwerty12345",
    "qwerty123456",
    "qwertyuiop",
    "qwertyuiop123",
    "salpassword",
    "starwars123",
    "strawberry",
    "sunshine12",
    "superman12",
    "trustno1trustno1",
    "welcome123",
    "welcome1234",
    "zaq12wsxcde3",
    "zxcvbnm123",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_passwords_and_their_disguises_are_guessed_first() {
        for password in [
            "",
            "password",
            "Password",
            "PASSWORD1",
            "p@ssw0rd",
            "P@$$w0rd!",
            "@dm1n2026",
            "sa1sa1sa1",
            "password2026!",
            "passwordpassword",
            "admin",
            "Admin123",
            "adm1n",
            "sal",
            "sal12345",
            "salsalsal",
            "changeme",
            "ChangeMe!",
            "letmein1",
            "12345678",
            "aaaaaaaa",
            "QwertyUiop",
            " password ",
            "correct horse battery staple",
        ] {
            assert!(is_guessed_first(password), "{password}");
        }
        for password in [
            "four blue kettles",
            "salamander-7",
            "the-s3cret-of-admin",
            "passwords are dull",
            "long enough",
        ] {
            assert!(!is_guessed_first(password), "{password}");
        }
    }
}
