//! A machine's serial number, cleaned the same way on every route.

use axum::http::StatusCode;
use axum::response::Response;
use sal_http::django;
pub(crate) use sal_http::serial::clean;
use sal_store::serials::is_placeholder;

/// The answer where no machine has the serial number of an inventory or of profiles.
pub(crate) fn not_found() -> Response {
    django::answer(StatusCode::NOT_FOUND, "Serial Number not found")
}

/// What a machine with this serial number may be called in the table, best first: cleaned as a check-in cleans it,
/// then only in upper case, then as it came, for machines that were made by hand.
pub(crate) fn candidates(raw: &str) -> Vec<String> {
    let raw = raw.replace('\0', "");
    // Nobody knows whose it is.
    if is_placeholder(&clean(&raw)) {
        return Vec::new();
    }
    let mut names = vec![clean(&raw), raw.to_uppercase(), raw];
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q020_the_cleaned_serial_is_looked_for_first_and_the_raw_one_last() {
        assert_eq!(candidates("C02"), ["C02"]);
        assert_eq!(candidates("c02"), ["C02", "c02"]);
        assert_eq!(candidates("vm+/x\0"), ["VMX", "VM+/X", "vm+/x"]);
        assert_eq!(candidates("C02 "), ["C02", "C02 "]);
    }
}
