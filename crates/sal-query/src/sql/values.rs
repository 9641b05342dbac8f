//! Texts read as numbers, versions, dates, flags and lists: what cannot be read so is NULL, and so fulfils nothing.
//!
//! Postgres raises an error for a text that is no number or date, and 15 cannot ask beforehand; hence the patterns.

use super::{Parameter, Writer, comparison, escape_like};
use crate::{
    condition::Operator,
    related::{Cast, Check, Test},
};

impl Writer {
    /// All tests on a value, each with ` AND ` in front.
    pub(super) fn tests(&mut self, tests: &[Test], value: &str) -> String {
        tests
            .iter()
            .map(|test| format!(" AND {}", self.test(test, value)))
            .collect()
    }

    pub(super) fn test(&mut self, test: &Test, value: &str) -> String {
        match (test.cast(), test.check()) {
            (Cast::List(separator), check) => {
                let separator = self.parameter(Parameter::Text(separator.clone()));
                self.list(&format!("string_to_array({value}, {separator})"), check)
            }
            (Cast::Number, Check::Compare(operator, text)) => {
                let place = self.parameter(Parameter::Text(text.clone()));
                unequal_too(&number(value), *operator, &format!("{place}::numeric"))
            }
            (Cast::Version, Check::Compare(operator, text)) => {
                let place = self.parameter(Parameter::Text(text.clone()));
                let wanted = version_array(&place);
                unequal_too(&version(value), *operator, &wanted)
            }
            (Cast::Boolean, Check::Compare(operator, text)) => {
                let place = self.parameter(Parameter::Boolean(text == "true"));
                unequal_too(&boolean(value), *operator, &place)
            }
            (Cast::Date, Check::Within(age)) => {
                let border = self.parameter(Parameter::Time(age.before(self.now)));
                format!("({} >= {border})", date(value))
            }
            (Cast::Date, Check::OlderThan(age)) => {
                let border = self.parameter(Parameter::Time(age.before(self.now)));
                format!("({} <= {border})", date(value))
            }
            (Cast::Date, Check::At(operator, moment)) => {
                let place = self.parameter(Parameter::Time(*moment));
                comparison(&date(value), *operator, &place)
            }
            (Cast::Moment | Cast::Whole | Cast::Flag, check) => self.native(value, check),
            (_, check) => self.text(value, check),
        }
    }

    /// A value that has its type in the database.
    fn native(&mut self, value: &str, check: &Check) -> String {
        match check {
            Check::Is(operator, number) => {
                let place = self.parameter(Parameter::Integer(*number));
                comparison(value, *operator, &place)
            }
            Check::At(operator, moment) => {
                let place = self.parameter(Parameter::Time(*moment));
                comparison(value, *operator, &place)
            }
            Check::Within(age) => {
                let border = self.parameter(Parameter::Time(age.before(self.now)));
                format!("({value} >= {border})")
            }
            Check::OlderThan(age) => {
                let border = self.parameter(Parameter::Time(age.before(self.now)));
                format!("({value} <= {border})")
            }
            Check::Compare(operator, flag) => {
                let place = self.parameter(Parameter::Boolean(flag == "true"));
                comparison(value, *operator, &place)
            }
            Check::Empty => format!("({value} IS NULL)"),
            Check::OneOf(_)
            | Check::SameAsOne(_)
            | Check::SubsetOf(_)
            | Check::HasOtherThan(_)
            | Check::Matches(_) => "FALSE".to_owned(),
        }
    }

