//! Sal's settings for the list of applications. They are read at each visit, so that a change shows at once.

use sal_http::AppError;
use sal_store::{
    Client,
    applications::try_pattern,
    settings::{HIDE_GUEST_APPLICATIONS, INVENTORY_EXCLUSION, SHOW_INSTALL_COUNTS, settings},
};

/// What is listed.
pub(super) struct Options {
    /// Bundle ids that match this regular expression of Postgres are not listed; empty lists all.
    pub(super) without: String,
    /// Whether that pattern is set and no pattern: then nothing is hidden, and the page says so.
    pub(super) pattern_is_wrong: bool,
    /// Whether applications of guests of VMware and Parallels are hidden.
    pub(super) without_guests: bool,
    /// Whether the list says how many machines have an application.
    pub(super) with_counts: bool,
}

impl Options {
    pub(super) async fn read(db: &Client) -> Result<Self, AppError> {
        let names = [
            INVENTORY_EXCLUSION,
            HIDE_GUEST_APPLICATIONS,
            SHOW_INSTALL_COUNTS,
        ];
        let rows = settings(db, &names.map(str::to_owned).to_vec()).await?;
        let value = |name| {
            rows.iter()
                .find(|row| row.name == name)
                .map(|row| &row.value)
        };
        let pattern = value(INVENTORY_EXCLUSION).map_or("", |pattern| pattern.trim());
        let pattern_is_wrong = match try_pattern(db, pattern).await {
            Ok(_) => false,
            // Sal's pages fail.
            Err(error) if error.is_about_a_pattern() => true,
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            without: if pattern_is_wrong {
                String::new()
            } else {
                pattern.to_owned()
            },
            pattern_is_wrong,
            without_guests: is_on(value(HIDE_GUEST_APPLICATIONS)),
            with_counts: is_on(value(SHOW_INSTALL_COUNTS)),
        })
    }
}

/// Whether a setting that is on by default is on: Sal takes `no` and `false` in any case, and numbers that are zero.
fn is_on(value: Option<&String>) -> bool {
    let Some(value) = value.map(|value| value.trim().to_lowercase()) else {
        return true;
    };
    !(value == "no" || value == "false" || value.parse() == Ok(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_no_in_sals_words_switches_off() {
        for off in ["False", "false", "no", "NO", "0", "0.0"] {
            assert!(!is_on(Some(&off.to_owned())), "{off}");
        }
        for on in ["True", "yes", "1", ""] {
            assert!(is_on(Some(&on.to_owned())), "{on}");
        }
        assert!(is_on(None));
    }
}
