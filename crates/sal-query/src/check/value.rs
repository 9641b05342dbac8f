//! How a comparison reads its values: the text of a filter becomes a test of the field's own type.

use jiff::{Timestamp, ToSpan, civil, tz::TimeZone};

use crate::{
    age::Age,
    catalogue::{Column, Meaning},
    condition::Operator,
    expr::{CastName, Compare, Op},
    parse::{FilterError, Place},
    pattern::checked_pattern,
    related::{Cast, Check, Test, is_number, is_version},
};

/// A comparison whose type is known.
pub(super) struct Reading<'a> {
    compare: &'a Compare,
    place: &'a Place,
    meaning: Meaning,
    /// Whether the database has the value as this type, and not as text.
    is_native: bool,
    name: &'a str,
}

/// Each alternative is a list of tests that all hold; one alternative at least must hold.
type Alternatives = Vec<Vec<Test>>;

impl<'a> Reading<'a> {
    pub(super) fn of(
        compare: &'a Compare,
        column: &Column,
        place: &'a Place,
    ) -> Result<Self, FilterError> {
        let is_text = matches!(
            column.meaning,
            Meaning::Text | Meaning::Untyped | Meaning::Version | Meaning::Number | Meaning::Name
        );
        let meaning = match compare.cast {
            Some(cast) if is_text => cast.meaning(),
            Some(_) => {
                let message = format!(
                    "`{}` is {}; take `as` away",
                    compare.field,
                    describe(column.meaning)
                );
                return Err(FilterError::new(place.subject.clone(), message));
            }
            None if column.meaning == Meaning::Untyped => inferred(compare, place)?,
            None => column.meaning,
        };
        Ok(Self {
            compare,
            place,
            meaning,
            is_native: !is_text,
            name: &compare.field,
        })
    }

    /// The tests; one alternative at least.
    pub(super) fn tests(&self, zone: &TimeZone) -> Result<Alternatives, FilterError> {
        let values: Vec<&str> = match (&self.compare.value, &self.compare.values) {
            (Some(value), _) => vec![value],
            (None, Some(values)) => values.iter().map(String::as_str).collect(),
            (None, None) => Vec::new(),
        };
        if let Some(nul) = values.iter().find(|value| value.contains('\0')) {
            return Err(super::nul(nul, self.place));
        }
        let op = self.compare.op;
        if op == Op::Empty {
            let cast = if self.is_native {
                Cast::Whole
            } else {
                Cast::Text
            };
            return Ok(vec![vec![Test::trusted(cast, Check::Empty)]]);
        }
        if op == Op::In && matches!(self.meaning, Meaning::Text | Meaning::Name) {
            let values = values.into_iter().map(str::to_owned).collect();
            let check = if self.meaning == Meaning::Name {
                Check::OneOf(values)
            } else {
                Check::SameAsOne(values)
            };
            return Ok(vec![vec![Test::trusted(Cast::Text, check)]]);
        }
        let op = if op == Op::In { Op::Equal } else { op };
        let mut alternatives = Vec::new();
        for value in values {
            alternatives.extend(self.of_value(op, value, zone)?);
        }
        Ok(alternatives)
    }

    /// Spaces around a text are part of it, around a value of another type they are not.
    fn of_value(&self, op: Op, text: &str, zone: &TimeZone) -> Result<Alternatives, FilterError> {
        let value = text.trim();
        match self.meaning {
            Meaning::Text | Meaning::Name | Meaning::Untyped => one(self.text(op, text)?),
            Meaning::Version if is_about_text(op) => one(self.text(op, text)?),
            Meaning::Version => self.version(op, value),
            Meaning::Number => one(self.number(op, value)?),
            Meaning::Whole => one(self.whole(op, value)?),
            Meaning::Bytes => one(self.size(op, value, 1)?),
            Meaning::Kibibytes => one(self.size(op, value, 1024)?),
            Meaning::Flag => one(self.flag(op, value)?),
            Meaning::Time => self.time(op, value, zone),
        }
    }

