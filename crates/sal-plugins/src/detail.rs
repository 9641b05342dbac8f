//! What detail plugins show on the page of one machine: values, links, and what only the program itself can find out.

use sal_query::{Field, Related};
use serde::Deserialize;

/// A panel of a detail plugin.
#[derive(Clone, Debug)]
pub enum Detail {
    /// Names and values.
    Lines(Vec<DetailLine>),
    /// Links that are put together of values.
    Links(Vec<DetailLink>),
    /// Written in Rust.
    Native(Native),
}

/// A name and where its value comes from.
#[derive(Clone, Debug)]
pub struct DetailLine {
    /// The name.
    pub label: String,
    /// Where the value comes from.
    pub value: ValueSource,
    /// How it is written.
    pub format: Format,
    /// Values that are good.
    pub good: Vec<String>,
    /// Values that are bad.
    pub bad: Vec<String>,
}

/// A value of one machine.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueSource {
    /// A column of the machine.
    Field(Field),
    /// A fact or a row of a plugin script.
    Related(Related),
    /// A setting.
    Setting(String),
}

/// How a value is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// As it is.
    #[default]
    Text,
    /// Bytes, with decimal units.
    Size,
    /// Seconds, as a length of time.
    Duration,
}

/// A link.
#[derive(Clone, Debug)]
pub struct DetailLink {
    /// The words.
    pub label: String,
    /// The address, in pieces.
    pub href: Vec<Piece>,
}

/// A piece of an address.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// As it stands.
    Text(String),
    /// A value. Without it there is no link.
    Value {
        /// Where it comes from.
        source: ValueSource,
        /// Only what is before the first comma.
        first: bool,
    },
}

/// What no declaration can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Native {
    /// Asks the Crypt server in the setting `crypt_url` whether it holds the machine's recovery key.
    Crypt,
}

/// Schemes that a link may begin with.
pub(crate) const SCHEMES: [&str; 6] = [
    "ssh://", "vnc://", "rdp://", "https://", "http://", "sftp://",
];
