//! What is declared of a variable, once: readers, the reference page and the settings page all take it from here.

/// One variable.
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: &'static str,
    /// What its value looks like, and what counts when it is not set.
    pub(crate) shape: Shape,
    /// One sentence.
    pub(crate) meaning: &'static str,
    /// Since which version of this server, or `Sal` for a name of the original.
    pub(crate) since: &'static str,
}

/// What a value looks like, with what counts when it is not set.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// Any text; empty for no default. What else it has to be is checked by whoever reads it.
    Text(&'static str),
    /// Any text, which must never be shown. Has no default.
    Secret,
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Number(Number),
    /// Seconds, with a fraction if need be; 0 stands for no limit.
    Seconds(u32),
    /// One of these words; the first is the default.
    Word(&'static [&'static str]),
}

/// A whole number from `least` to `most`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) default: Option<u64>,
    pub(crate) least: u64,
    pub(crate) most: u64,
}

impl Shape {
    /// What counts when nothing is set, as it would be written; empty for nothing.
    pub(crate) fn default_text(self) -> String {
        match self {
            Self::Text(text) => text.to_owned(),
            Self::Secret => String::new(),
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.default.map(|n| n.to_string()).unwrap_or_default(),
            Self::Seconds(seconds) => seconds.to_string(),
            Self::Word(words) => words.first().copied().unwrap_or_default().to_owned(),
        }
    }

    /// What may be written, for people.
    pub(crate) fn values(self) -> String {
        match self {
            Self::Text(_) => "text".to_owned(),
            Self::Secret => "secret".to_owned(),
            Self::Flag(_) => "true or false".to_owned(),
            Self::Number(Number { least, most, .. }) if most >= ANY => {
                format!("a whole number from {least}")
            }
            Self::Number(Number { least, most, .. }) => format!("{least} to {most}"),
            Self::Seconds(_) => "seconds".to_owned(),
            Self::Word(words) => words.join(", "),
        }
    }
}

/// What a number without a limit of its own may be at most: more is a typing error.
pub(super) const ANY: u64 = 4_294_967_295;

pub(super) const KIB: u64 = 1024;
pub(super) const MIB: u64 = 1024 * KIB;
pub(super) const GIB: u64 = 1024 * MIB;

/// Text with a default; empty for none.
pub(super) const fn text(
    name: &'static str,
    default: &'static str,
    since: &'static str,
    meaning: &'static str,
) -> Variable {
    declare(name, Shape::Text(default), since, meaning)
}

/// Text that must never be shown.
pub(super) const fn secret(
    name: &'static str,
    since: &'static str,
    meaning: &'static str,
) -> Variable {
    declare(name, Shape::Secret, since, meaning)
}

/// Yes or no.
pub(super) const fn flag(
    name: &'static str,
    default: bool,
    since: &'static str,
    meaning: &'static str,
) -> Variable {
    declare(name, Shape::Flag(default), since, meaning)
}

/// A whole number between two others.
pub(super) const fn number(
    name: &'static str,
    default: u64,
    (least, most): (u64, u64),
    since: &'static str,
    meaning: &'static str,
) -> Variable {
    let number = Number {
        default: Some(default),
        least,
        most,
    };
    declare(name, Shape::Number(number), since, meaning)
}

/// A port, which has a default elsewhere or none.
pub(super) const fn port(
    name: &'static str,
    default: Option<u64>,
    since: &'static str,
    meaning: &'static str,
) -> Variable {
    let number = Number {
        default,
        least: 1,
        most: 65_535,
    };
    declare(name, Shape::Number(number), since, meaning)
}

/// Seconds; 0 for no limit.
pub(super) const fn seconds(
    name: &'static str,
    default: u32,
    since: &'static str,
    meaning: &'static str,
) -> Variable {
    declare(name, Shape::Seconds(default), since, meaning)
}

/// One of some words, the first by default.
pub(super) const fn word(
    name: &'static str,
    words: &'static [&'static str],
    since: &'static str,
    meaning: &'static str,
) -> Variable {
    declare(name, Shape::Word(words), since, meaning)
}

const fn declare(
    name: &'static str,
    shape: Shape,
    since: &'static str,
    meaning: &'static str,
) -> Variable {
    Variable {
        name,
        shape,
        meaning,
        since,
    }
}