    fn text(&self, op: Op, value: &str) -> Result<Test, FilterError> {
        let compare = |operator| Check::Compare(operator, value.to_owned());
        let check = match op {
            Op::Equal if self.meaning == Meaning::Name => compare(Operator::Equal),
            Op::Equal => compare(Operator::Same),
            Op::Exactly => compare(Operator::Equal),
            Op::Contains => compare(Operator::Contains),
            Op::StartsWith => compare(Operator::Begins),
            // Text has an order only for whoever asks for it: `name as text < "M"`.
            Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual
                if self.compare.cast == Some(CastName::Text) =>
            {
                compare(self.order(op, "")?)
            }
            Op::Matches => {
                let pattern = checked_pattern(value)
                    .map_err(|message| FilterError::new(self.place.value.clone(), message))?;
                Check::Matches(pattern)
            }
            _ => return Err(self.unfit("=, !=, ==, ~, !~, starts with, matches, in, not in")),
        };
        Ok(Test::trusted(Cast::Text, check))
    }

    fn version(&self, op: Op, value: &str) -> Result<Alternatives, FilterError> {
        let same = |text: &str| {
            vec![Test::trusted(
                Cast::Text,
                Check::Compare(Operator::Same, text.to_owned()),
            )]
        };
        if op == Op::Equal
            && let Some(beginning) = value
                .strip_suffix(".*")
                .or_else(|| value.strip_suffix(".x"))
        {
            let longer = Check::Compare(Operator::Begins, format!("{beginning}."));
            return Ok(vec![
                same(beginning),
                vec![Test::trusted(Cast::Text, longer)],
            ]);
        }
        if op == Op::Equal && !is_version(value) {
            return Ok(vec![same(value)]);
        }
        let operator = self.order(op, "=, !=, <, <=, >, >=, ~, starts with, in")?;
        if !is_version(value) {
            return Err(self.bad_value(
                value,
                "a version: numbers with dots between them, such as 15.1",
            ));
        }
        one(Test::trusted(
            Cast::Version,
            Check::Compare(operator, value.to_owned()),
        ))
    }

    fn number(&self, op: Op, value: &str) -> Result<Test, FilterError> {
        let operator = self.order(op, "=, !=, <, <=, >, >=, in")?;
        let number = match (self.compare.cast, size(value)) {
            (Some(CastName::Size), Some(bytes)) => bytes.to_string(),
            _ if is_number(value) => value.to_owned(),
            _ => return Err(self.bad_value(value, "a number, such as 89.5")),
        };
        Ok(Test::trusted(
            Cast::Number,
            Check::Compare(operator, number),
        ))
    }

    fn whole(&self, op: Op, value: &str) -> Result<Test, FilterError> {
        let operator = self.order(op, "=, !=, <, <=, >, >=, in")?;
        let number: i64 = value
            .parse()
            .map_err(|_no_number| self.bad_value(value, "a whole number"))?;
        Ok(Test::trusted(Cast::Whole, Check::Is(operator, number)))
    }

    /// A size, compared with a column that counts in units of `unit` bytes.
    fn size(&self, op: Op, value: &str, unit: i128) -> Result<Test, FilterError> {
        let operator = self.order(op, "=, !=, <, <=, >, >=, in")?;
        let bytes = if unit > 1 {
            // A bare number is what the column holds; memory is sold in powers of two, whatever the unit is called.
            match value.parse::<i64>() {
                Ok(plain) => Some(i128::from(plain) * unit),
                Err(_has_unit) => binary_size(value),
            }
        } else {
            size(value)
        };
        let Some(bytes) = bytes else {
            return Err(self.bad_value(value, "a size, such as 10GB or 512MiB"));
        };
        let rounds_up = matches!(operator, Operator::Less | Operator::GreaterOrEqual);
        let whole = bytes.div_euclid(unit);
        let number = whole + i128::from(rounds_up && bytes.rem_euclid(unit) != 0);
        let number = i64::try_from(number)
            .map_err(|_too_large| self.bad_value(value, "a size below 8 EB"))?;
        Ok(Test::trusted(Cast::Whole, Check::Is(operator, number)))
    }

