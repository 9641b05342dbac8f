//! A machine's serial number, cleaned the same way by every door.

/// Upper case by Unicode's rules, without the `+` and `/` that VMware puts in.
#[must_use]
pub fn clean(raw: &str) -> String {
    raw.to_uppercase().replace(['+', '/'], "")
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
}
