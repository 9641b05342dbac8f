//! The columns of the list: their names, by what they sort, and what stands in them on a page and in a file.

mod chosen;

use jiff::{Timestamp, tz::TimeZone};
use sal_plugins::OsFamily;
use sal_query::{Field, catalogue::Meaning};
use sal_store::{
    FieldValue, MachineRow,
    devices::{DeviceRow, FileRows, Sort},
};

use crate::{
    export::Cell,
    machine::{model, name, system},
    wording::{self, Moment, filled},
};

pub(crate) use chosen::{Asked, Chosen, MOST_ASKED, SortColumn};

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// A column of the machine's own row.
    Field(Field),
    /// As sold, else the identifier.
    Model,
    Group,
    Unit,
    Errors,
    Warnings,
    /// What is the matter with the machine.
    Status,
}

/// What stands in a cell of the page.
pub(crate) enum Content {
    Nothing,
    Never,
    Text(String),
    Number(String),
    Moment(Moment),
    Tags(Vec<Tag>),
}

/// A short mark with a meaning.
pub(crate) struct Tag {
    pub(crate) text: String,
    /// `bad`, `warn` or `plain`.
    pub(crate) tone: &'static str,
}

impl Column {
    /// The machine's name, which every list begins with.
    pub(crate) const NAME: Self = Self::Field(Field::Hostname);

    /// The columns of somebody who chose none.
    pub(crate) const DEFAULT: [Self; 7] = [
        Self::NAME,
        Self::Field(Field::ConsoleUser),
        Self::Model,
        Self::Field(Field::OperatingSystem),
        Self::Group,
        Self::Field(Field::LastCheckin),
        Self::Status,
    ];

    /// Every column. The group stands there by its name.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let fields = Field::ALL.iter().copied();
        fields
            .filter(|field| *field != Field::MachineGroup)
            .map(Self::Field)
            .chain([
                Self::Model,
                Self::Group,
                Self::Unit,
                Self::Errors,
                Self::Warnings,
                Self::Status,
            ])
    }

    /// Its name in URLs and files.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Field(field) => field.name(),
            Self::Model => "model",
            Self::Group => "group",
            Self::Unit => "unit",
            Self::Errors => "errors",
            Self::Warnings => "warnings",
            Self::Status => "status",
        }
    }

    /// Its head.
    pub(crate) fn label(self) -> &'static str {
        match self {
            // What is shown has the name of the system, too.
            Self::Field(Field::OperatingSystem) => "System",
            Self::Field(Field::Memory) => "Memory",
            Self::Field(Field::MemoryKb) => "Memory size",
            Self::Field(field) => field.label(),
            Self::Model => "Model",
            Self::Group => "Machine group",
            Self::Unit => "Business unit",
            Self::Errors => "Errors",
            Self::Warnings => "Warnings",
            Self::Status => "Status",
        }
    }

    /// By what it sorts the list; the status does not.
    pub(crate) fn sort(self) -> Option<Sort> {
        match self {
            Self::Field(field) => Some(Sort::Field(field)),
            Self::Model => Some(Sort::Model),
            Self::Group => Some(Sort::Group),
            Self::Unit => Some(Sort::Unit),
            Self::Errors => Some(Sort::Errors),
            Self::Warnings => Some(Sort::Warnings),
            Self::Status => None,
        }
    }

    pub(crate) fn parse(key: &str) -> Option<Self> {
        Self::all().find(|column| column.key() == key)
    }

    /// Reads names between commas. The machine's name is always there and first: it is the link.
    pub(crate) fn parse_list(text: &str) -> Vec<Self> {
        let mut columns = vec![Self::NAME];
        for column in text.split(',').filter_map(Self::parse) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        if columns.len() == 1 && text != Self::NAME.key() {
            return Self::DEFAULT.to_vec();
        }
        columns
    }

    pub(crate) fn write_list(columns: &[Self]) -> String {
        let keys: Vec<_> = columns.iter().map(|column| column.key()).collect();
        keys.join(",")
    }

    /// Whether sorting by it begins with the newest or the most.
    pub(crate) fn begins_with_the_largest(self) -> bool {
        matches!(
            self,
            Self::Field(Field::LastCheckin | Field::FirstCheckin | Field::HdPercent)
                | Self::Errors
                | Self::Warnings
        )
    }

    /// What stands in the cell of the page.
    pub(crate) fn content(self, row: &DeviceRow, now: Timestamp, zone: &TimeZone) -> Content {
        match self {
            Self::Field(field) => own(field, &row.machine, now, zone),
            Self::Model => model(&row.machine).map_or(Content::Nothing, Content::Text),
            Self::Group => Content::Text(row.group.clone()),
            Self::Unit => Content::Text(row.unit.clone()),
            Self::Errors => Content::Number(wording::count(row.errors)),
            Self::Warnings => Content::Number(wording::count(row.warnings)),
            Self::Status => match tags(row) {
                tags if tags.is_empty() => Content::Nothing,
                tags => Content::Tags(tags),
            },
        }
    }

    /// Adds what [`Self::cell`] looks at to what is read for a file.
    pub(crate) fn read_with(self, rows: FileRows) -> FileRows {
        match self {
            Self::Field(Field::OperatingSystem) => {
                rows.with(&[Field::OsFamily, Field::OperatingSystem])
            }
            Self::Field(field) => rows.with(&[field]),
            Self::Model => rows.with(&[Field::MachineModelFriendly, Field::MachineModel]),
            // Both names are always read.
            Self::Group | Self::Unit => rows,
            Self::Errors | Self::Warnings => rows.with_messages(),
            Self::Status => rows
                .with(&[Field::BrokenClient, Field::Deployed])
                .with_messages(),
        }
    }

    /// What stands in the cell of a file: what the machine reported, not how a page words it.
    pub(crate) fn cell(self, row: &DeviceRow) -> Cell<'_> {
        match self {
            Self::Field(Field::OperatingSystem) => system(&row.machine).into(),
            Self::Field(field) => row.machine.value(field).into(),
            Self::Model => model(&row.machine).into(),
            Self::Group => row.group.as_str().into(),
            Self::Unit => row.unit.as_str().into(),
            Self::Errors => Cell::Number(row.errors),
            Self::Warnings => Cell::Number(row.warnings),
            Self::Status => {
                let tags: Vec<String> = tags(row).into_iter().map(|tag| tag.text).collect();
                tags.join(", ").into()
            }
        }
    }
}