    fn flag(&self, op: Op, value: &str) -> Result<Test, FilterError> {
        if op != Op::Equal {
            return Err(self.unfit("=, !="));
        }
        let is = match value.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" | "on" => true,
            "false" | "no" | "0" | "off" => false,
            _ => return Err(self.bad_value(value, "yes or no")),
        };
        let cast = if self.is_native {
            Cast::Flag
        } else {
            Cast::Boolean
        };
        Ok(Test::trusted(
            cast,
            Check::Compare(Operator::Equal, is.to_string()),
        ))
    }

    fn time(&self, op: Op, value: &str, zone: &TimeZone) -> Result<Alternatives, FilterError> {
        let cast = if self.is_native {
            Cast::Moment
        } else {
            Cast::Date
        };
        let test = |check| Test::trusted(cast.clone(), check);
        if matches!(op, Op::Within | Op::OlderThan) {
            let age = Age::parse(value).map_err(|_no_age| {
                self.bad_value(value, "a length of time, such as 14d, 24h or 15m")
            })?;
            return one(test(if op == Op::Within {
                Check::Within(age)
            } else {
                Check::OlderThan(age)
            }));
        }
        let operator = self.order(op, "within, older than, =, !=, <, <=, >, >=")?;
        if Age::parse(value).is_ok() {
            let message = format!(
                "`{value}` is a length of time: write `{} within {value}` or `{} older than {value}`",
                self.name, self.name
            );
            return Err(FilterError::new(
                self.place.operator.start..self.place.value.end,
                message,
            ));
        }
        let Some((begin, end)) = moment(value, zone) else {
            return Err(self.bad_value(value, "a date, such as 2026-11-30 or \"2026-11-30 14:00\""));
        };
        let at = |operator, moment| test(Check::At(operator, moment));
        // A day is all of its moments.
        one_of(match operator {
            Operator::Less => vec![at(Operator::Less, begin)],
            Operator::GreaterOrEqual => vec![at(Operator::GreaterOrEqual, begin)],
            Operator::LessOrEqual if end > begin => vec![at(Operator::Less, end)],
            Operator::Greater if end > begin => vec![at(Operator::GreaterOrEqual, end)],
            Operator::Equal if end > begin => {
                vec![at(Operator::GreaterOrEqual, begin), at(Operator::Less, end)]
            }
            other => vec![at(other, begin)],
        })
    }

    fn order(&self, op: Op, fitting: &str) -> Result<Operator, FilterError> {
        match op {
            Op::Equal => Ok(Operator::Equal),
            Op::Less => Ok(Operator::Less),
            Op::LessOrEqual => Ok(Operator::LessOrEqual),
            Op::Greater => Ok(Operator::Greater),
            Op::GreaterOrEqual => Ok(Operator::GreaterOrEqual),
            _ => Err(self.unfit(fitting)),
        }
    }

    fn unfit(&self, fitting: &str) -> FilterError {
        let message = format!(
            "`{}` is {}: it is compared by {fitting}, is empty or is set, not by `{}`",
            self.name,
            describe(self.meaning),
            self.compare.op.text()
        );
        FilterError::new(self.place.operator.clone(), message)
    }

    fn bad_value(&self, value: &str, wanted: &str) -> FilterError {
        let short: String = value.chars().take(60).collect();
        let message = format!(
            "`{}` is {}; `{short}` is not {wanted}",
            self.name,
            describe(self.meaning)
        );
        FilterError::new(self.place.value.clone(), message)
    }
}

/// Operators that take a version as the text that it is.
fn is_about_text(op: Op) -> bool {
    matches!(
        op,
        Op::Exactly | Op::Contains | Op::StartsWith | Op::Matches
    )
}

fn one(test: Test) -> Result<Alternatives, FilterError> {
    one_of(vec![test])
}

fn one_of(tests: Vec<Test>) -> Result<Alternatives, FilterError> {
    Ok(vec![tests])
}

/// What a value without a type of its own is read as: by the operator, and by what it is compared with.
fn inferred(compare: &Compare, place: &Place) -> Result<Meaning, FilterError> {
    let value = compare.value.as_deref().unwrap_or_default().trim();
    match compare.op {
        Op::Within | Op::OlderThan => Ok(Meaning::Time),
        Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual => {
            if is_number(value) {
                Ok(Meaning::Number)
            } else if is_version(value) {
                Ok(Meaning::Version)
            } else if moment(value, &TimeZone::UTC).is_some() {
                Ok(Meaning::Time)
            } else {
                Err(FilterError::new(
                    place.value.clone(),
                    format!(
                        "`{value}` is text, and text has no order here: compare with a number, a version or a date"
                    ),
                ))
            }
        }
        _ => Ok(Meaning::Text),
    }
}

