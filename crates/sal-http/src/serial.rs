//! A machine's serial number, cleaned the same way by every door.

/// Upper case by Unicode's rules, without the `+` and `/` that VMware puts in, and without what nobody sees around it
///
#[must_use]
pub fn clean(raw: &str) -> String {
    raw.to_uppercase()
        .replace(['+', '/'], "")
        .trim_matches(is_unseen)
        .to_owned()
}

/// Blanks, control characters but NUL, which is a mistake of its own, and the mark that Windows puts before texts.
fn is_unseen(character: char) -> bool {
    character != '\0'
        && (character.is_whitespace()
            || character.is_control()
            || matches!(character, '\u{feff}' | '\u{200b}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q006_vmware_junk_goes_and_case_is_upper_by_unicode() {
        assert_eq!(clean("VMware-ab+12/cd"), "VMWARE-AB12CD");
        assert_eq!(clean("straße"), "STRASSE");
        assert_eq!(clean("+/+"), "");
    }

    #[test]
    fn q138_what_nobody_sees_around_a_serial_number_goes() {
        for raw in [
            "C02A",
            " C02A",
            "C02A ",
            "C02A\n",
            "\tc02a\r\n",
            "\u{feff}C02A\u{a0}",
            "/C02A +",
        ] {
            assert_eq!(clean(raw), "C02A", "{raw:?}");
        }
        assert_eq!(clean(" \n"), "");
        assert_eq!(clean("VMware AB 1"), "VMWARE AB 1");
        assert!(clean("C02\0").contains('\0'));
    }
}
