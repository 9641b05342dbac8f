//! The table of environment variables, and the only place that reads the environment.
//!
//! Sal's Docker names keep their meaning; ours begin with `SAL_`. Each variable is declared once (`env/declaration.rs`
//! says how): whoever reads it takes default and bounds from there, as the reference page does. A value that cannot be
//! understood is a mistake, never a silent default.

mod access;
mod database;
mod declaration;
pub(crate) mod former;
mod limits;
mod nearness;
mod pages;
mod secret_files;
mod server;
mod signs;
mod single_sign_on;
mod strangers;
mod written;

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sal_http::app::Setting;

pub(crate) use self::declaration::Variable;
use self::declaration::{Number, Shape};
pub(crate) use self::signs::Signs;
use self::written::{Written, found_names};

/// The values that are set, and what is wrong with them.
pub(crate) struct Environment {
    values: BTreeMap<String, String>,
    problems: Vec<String>,
    warnings: Vec<String>,
}

impl Environment {
    /// Reads the process's environment.
    pub(crate) fn read() -> Self {
        let mut environment = Self::empty();
        let names: Vec<_> = variables().map(|variable| variable.name).collect();
        for (name, found) in found_names(&names) {
            environment.take(name, found);
        }
        let all = written::all();
        environment.take_secret_files(&all);
        let set = all
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        for line in strangers::told(set) {
            environment.warn(line);
        }
        for problem in written::quoted_for_the_sdk() {
            environment.problem(problem);
        }
        environment
    }

    fn empty() -> Self {
        Self {
            values: BTreeMap::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// From given values, for tests.
    #[cfg(test)]
    pub(crate) fn of(values: impl IntoIterator<Item = (&'static str, impl Into<String>)>) -> Self {
        let mut environment = Self::empty();
        for (name, value) in values {
            environment.take(name, Written::Text(value.into()));
        }
        environment
    }

    /// Takes a value as it was found. Quotes that an env file left around it are no part of it.
    fn take(&mut self, name: &'static str, found: Written) {
        let Written::Text(value) = found else {
            self.problem(format!(
                "{name} holds bytes that are not UTF-8; write it in UTF-8"
            ));
            return;
        };
        let is_secret = matches!(shape(name), Shape::Secret);
        let value = match written::unquoted(&value) {
            Some(_) if is_secret => {
                self.warn(format!(
                    "{name} begins and ends with quotes, which are taken for a part of it; `docker --env-file` and Compose's env files of old keep quotes: where they are none of it, take them off"
                ));
                value
            }
            Some(inner) => {
                self.warn(format!(
                    "{name} stands in quotes, which were taken off; `docker --env-file` keeps them: write {name}={inner}"
                ));
                inner
            }
            None => value,
        };
        self.values.insert(name.to_owned(), value);
    }

    /// Takes each secret that is not set itself from the file that `NAME_FILE` names, as Docker and Kubernetes mount them.
    fn take_secret_files(&mut self, all: &BTreeMap<String, String>) {
        let secrets = variables().filter(|variable| matches!(variable.shape, Shape::Secret));
        for name in secrets.map(|variable| variable.name) {
            let of_file = format!("{name}_FILE");
            let Some(path) = all.get(&of_file).filter(|path| !path.trim().is_empty()) else {
                continue;
            };
            let path = written::unquoted(path).unwrap_or_else(|| path.trim().to_owned());
            if self.secret(name).is_some() {
                self.problem(format!(
                    "{name} and {of_file} are both set; take one of them away"
                ));
                continue;
            }
            let secret = secret_files::read(Path::new(&path)).unwrap_or_else(|why| {
                self.problem(format!("{of_file}={path}: {why}"));
                // The program ends; nothing is to be told of the secret beside this.
                secret_files::UNREAD.to_owned()
            });
            self.values.insert(name.to_owned(), secret);
        }
    }

    /// What is set, if anything is; empty counts as not set.
    pub(crate) fn given(&self, name: &str) -> Option<String> {
        debug_assert!(
            variables().any(|variable| variable.name == name),
            "{name} is not in the table"
        );
        self.values
            .get(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    }

    /// The text of a variable: what is set, else what is declared; `None` when that is nothing.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let declared = || Some(shape(name).default_text()).filter(|text| !text.is_empty());
        self.given(name).or_else(declared)
    }

    /// The text as it is, blanks included: passwords may begin or end with one.
    pub(crate) fn secret(&self, name: &str) -> Option<String> {
        debug_assert!(
            matches!(shape(name), Shape::Secret),
            "{name} is no secret in the table"
        );
        self.values
            .get(name)
            .cloned()
            .filter(|value| !value.is_empty())
    }

    /// Whether a variable is there and says nothing.
    pub(crate) fn is_blank(&self, name: &str) -> bool {
        let value = self.values.get(name);
        value.is_some_and(|value| value.trim().is_empty())
    }

    /// Yes or no, in the usual words.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let Shape::Flag(default) = shape(name) else {
            debug_assert!(false, "{name} is no flag in the table");
            return false;
        };
        let Some(text) = self.given(name) else {
            return default;
        };
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => true,
            "false" | "no" | "off" | "0" => false,
            _ => {
                self.problem(format!(
                    "{name}=`{text}` is neither true nor false; write `true` or `false`"
                ));
                default
            }
        }
    }