/// The first moment of the year 1.
const FIRST_YEAR: Timestamp = Timestamp::constant(-62_135_596_800, 0);

/// The first moment of a date and the first after it; the same one twice for a date with a time.
fn moment(text: &str, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let in_zone = |at: civil::DateTime| Some(at.to_zoned(zone.clone()).ok()?.timestamp());
    // Postgres's calendar begins in 4713 BC, ours goes on.
    if let Ok(at) = text.parse::<Timestamp>() {
        return (at >= FIRST_YEAR).then_some((at, at));
    }
    if text.len() > 10
        && let Ok(at) = text.parse::<civil::DateTime>()
    {
        let at = in_zone(at).filter(|at| *at >= FIRST_YEAR)?;
        return Some((at, at));
    }
    let day: civil::Date = text.parse().ok()?;
    if !(1900..=2900).contains(&day.year()) {
        return None;
    }
    let next = day.checked_add(1.day()).ok()?;
    Some((in_zone(day.at(0, 0, 0, 0))?, in_zone(next.at(0, 0, 0, 0))?))
}

/// `10GB` is ten times a thousand million bytes, `10GiB` ten times 2 to the 30th; a bare number is bytes.
fn size(text: &str) -> Option<i128> {
    read_size(text, 1000)
}

/// As [`size`], with every unit a power of two.
fn binary_size(text: &str) -> Option<i128> {
    read_size(text, 1024)
}

fn read_size(text: &str, base: i128) -> Option<i128> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..)?.to_ascii_uppercase();
    let digits = digits.trim_end();
    let (base, letter) = match unit.strip_suffix("IB") {
        Some(letter) => (1024, letter),
        None => (base, unit.strip_suffix('B').unwrap_or(&unit)),
    };
    let power = ["", "K", "M", "G", "T", "P"]
        .iter()
        .position(|known| *known == letter)?;
    let factor = (0..power).fold(1_i128, |factor, _| factor * base);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.len() > 15 || part.len() > 9 || digits.starts_with('-') {
        return None;
    }
    let whole: i128 = whole.parse().ok()?;
    let scale = (0..part.len()).fold(1_i128, |scale, _| scale * 10);
    let part: i128 = if part.is_empty() {
        0
    } else {
        part.parse().ok()?
    };
    Some(whole * factor + part * factor / scale)
}

fn describe(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::Text | Meaning::Untyped => "text",
        Meaning::Name => "a name",
        Meaning::Whole => "a whole number",
        Meaning::Number => "a number",
        Meaning::Version => "a version",
        Meaning::Time => "a date",
        Meaning::Flag => "yes or no",
        Meaning::Bytes | Meaning::Kibibytes => "a size",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_and_without_units() {
        for (text, bytes) in [
            ("10GB", 10_000_000_000),
            ("10 gb", 10_000_000_000),
            ("0.5GiB", 536_870_912),
            ("1024", 1024),
            ("1.5K", 1500),
            ("2TB", 2_000_000_000_000),
        ] {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        assert_eq!(binary_size("16GB"), Some(17_179_869_184));
        for text in [
            "",
            "GB",
            "-1GB",
            "1.2.3GB",
            "10 apples",
            "1e9",
            "9999999999999999",
        ] {
            assert_eq!(size(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_has_a_begin_and_an_end_in_its_zone() {
        let zone = TimeZone::get("America/New_York").unwrap();
        let (begin, end) = moment("2026-11-01", &zone).unwrap();
        assert_eq!(begin.to_string(), "2026-11-01T04:00:00Z");
        // The day on which the clocks go back has 25 hours.
        assert_eq!(end.to_string(), "2026-11-02T05:00:00Z");
        let (at, same) = moment("2026-11-01 12:30", &TimeZone::UTC).unwrap();
        assert_eq!(
            (at.to_string().as_str(), at == same),
            ("2026-11-01T12:30:00Z", true)
        );
        for text in [
            "",
            "yesterday",
            "2026-13-01",
            "01.11.2026",
            "99999-01-01",
            "-009999-01-02T01:59:59Z",
        ] {
            assert_eq!(moment(text, &TimeZone::UTC), None, "{text}");
        }
    }
}
