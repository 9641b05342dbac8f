//! Settings as plugins read them: the rows of Sal's table `server_salsetting`, each with a default of the plugin's.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The rows by name.
#[derive(Clone, Debug, Default)]
pub struct Settings(BTreeMap<String, String>);

/// A number that is written down or set.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Number {
    /// Written down.
    Fixed(i64),
    /// Set by an administrator.
    Set(NumberSetting),
}

/// A setting that holds a number.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberSetting {
    /// Name of the setting.
    pub setting: String,
    /// What holds while it is not set, or is no number.
    pub default: i64,
}

/// A setting that holds a text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextSetting {
    /// Name of the setting.
    pub setting: String,
    /// What holds while it is not set.
    pub default: String,
}

impl Settings {
    /// Takes the rows of the table.
    pub fn new(rows: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(rows.into_iter().collect())
    }

    /// The text of a setting; an empty one counts as not set, as in Sal.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(|text| text.trim())
            .filter(|text| !text.is_empty())
    }

    /// Whether a setting is on. Sal reads `true`, `yes`, `false`, `no` in any letter case.
    #[must_use]
    pub fn flag(&self, name: &str, default: bool) -> bool {
        match self.text(name).map(str::to_ascii_lowercase).as_deref() {
            Some("true" | "yes" | "1") => true,
            Some("false" | "no" | "0") => false,
            _ => default,
        }
    }
}

impl Number {
    /// The number that holds.
    #[must_use]
    pub fn value(&self, settings: &Settings) -> i64 {
        match self {
            Self::Fixed(number) => *number,
            Self::Set(NumberSetting { setting, default }) => settings
                .text(setting)
                .and_then(|text| text.parse().ok())
                .unwrap_or(*default),
        }
    }
}

impl TextSetting {
    /// The text that holds.
    #[must_use]
    pub fn value<'a>(&'a self, settings: &'a Settings) -> &'a str {
        settings.text(&self.setting).unwrap_or(&self.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_or_is_nonsense_has_its_default() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let settings = Settings::new([
            pair("n", " 7 "),
            pair("word", "seven"),
            pair("empty", "  "),
            pair("off", "No"),
        ]);
        let number = |setting: &str| {
            Number::Set(NumberSetting {
                setting: setting.to_owned(),
                default: 5,
            })
            .value(&settings)
        };
        assert_eq!(
            [number("n"), number("word"), number("empty"), number("gone")],
            [7, 5, 5, 5]
        );
        assert!(!settings.flag("off", true));
        assert!(settings.flag("word", true));
        assert_eq!(settings.text("empty"), None);
    }
}
