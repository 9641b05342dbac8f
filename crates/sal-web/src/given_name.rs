//! Names that people give to units, groups and keys.

/// The name without the spaces around it.
///
/// # Errors
/// A sentence for the person when it is empty, longer than `most` characters, or cannot be stored.
pub(crate) fn given_name(text: &str, most: usize) -> Result<&str, String> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > most || name.contains('\0') {
        return Err(format!("A name has 1 to {most} characters."));
    }
    Ok(name)
}

/// The longest name of a business unit or machine group, in characters: the width of Sal's columns.
pub(crate) const PLACE_NAME: usize = 100;
/// The longest name of an API key, in characters.
pub(crate) const API_KEY_NAME: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_needs_a_character_and_room_in_its_column() {
        assert_eq!(given_name(" Labs ", PLACE_NAME), Ok("Labs"));
        assert_eq!(
            given_name(&"ä".repeat(100), PLACE_NAME),
            Ok("ä".repeat(100).as_str())
        );
        for bad in ["", "  ", "a\0b", &"a".repeat(101)] {
            let sentence = given_name(bad, PLACE_NAME).unwrap_err();
            assert!(sentence.contains("1 to 100 characters"), "{bad}");
        }
    }
}
