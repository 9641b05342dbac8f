//! By what machines are counted: a name as filters have it, whose value a machine has once.

use crate::{
    catalogue::{self, Column, Meaning, RowKind, Subject},
    check::{NothingNamed, check},
    expr::{Compare, Expr, Op},
    parse::{FilterError, parse},
    related::Related,
    sql::{Fragment, value::MachineValue},
};

/// Something of which a machine has one value.
#[derive(Clone, Debug, PartialEq)]
pub enum By {
    /// A column of the machine, or something computed from one.
    Column(&'static Column),
    /// A column of the one row that a machine has elsewhere, such as its group.
    Single(&'static RowKind, &'static Column),
    /// The newest value of a fact or of a plugin's row.
    Value(Related),
}

impl By {
    /// Reads a field, `fact "Source/name"` or `plugin "Plugin/name"`.
    ///
    /// # Errors
    /// Says what is wrong with the name, and what was probably meant.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let parsed = parse(&format!("{text} is set"))?;
        let _checked = check(&parsed, &jiff::tz::TimeZone::UTC, &NothingNamed)?;
        let Expr::Compare(Compare {
            field,
            of,
            op: Op::Set,
            cast: None,
            ..
        }) = parsed.expr
        else {
            return Err(no_value(text));
        };
        match (catalogue::find(&field), of) {
            (Some(Subject::Column(column)), None) => Ok(Self::Column(column)),
            (Some(Subject::Single(kind, column)), None) => Ok(Self::Single(kind, column)),
            (Some(Subject::Rows(kind)), Some(of)) => named(kind, &of).ok_or_else(|| no_value(text)),
            _ => Err(no_value(text)),
        }
    }

    /// The value as text, empty where there is none: an expression over [`crate::sql::MACHINE`], with parameters numbered
    /// from `first`. Moments are days in UTC.
    #[must_use]
    pub fn to_sql(&self, first: usize) -> Fragment {
        let mut fragment = match self {
            Self::Column(column) => plain(text_of(column)),
            Self::Single(kind, column) => plain(format!(
                "(SELECT {} FROM {} WHERE {} = {} LIMIT 1)",
                text_of(column),
                kind.from,
                kind.machine,
                kind.key
            )),
            Self::Value(related) => MachineValue::Related(related.clone()).to_sql(first),
        };
        fragment.text = format!("coalesce({}, '')", fragment.text);
        fragment
    }
}

fn plain(text: String) -> Fragment {
    Fragment {
        text,
        parameters: Vec::new(),
    }
}

fn text_of(column: &Column) -> String {
    match column.meaning {
        Meaning::Time => format!("to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD')", column.sql),
        _ => format!("({})::text", column.sql),
    }
}

fn named(kind: &RowKind, of: &str) -> Option<By> {
    let (before, name) = match of.split_once('/') {
        Some((before, name)) if !before.is_empty() => (Some(before.to_owned()), name),
        _ => (None, of.trim_start_matches('/')),
    };
    let name = name.to_owned();
    match (kind.name, before) {
        ("fact", source) => Some(By::Value(Related::Fact { source, name })),
        ("plugin", Some(plugin)) => Some(By::Value(Related::Row { plugin, name })),
        _ => None,
    }
}

fn no_value(text: &str) -> FilterError {
    let message = format!(
        "`{text}` is nothing that a machine has one value of; write a field such as `os_version` or `group`, \
         `fact \"Source/name\"` or `plugin \"Plugin/name\"`"
    );
    FilterError::new(0..0, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_machine_has_once_can_be_counted_by() {
        for text in [
            "os_version",
            "OS",
            "model_family",
            "group",
            "unit",
            "client",
            "last_checkin",
            "fact \"Munki/ManagedInstallVersion\"",
            "plugin \"Uptime/Days\"",
        ] {
            let by = By::parse(text).unwrap();
            assert!(by.to_sql(2).text.starts_with("coalesce("), "{text}");
        }
        let days = By::parse("last_checkin").unwrap().to_sql(2).text;
        assert_eq!(
            days,
            "coalesce(to_char(machine.last_checkin AT TIME ZONE 'UTC', 'YYYY-MM-DD'), '')"
        );
    }

    #[test]
    fn nothing_else_can() {
        for (text, words) in [
            ("os_versoin", "did you mean `os_version`?"),
            ("item", "one value"),
            ("application \"Firefox\"", "one value"),
            ("plugin \"Uptime\"", "Plugin/row"),
            ("machine", ""),
            ("os_version and serial", ""),
            ("os_version) or (serial", ""),
            ("", ""),
            ("'; DROP TABLE server_machine; --", ""),
        ] {
            let refused = By::parse(text).unwrap_err().to_string();
            assert!(refused.contains(words), "{text}: {refused}");
        }
    }
}