    /// A whole number within its declared bounds.
    pub(crate) fn number<T: TryFrom<u64> + Default>(&mut self, name: &str) -> T {
        let default = bounds(name).default.unwrap_or_default();
        let read = self.given_number(name).unwrap_or(default);
        let fits = T::try_from(read).or_else(|_too_large| T::try_from(default));
        debug_assert!(fits.is_ok(), "{name} is read into a type that is too small");
        fits.unwrap_or_default()
    }

    /// The number that is set, where one is; a mistake counts as none.
    pub(crate) fn given_number<T: TryFrom<u64>>(&mut self, name: &str) -> Option<T> {
        let Number { least, most, .. } = bounds(name);
        let text = self.given(name)?;
        // DB_PORT has a meaning even so.
        let is_injected = ["tcp://", "udp://", "sctp://"]
            .iter()
            .any(|protocol| text.starts_with(protocol));
        if name != "DB_PORT" && is_injected {
            self.warn(format!(
                "{name}=`{text}` was set by Docker's --link or by Kubernetes for a service of that name, and does not count"
            ));
            return None;
        }
        let within = |number: &u64| (least..=most).contains(number);
        let read = text.parse().ok().filter(within);
        let fits = read.and_then(|number| T::try_from(number).ok());
        if fits.is_none() {
            self.problem(format!(
                "{name}=`{text}` is not a whole number from {least} to {most}"
            ));
        }
        fits
    }

    /// The same for a name of the original that it reads leniently: nonsense counts as nothing set, and is told.
    pub(crate) fn lenient_number<T: TryFrom<u64> + Default>(&mut self, name: &str) -> T {
        let number = bounds(name);
        let default = number.default.unwrap_or_default();
        let fallback = T::try_from(default).unwrap_or_default();
        let Some(text) = self.given(name) else {
            return fallback;
        };
        // Python's `int()` takes a sign and underscores between digits.
        let digits = text.trim_start_matches('+').replace('_', "");
        let within = |value: &u64| (number.least..=number.most).contains(value);
        let read = digits.parse().ok().filter(within);
        read.and_then(|value| T::try_from(value).ok())
            .unwrap_or_else(|| {
                self.warn(format!(
                    "{name}=`{text}` is not a whole number from {} to {}, and {default} counts, as in Sal",
                    number.least, number.most
                ));
                fallback
            })
    }

    /// Seconds, with a fraction if need be; 0 for no limit.
    pub(crate) fn seconds(&mut self, name: &str) -> Duration {
        let Shape::Seconds(default) = shape(name) else {
            debug_assert!(false, "{name} is not in seconds in the table");
            return Duration::ZERO;
        };
        let default = Duration::from_secs(u64::from(default));
        let Some(text) = self.given(name) else {
            return default;
        };
        let read: Option<f64> = text.parse().ok();
        let read = read.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        read.unwrap_or_else(|| {
            self.problem(format!(
                "{name}=`{text}` is not a number of seconds; write 0 for no limit"
            ));
            default
        })
    }

