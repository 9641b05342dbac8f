//! Every setting of `server_salsetting`, declared once: name, type, default, meaning. The settings page is made of this
//! list, and whoever reads a setting reads it through its declaration.
//!
//! Sal types a value when it reads it: digits are a number, `true`, `yes`, `false` and `no` a truth, nothing the
//! default (sal-config §4). A value that does not fit its type counts as the default here; Sal fails on some.

use sal_store::{StoreError, pool::Executor, settings::setting};

/// A setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    /// Its name in the table.
    pub name: &'static str,
    /// A few words for people.
    pub title: &'static str,
    /// What counts when nothing was set.
    pub default: &'static str,
    /// What it does. Ends with a full stop.
    pub meaning: &'static str,
    /// What may be set.
    pub kind: Kind,
}

/// What may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number between two.
    Number {
        /// The least.
        least: i64,
        /// The greatest.
        most: i64,
        /// Of what.
        unit: &'static str,
    },
    /// Yes or no.
    Flag,
    /// Any text in one line.
    Text,
    /// A regular expression as Postgres knows them, or nothing.
    Pattern,
    /// An http or https address, or nothing.
    Url,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Written by programs only.
    Bookkeeping,
}

/// A value and what is wrong with the stored one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read<T> {
    /// What counts.
    pub value: T,
    /// Why the stored value does not.
    pub warning: Option<String>,
}

impl Declared {
    /// The declaration of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<&'static Self> {
        SETTINGS
            .iter()
            .copied()
            .find(|setting| setting.name == name)
    }

    /// What is stored.
    ///
    /// # Errors
    /// The statement's.
    pub async fn stored(&self, db: &impl Executor) -> Result<Option<String>, StoreError> {
        let rows = setting(db, self.name).await?;
        Ok(rows.into_iter().next().map(|row| row.value))
    }

    /// A number from what is stored.
    #[must_use]
    pub fn number(&self, stored: Option<&str>) -> Read<i64> {
        let default = self.default.parse().unwrap_or(0);
        let Some(text) = stored.map(str::trim).filter(|text| !text.is_empty()) else {
            return Read {
                value: default,
                warning: None,
            };
        };
        let fits = match self.kind {
            Kind::Number { least, most, .. } => text
                .parse()
                .ok()
                .filter(|number| (least..=most).contains(number)),
            _ => text.parse().ok(),
        };
        Read {
            value: fits.unwrap_or(default),
            warning: fits.is_none().then(|| {
                format!(
                    "the setting {} is `{}`, which is not {}; {default} counts",
                    self.name,
                    text.chars().take(40).collect::<String>(),
                    self.kind.wanted()
                )
            }),
        }
    }

    /// A truth from what is stored.
    #[must_use]
    pub fn flag(&self, stored: Option<&str>) -> bool {
        let text = stored.map_or("", str::trim);
        let text = if text.is_empty() { self.default } else { text };
        !["false", "no", "0"]
            .iter()
            .any(|no| text.eq_ignore_ascii_case(no))
    }

    /// What is to be stored for what a person wrote.
    ///
    /// # Errors
    /// A sentence for the person.
    pub fn accept(&self, written: &str) -> Result<String, String> {
        let text = written.trim();
        let wanted = || format!("It has to be {}.", self.kind.wanted());
        if text.contains('\0') || text.contains('\n') || text.chars().count() > LONGEST {
            return Err(format!(
                "It has to be one line of at most {LONGEST} characters."
            ));
        }
        match self.kind {
            Kind::Number { least, most, .. } => {
                let number: i64 = text.parse().map_err(|_not_a_number| wanted())?;
                if (least..=most).contains(&number) {
                    Ok(number.to_string())
                } else {
                    Err(wanted())
                }
            }
            Kind::Flag => match text {
                "true" | "false" => Ok(text.to_owned()),
                _ => Err(wanted()),
            },
            Kind::OneOf(words) if !words.contains(&text) => Err(wanted()),
            Kind::Url if !text.is_empty() && !is_http(text) => Err(wanted()),
            Kind::Bookkeeping => Err("It is written by programs only.".to_owned()),
            Kind::OneOf(_) | Kind::Url | Kind::Text | Kind::Pattern => Ok(text.to_owned()),
        }
    }
}

impl Kind {
    /// What may be set, as the end of a sentence.
    #[must_use]
    pub fn wanted(self) -> String {
        match self {
            Self::Number { least, most, unit } => {
                format!("a whole number of {unit} from {least} to {most}")
            }
            Self::Flag => "true or false".to_owned(),
            Self::Text => "a text".to_owned(),
            Self::Pattern => "a regular expression, or nothing".to_owned(),
            Self::Url => "an address that begins with https:// or http://, or nothing".to_owned(),
            Self::OneOf(words) => format!("one of {}", words.join(", ")),
            Self::Bookkeeping => "what a program wrote".to_owned(),
        }
    }
}

/// A scheme, a host, and no blanks.
fn is_http(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        rest.chars().next().is_some_and(char::is_alphanumeric)
            && !rest.chars().any(|c| c.is_whitespace() || c.is_control())
    })
}

/// The longest value that a person may set, in characters.
const LONGEST: usize = 1_000;

macro_rules! settings {
    ($($const:ident = $name:literal, $title:literal, $default:literal, $kind:expr, $meaning:literal;)*) => {
        $(
            #[doc = $meaning]
            pub const $const: Declared =
                Declared { name: $name, title: $title, default: $default, meaning: $meaning, kind: $kind };
        )*
        /// All of them, in the order of the page.
        pub const SETTINGS: &[&Declared] = &[$(&$const),*];
    };
}