/// What the machine's own row says, worded by what the values mean.
fn own(field: Field, machine: &MachineRow, now: Timestamp, zone: &TimeZone) -> Content {
    match (field, machine.value(field)) {
        (Field::Hostname, _) => Content::Text(name(machine)),
        (Field::OperatingSystem, _) => Content::Text(system(machine)),
        (Field::OsFamily, FieldValue::Text(family)) => text(Some(OsFamily::title_of(family))),
        (Field::LastCheckin | Field::FirstCheckin, FieldValue::Missing) => Content::Never,
        (Field::HdPercent, FieldValue::Text(percent)) => match filled(Some(percent)) {
            Some(percent) => Content::Number(format!("{percent} %")),
            None => Content::Nothing,
        },
        (_, FieldValue::Missing) => Content::Nothing,
        (_, FieldValue::Text(value)) => text(Some(value)),
        (_, FieldValue::Time(at)) => Content::Moment(Moment::new(at, now, zone)),
        (_, FieldValue::Flag(flag)) => Content::Text(if flag { "Yes" } else { "No" }.to_owned()),
        (field, FieldValue::Whole(number)) => match field.meaning() {
            Meaning::Bytes => Content::Number(wording::bytes(number)),
            // Nothing was reported.
            Meaning::Kibibytes if number == 0 => Content::Nothing,
            Meaning::Kibibytes => Content::Number(wording::memory(number)),
            _ => Content::Number(wording::count(number)),
        },
    }
}

pub(crate) fn text(value: Option<&str>) -> Content {
    filled(value).map_or(Content::Nothing, Content::Text)
}

fn tags(row: &DeviceRow) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut push = |shown: bool, tone, text: String| {
        if shown {
            tags.push(Tag { text, tone });
        }
    };
    push(row.machine.broken_client, "bad", "Broken client".to_owned());
    push(
        row.errors > 0,
        "bad",
        wording::count_of(row.errors, "error", "errors"),
    );
    push(
        row.warnings > 0,
        "warn",
        wording::count_of(row.warnings, "warning", "warnings"),
    );
    push(!row.machine.deployed, "plain", "Undeployed".to_owned());
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_columns_begins_with_the_name_and_has_each_once() {
        let list = Column::parse_list("serial,nope,serial,hostname,unit");
        assert_eq!(Column::write_list(&list), "hostname,serial,unit");
        for nonsense in ["", "nope", ",,"] {
            assert_eq!(Column::parse_list(nonsense), Column::DEFAULT);
        }
        assert_eq!(Column::parse_list("hostname"), [Column::NAME]);
    }

    #[test]
    fn every_field_but_the_number_of_the_group_is_a_column_with_a_name_of_its_own() {
        for column in Column::all() {
            assert_eq!(Column::parse(column.key()), Some(column));
        }
        for field in Field::ALL {
            let is_offered = Column::all().any(|column| column == Column::Field(*field));
            assert_eq!(is_offered, *field != Field::MachineGroup, "{field:?}");
        }
    }
}
