//! The columns of a list: those that every list knows, and behind them facts and plugin values that somebody asked for.

use percent_encoding::percent_decode_str;
use sal_query::{
    Expr, Field, Related,
    expr::{Compare, Op},
    parse,
    sql::value::MachineValue,
};
use sal_store::devices::{FileRows, SortBy};

use super::Column;

/// The columns of a list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chosen {
    pub(crate) known: Vec<Column>,
    pub(crate) asked: Vec<Asked>,
}

/// A fact or a plugin value as a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    /// As in a filter: `fact "Puppet/role"`.
    pub(crate) text: String,
    /// The head: the name without where it comes from.
    pub(crate) label: String,
    pub(crate) value: MachineValue,
}

/// A column that sorts the list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SortColumn {
    Known(Column),
    Asked(Asked),
}

impl SortColumn {
    /// Reads what [`Self::key`] writes; `None` for what sorts nothing.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match Column::parse(text) {
            Some(column) => column.sort().map(|_| Self::Known(column)),
            None => Asked::parse(text).map(Self::Asked),
        }
    }

    /// Its name in the URL.
    pub(crate) fn key(&self) -> &str {
        match self {
            Self::Known(column) => column.key(),
            Self::Asked(asked) => &asked.text,
        }
    }

    /// By what it sorts.
    pub(crate) fn sort(&self) -> SortBy {
        match self {
            Self::Known(column) => column
                .sort()
                .map_or_else(|| Field::LastCheckin.into(), SortBy::from),
            Self::Asked(asked) => SortBy::Value(asked.value.clone()),
        }
    }

    /// Whether sorting by it begins with the newest or the most.
    pub(crate) fn begins_with_the_largest(&self) -> bool {
        match self {
            Self::Known(column) => column.begins_with_the_largest(),
            Self::Asked(_) => false,
        }
    }
}

impl Asked {
    /// Its name among others: the comma is the border between columns, and the percent sign hides it.
    pub(crate) fn key(&self) -> String {
        self.text.replace('%', "%25").replace(',', "%2C")
    }

    /// Reads `fact "Source/name"` or `plugin "Plugin/name"`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let Expr::Compare(Compare {
            field,
            of: Some(of),
            op: Op::Set,
            cast: None,
            ..
        }) = parse(&format!("has {text}")).ok()?.expr
        else {
            return None;
        };
        if of.contains('\0') {
            return None;
        }
        let (before, name) = match of.split_once('/') {
            Some((before, name)) if !before.is_empty() => (Some(before.to_owned()), name),
            _ => (None, of.trim_start_matches('/')),
        };
        let related = match (field.as_str(), before) {
            ("fact" | "facts", source) => Related::Fact {
                source,
                name: name.to_owned(),
            },
            ("plugin", Some(plugin)) => Related::Row {
                plugin,
                name: name.to_owned(),
            },
            _ => return None,
        };
        Some(Self {
            text: Expr::Compare(Compare::new(&field, Op::Set).of(&of))
                .to_string()
                .trim_start_matches("has ")
                .to_owned(),
            label: name.to_owned(),
            value: MachineValue::Related(related),
        })
    }
}

impl Chosen {
    /// The columns of somebody who chose none.
    pub(crate) fn usual() -> Self {
        Self {
            known: Column::DEFAULT.to_vec(),
            asked: Vec::new(),
        }
    }

    /// Reads names between commas.
    pub(crate) fn parse(text: &str) -> Self {
        let mut asked: Vec<Asked> = Vec::new();
        for part in text.split(',').filter(|part| part.contains('"')) {
            let part = percent_decode_str(part).decode_utf8_lossy();
            if let Some(found) = Asked::parse(&part)
                && !asked.contains(&found)
                && asked.len() < MOST_ASKED
            {
                asked.push(found);
            }
        }
        let mut known: Vec<&str> = text.split(',').filter(|part| !part.contains('"')).collect();
        known.dedup();
        Self {
            known: Column::parse_list(&known.join(",")),
            asked,
        }
    }

    /// Writes them so that [`Self::parse`] reads them.
    pub(crate) fn write(&self) -> String {
        let mut parts = vec![Column::write_list(&self.known)];
        parts.extend(self.asked.iter().map(Asked::key));
        parts.join(",")
    }

    /// What the known columns of a file are made of.
    pub(crate) fn file_rows(&self) -> FileRows {
        let known = self.known.iter();
        known.fold(FileRows::default(), |rows, column| column.read_with(rows))
    }

    pub(crate) fn values(&self) -> Vec<MachineValue> {
        self.asked.iter().map(|asked| asked.value.clone()).collect()
    }
}

/// So many facts and plugin values a list shows.
pub(crate) const MOST_ASKED: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_and_plugin_values_are_columns_behind_the_known_ones() {
        let text = "hostname,serial,fact \"Puppet/ro%2Cle\",plugin \"Uptime/Days\",fact \"x\"";
        let chosen = Chosen::parse(text);
        let labels: Vec<_> = chosen
            .asked
            .iter()
            .map(|asked| asked.label.as_str())
            .collect();
        assert_eq!(labels, ["ro,le", "Days", "x"]);
        assert_eq!(
            chosen.known,
            [Column::Field(Field::Hostname), Column::Field(Field::Serial)]
        );
        assert_eq!(chosen.write(), text);
        assert_eq!(
            Chosen::parse("").write(),
            Column::write_list(&Column::DEFAULT)
        );
    }

    #[test]
    fn what_sorts_is_read_as_it_was_written() {
        for text in [
            "hostname",
            "fact \"Puppet/ro,l%e\"",
            "fact \"-a \\\"b\\\" & c\"",
            "plugin \"Uptime/Days\"",
        ] {
            assert_eq!(SortColumn::parse(text).unwrap().key(), text);
        }
        for text in ["status", "nope", "fact", "fact \"a\" = 1", "plugin \"x\""] {
            assert_eq!(SortColumn::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_fact_and_no_plugin_value_is_no_column() {
        for text in [
            "fact",
            "fact \"\\",
            "plugin \"x\"",
            "application \"x\"",
            "fact \"x\" = 1",
            "fact \"a\0\"",
            "serial",
        ] {
            assert_eq!(Asked::parse(text), None, "{text}");
        }
        let many: Vec<String> = (0..30).map(|n| format!("fact \"{n}\"")).collect();
        assert_eq!(Chosen::parse(&many.join(",")).asked.len(), MOST_ASKED);
    }
}