    fn text(&mut self, value: &str, check: &Check) -> String {
        match check {
            Check::Compare(operator, text) => {
                let text = match operator {
                    Operator::Contains => format!("%{}%", escape_like(text)),
                    Operator::StartsWith | Operator::Begins => {
                        format!("{}%", escape_like(text))
                    }
                    _ => text.clone(),
                };
                let place = self.parameter(Parameter::Text(text));
                unequal_too(value, *operator, &place)
            }
            Check::OneOf(texts) => {
                let place = self.parameter(Parameter::Texts(texts.clone()));
                format!("({value} = ANY({place}))")
            }
            Check::SameAsOne(texts) => {
                let place = self.parameter(Parameter::Texts(texts.clone()));
                format!("(lower({value}) IN (SELECT lower(word) FROM unnest({place}) word))")
            }
            Check::Matches(pattern) => {
                let place = self.parameter(Parameter::Text(pattern.clone()));
                format!("({value} ~ {place})")
            }
            Check::Empty => format!("({value} IS NULL OR {value} = '')"),
            // Constructors let these through for lists and dates only.
            Check::SubsetOf(_)
            | Check::HasOtherThan(_)
            | Check::Within(_)
            | Check::OlderThan(_)
            | Check::Is(..)
            | Check::At(..) => "FALSE".to_owned(),
        }
    }

    fn list(&mut self, list: &str, check: &Check) -> String {
        let texts = |text: &String| vec![text.clone()];
        match check {
            Check::Compare(_, text) => {
                let place = self.parameter(Parameter::Texts(texts(text)));
                format!("({list} && {place})")
            }
            Check::OneOf(texts) => {
                let place = self.parameter(Parameter::Texts(texts.clone()));
                format!("({list} && {place})")
            }
            Check::SubsetOf(texts) => {
                let place = self.parameter(Parameter::Texts(texts.clone()));
                format!("({list} <@ {place})")
            }
            Check::HasOtherThan(texts) => {
                let place = self.parameter(Parameter::Texts(texts.clone()));
                format!("(NOT ({list} <@ {place}))")
            }
            _ => "FALSE".to_owned(),
        }
    }
}

/// A row without a value is not unequal to anything: it is left to [`Check::Empty`].
fn unequal_too(value: &str, operator: Operator, wanted: &str) -> String {
    if operator == Operator::NotEqual {
        return format!("({value} <> {wanted})");
    }
    comparison(value, operator, wanted)
}

fn number(value: &str) -> String {
    format!(
        "(CASE WHEN {value} ~ '^ *-?[0-9]{{1,30}}([.][0-9]{{1,30}})? *$' THEN {value}::numeric END)"
    )
}

fn version(value: &str) -> String {
    let pattern = "'^[0-9]{1,18}(?:[.][0-9]{1,18})*'";
    let found = format!("substring({value} from {pattern})");
    // Most versions have no zero to take away, and a pattern costs more than all the rest.
    format!(
        "(CASE WHEN {value} LIKE '%.0%' THEN {trimmed} ELSE string_to_array({found}, '.')::bigint[] END)",
        trimmed = version_array(&found)
    )
}

/// The numbers of a version. Zeros at the end do not count: 15.0 is 15.
fn version_array(text: &str) -> String {
    format!("string_to_array(regexp_replace({text}, '([.]0+)+$', ''), '.')::bigint[]")
}

fn boolean(value: &str) -> String {
    format!(
        "(CASE WHEN lower({value}) IN ('true', '1', 'yes', 'on') THEN TRUE \
         WHEN lower({value}) IN ('false', '0', 'no', 'off') THEN FALSE END)"
    )
}

/// Zones without a colon and `UTC` are what Munki and Python write. A text without zone is read in the database session.s,
/// which is UTC on RDS.
fn date(value: &str) -> String {
    const PATTERN: &str = "'^(\
        (19|2[0-9])[0-9]{2}-(\
        (0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))\
        |(19(0[48]|[2468][048]|[13579][26])|20([02468][048]|[13579][26]))-02-29)\
        ([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?( ?(Z|UTC|[+-](0[0-9]|1[0-4]):?[0-5][0-9]))?)?$'";
    format!(
        "(CASE WHEN {value} ~ {PATTERN} THEN {value}::timestamptz \
         WHEN {value} ~ '^[0-9]{{9,10}}([.][0-9]{{1,9}})?$' THEN to_timestamp({value}::double precision) END)"
    )
}
