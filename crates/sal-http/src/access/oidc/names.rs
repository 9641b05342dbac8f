//! What user names look like. Names that look alike are one name: whoever is called `аdmin` with a Cyrillic letter at a
//! provider must not stand beside `admin` here. Pure.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_security::skeleton;

/// The same text for all names that look alike: by case, width, look-alike letters of other scripts, marks on letters,
/// and characters that are not seen at all.
pub(super) fn looks(name: &str) -> String {
    let seen: String = name.nfkc().filter(|c| is_seen(*c)).collect();
    // Upper case first: `ß` becomes two letters, and `ſ` an `s`.
    let folded = seen.to_uppercase().to_lowercase();
    let plain: String = skeleton(&folded)
        .filter(|c| !is_combining_mark(*c))
        .collect();
    // Prototypes of letters may be capitals, and what a mark hid may pass for another letter now.
    let again: String = skeleton(&plain.to_lowercase())
        .filter(|c| !is_combining_mark(*c))
        .map(stroke)
        .collect();
    again.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A new user's name without what nobody sees, and in the plain form of its letters.
pub(super) fn tidy(name: &str) -> String {
    let seen: String = name.nfkc().filter(|c| is_seen(*c)).collect();
    seen.trim().to_owned()
}

fn is_seen(character: char) -> bool {
    let code = u32::from(character);
    !character.is_control()
        && !UNSEEN
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&code))
}

/// Unicode's property Default_Ignorable_Code_Point, and the empty Braille cell.
const UNSEEN: [(u32, u32); 18] = [
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1_BCA0, 0x1_BCA3),
    (0x1_D173, 0x1_D17A),
    (0xE_0000, 0xE_0FFF),
];

/// Strokes that differ in few fonts.
fn stroke(character: char) -> char {
    match character {
        'i' | '1' | '|' | '!' => 'l',
        '0' => 'o',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_are_one() {
        for (name, twin) in [
            ("admin", "Admin"),
            ("admin", "ADMIN"),
            ("admin", "ａｄｍｉｎ"),
            ("admin", "аdmin"),
            ("admin", "аԁmіn"),
            ("admin", "adm\u{131}n"),
            ("admin", "adm\u{456}n"),
            ("admin", "admln"),
            ("admin", "adm1n"),
            ("admin", "ADMlN"),
            ("admin", "admin\u{200b}"),
            ("admin", "ad\u{200d}min"),
            ("admin", "\u{feff}admin"),
            ("admin", "ad\u{ad}min"),
            ("admin", "\u{202e}admin\u{202c}"),
            ("admin", "a\u{301}dmin"),
            ("admin", "ádmin"),
            ("admin", "admi\u{303}n"),
            ("admin", "𝐚𝐝𝐦𝐢𝐧"),
            ("admin", "ⓐⓓⓜⓘⓝ"),
            ("admin", "adrnin"),
            ("admin", " admin "),
            ("admin", "admin\u{a0}"),
            ("admin\u{fe0f}", "admin"),
            ("José", "jose"),
            ("straße", "STRASSE"),
            ("anna.lee", "anna․lee"),
            ("root", "r00t"),
            ("oleg", "οleg"),
            ("scope", "ѕсоре"),
        ] {
            assert_eq!(looks(name), looks(twin), "{name} and {twin:?}");
        }
    }

    #[test]
    fn names_of_different_people_are_different() {
        for (name, other) in [
            ("anna", "hanna"),
            ("anna", "anna2"),
            ("anna", "anne"),
            ("anna.lee", "annalee"),
            ("mac11", "mac12"),
            ("müller", "miller"),
            ("иван", "ivan"),
            ("田中", "田中一"),
        ] {
            assert_ne!(looks(name), looks(other), "{name} and {other}");
        }
    }

    #[test]
    fn a_new_name_has_nothing_that_is_not_seen() {
        assert_eq!(tidy("\u{feff}an\u{200b}na "), "anna");
        assert_eq!(tidy("ａｎｎａ"), "anna");
        assert_eq!(tidy("Zoë"), "Zoë");
        assert_eq!(tidy("\u{200b}\u{3164}"), "");
    }
}