    /// One of the declared words.
    pub(crate) fn word(&mut self, name: &str) -> &'static str {
        let Shape::Word(words) = shape(name) else {
            debug_assert!(false, "{name} has no words in the table");
            return "";
        };
        let default = words.first().copied().unwrap_or_default();
        let Some(text) = self.given(name) else {
            return default;
        };
        let known = words.iter().copied().find(|word| *word == text);
        known.unwrap_or_else(|| {
            self.problem(format!("{name}=`{text}` is none of {}", words.join(", ")));
            default
        })
    }

    /// A value of any type that can be read from text; a mistake counts as none.
    pub(crate) fn parsed<T: FromStr>(&mut self, name: &str, what: &str) -> Option<T> {
        let text = self.text(name)?;
        let read = text.parse().ok();
        if read.is_none() {
            self.problem(format!("{name}=`{text}` is not {what}"));
        }
        read
    }

    /// A list, separated by commas.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',')
            .map(|part| part.trim().to_owned())
            .filter(|part| !part.is_empty())
            .collect()
    }

    /// Every variable that is no secret, as the settings page shows it.
    pub(crate) fn shown(&self) -> Vec<Setting> {
        let may_be_shown = |variable: &&Variable| !matches!(variable.shape, Shape::Secret);
        variables()
            .filter(may_be_shown)
            .map(|variable| {
                let given = self.given(variable.name);
                let is_set = given.is_some();
                let value = given.unwrap_or_else(|| variable.shape.default_text());
                Setting {
                    name: variable.name,
                    value: written::without_passwords(value),
                    is_set,
                    meaning: variable.meaning,
                }
            })
            .collect()
    }

    /// Refuses a URL with a user or a password in it, which would be shown with it.
    pub(crate) fn refuse_user_in_url(&mut self, name: &str) {
        if self.text(name).is_some_and(|url| url.contains('@')) {
            self.problem(format!(
                "{name} holds an `@`; write the address without a user and a password"
            ));
        }
    }

    /// Notes a mistake.
    pub(crate) fn problem(&mut self, text: String) {
        let text = written::without_passwords(text);
        // A value may be asked for in two places.
        if !self.problems.contains(&text) {
            self.problems.push(text);
        }
    }

    /// Notes something that works but should be looked at.
    pub(crate) fn warn(&mut self, text: String) {
        let text = written::without_passwords(text);
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }

    /// The warnings so far.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// All mistakes, and all warnings.
    pub(crate) fn finish(self) -> Result<Vec<String>, Vec<String>> {
        if self.problems.is_empty() {
            Ok(self.warnings)
        } else {
            Err(self.problems)
        }
    }
}

/// Every variable.
pub(crate) fn variables() -> impl Iterator<Item = &'static Variable> {
    database::VARIABLES
        .iter()
        .chain(server::VARIABLES)
        .chain(access::VARIABLES)
        .chain(limits::VARIABLES)
        .chain(pages::VARIABLES)
        .chain(single_sign_on::VARIABLES)
}

/// The declared shape of a variable.
fn shape(name: &str) -> Shape {
    let declared = variables().find(|variable| variable.name == name);
    debug_assert!(declared.is_some(), "{name} is not in the table");
    declared.map_or(Shape::Text(""), |variable| variable.shape)
}

fn bounds(name: &str) -> Number {
    let none = Number {
        default: None,
        least: 0,
        most: u64::MAX,
    };
    match shape(name) {
        Shape::Number(number) => number,
        _ => {
            debug_assert!(false, "{name} is no number in the table");
            none
        }
    }
}

/// What counts where a variable is not set.
pub(crate) fn default_of(name: &str) -> String {
    shape(name).default_text()
}

/// What a number may be.
pub(crate) fn bounds_of(name: &str) -> std::ops::RangeInclusive<u64> {
    let Number { least, most, .. } = bounds(name);
    least..=most
}

#[cfg(test)]
mod tests;
