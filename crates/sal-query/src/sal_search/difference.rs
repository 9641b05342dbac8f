//! Where our meaning of Sal's searches differs on purpose, and why.

/// Where our meaning of a search differs from Sal's on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Difference {
    /// Several rows about what a machine has many of: the original looks for one fact that fulfils all of them.
    OneRowForAll,
    /// `!=` on what a machine has many of.
    UnequalToAny,
    /// Numbers compared as text.
    NumberAsText,
    /// Versions compared as text.
    VersionAsText,
    /// Dates compared as text.
    DateAsText,
    /// A date without a time, compared as its first moment.
    DayAsMidnight,
    /// `!=` in front of other rows or groups.
    NegatesTheRest,
    /// A field that the original takes and that is none.
    NoSuchField,
    /// `Contains` on the digits of a number or the text of a date.
    ContainsDigits,
}

impl Difference {
    /// Every difference.
    pub const ALL: [Self; 9] = [
        Self::OneRowForAll,
        Self::UnequalToAny,
        Self::NumberAsText,
        Self::VersionAsText,
        Self::DateAsText,
        Self::DayAsMidnight,
        Self::NegatesTheRest,
        Self::NoSuchField,
        Self::ContainsDigits,
    ];

    /// Its number in docs/compat/quirks.md.
    #[must_use]
    pub fn quirk(self) -> &'static str {
        match self {
            Self::OneRowForAll => "Q-160",
            Self::UnequalToAny => "Q-161",
            Self::NumberAsText => "Q-162",
            Self::VersionAsText => "Q-163",
            Self::DateAsText => "Q-164",
            Self::DayAsMidnight => "Q-165",
            Self::NegatesTheRest => "Q-166",
            Self::NoSuchField => "Q-168",
            Self::ContainsDigits => "Q-169",
        }
    }

    /// What the original does and what this server does.
    #[must_use]
    pub fn why(self) -> &'static str {
        match self {
            Self::OneRowForAll => {
                "Sal looks for one fact, script row, application or profile that fulfils all rows about them; here each row is a question of its own"
            }
            Self::UnequalToAny => {
                "Sal's != also leaves out machines that have the value under another name; here only those that have it under this one"
            }
            Self::NumberAsText => "Sal compares numbers as text, where 10 is less than 9",
            Self::VersionAsText => "Sal compares versions as text, where 15.10 is less than 15.9",
            Self::DateAsText => "Sal compares these dates as text",
            Self::DayAsMidnight => {
                "Sal takes a date for its first moment; here it is the whole day"
            }
            Self::NegatesTheRest => {
                "Sal's != in the first row of a search or group denies the rows and groups after it too; here it denies its own"
            }
            Self::NoSuchField => "Sal lets a row reach into other tables; here only fields count",
            Self::ContainsDigits => {
                "Sal looks for the term in the digits of a number or date; here numbers are compared"
            }
        }
    }
}