settings! {
    HISTORICAL_RETENTION = "historical_retention", "Retention", "180", Kind::Number { least: 1, most: 36_500, unit: "days" },
        "Plugin results, lines of managed items' history and historical facts that are older are removed.";
    INVENTORY_EXCLUSION_PATTERN = "inventory_exclusion_pattern", "Hidden applications", "", Kind::Pattern,
        "Applications whose bundle id matches this regular expression are not listed.";
    FILTER_PROXIED = "filter_proxied_virtualization_apps", "Hide applications of virtual machines", "true", Kind::Flag,
        "Applications that VMware and Parallels show on the Mac for a guest system are not listed.";
    SHOW_INSTALL_COUNTS = "show_inventory_install_counts", "Install counts", "true", Kind::Flag,
        "The list of applications says on how many machines each one is.";
    SSH_ACCOUNT = "ssh_account", "SSH account", "", Kind::Text,
        "The user in the links that open a remote connection to a machine.";
    CRYPT_URL = "crypt_url", "Crypt server", "", Kind::Url,
        "Address of the Crypt server that keeps recovery keys, for the links to it.";
    TABLE_LENGTH = "datatable_page_length", "Rows of a table", "20", Kind::Number { least: 1, most: 1_000, unit: "rows" },
        "How many rows the tables of a Django Sal show at once.";
    NORMALIZE_CHROMEOS = "normalize_chromeos_versions", "Short ChromeOS versions", "true", Kind::Flag,
        "Versions of ChromeOS are counted by their first number.";
    MESSAGES_THRESHOLD = "MessagesPluginThreshold", "Messages: how many machines", "5",
        Kind::Number { least: 0, most: 1_000_000, unit: "machines" },
        "The Messages widget lists what at least so many machines reported.";
    MESSAGES_LEVEL = "MessagesPluginLevel", "Messages: which", "ERROR", Kind::OneOf(&["ERROR", "WARNING", "OTHER", "DEBUG"]),
        "The kind of messages that the Messages widget counts.";
    SEND_DATA = "send_data", "Usage data", "true", Kind::Flag,
        "A Django Sal on this database sends anonymous usage data every day; this server never does.";
    LAST_SENT_DATA = "last_sent_data", "Usage data was sent", "", Kind::Bookkeeping,
        "When a Django Sal last sent usage data, in seconds since 1970.";
    LAST_VERSION_CHECK = "last_version_check_date", "Version was looked up", "", Kind::Bookkeeping,
        "When a Django Sal last asked for the newest version, in seconds since 1970.";
    CURRENT_VERSION = "current_version", "Newest version", "", Kind::Bookkeeping,
        "The newest version of Sal that a Django Sal heard of.";
    NEXT_NOTIFY = "next_notify_date", "Next notice", "", Kind::Bookkeeping,
        "When a Django Sal next tells of a new version, in seconds since 1970 or `never`.";
    LAST_NOTIFIED = "last_notified_version", "Version told of", "", Kind::Bookkeeping,
        "The version that a Django Sal last told of.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_declared_once_explained_and_its_default_is_acceptable() {
        let mut names: Vec<_> = SETTINGS.iter().map(|setting| setting.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SETTINGS.len());
        for setting in SETTINGS {
            assert!(setting.meaning.ends_with('.'), "{}", setting.name);
            if setting.kind != Kind::Bookkeeping {
                assert_eq!(
                    setting.accept(setting.default),
                    Ok(setting.default.to_owned())
                );
            }
        }
    }

    #[test]
    fn q105_a_retention_that_is_no_number_of_days_counts_as_the_default() {
        let days = |stored| HISTORICAL_RETENTION.number(stored);
        for fine in [None, Some(""), Some(" ")] {
            assert_eq!(days(fine).value, 180);
            assert_eq!(days(fine).warning, None);
        }
        assert_eq!(days(Some(" 31 ")).value, 31);
        for bad in [
            "six months",
            "1e3",
            "0",
            "-5",
            "31.5",
            "99999999999999999999",
        ] {
            let read = days(Some(bad));
            assert_eq!(read.value, 180, "{bad}");
            assert!(read.warning.unwrap().contains(bad));
        }
    }

    #[test]
    fn truths_are_read_in_any_case_and_nothing_is_the_default() {
        for (stored, truth) in [
            (None, true),
            (Some(""), true),
            (Some("True"), true),
            (Some("yes"), true),
            (Some("False"), false),
            (Some("no"), false),
            (Some("0"), false),
        ] {
            assert_eq!(SEND_DATA.flag(stored), truth, "{stored:?}");
        }
    }

    #[test]
    fn what_people_write_must_fit() {
        for (setting, bad) in [
            (HISTORICAL_RETENTION, "0"),
            (HISTORICAL_RETENTION, "soon"),
            (SEND_DATA, "perhaps"),
            (CRYPT_URL, "javascript:alert(1)"),
            (CRYPT_URL, "https://"),
            (CRYPT_URL, "https://a b"),
            (MESSAGES_LEVEL, "LOUD"),
            (SSH_ACCOUNT, "a\0b"),
            (CURRENT_VERSION, "9"),
        ] {
            assert!(setting.accept(bad).is_err(), "{} {bad}", setting.name);
        }
        assert_eq!(
            CRYPT_URL.accept(" https://crypt.example/ "),
            Ok("https://crypt.example/".to_owned())
        );
        assert_eq!(HISTORICAL_RETENTION.accept("007"), Ok("7".to_owned()));
    }
}
