//! The columns of the list: their names, by what they sort, and what stands in them on a page and in a file.

mod chosen;

use jiff::{Timestamp, tz::TimeZone};
use sal_plugins::OsFamily;
use sal_store::devices::{DeviceRow, Sort};

use crate::{
    export::Cell,
    wording::{self, Moment, filled},
};

pub(crate) use chosen::{Asked, Chosen, MOST_ASKED, SortColumn};

macro_rules! columns {
    ($($variant:ident $key:literal $label:literal $sort:expr,)*) => {
        /// A column.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Column { $($variant,)* }

        impl Column {
            /// Every column, in the order in which they are offered.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in URLs and files.
            pub(crate) fn key(self) -> &'static str {
                match self { $(Self::$variant => $key,)* }
            }

            /// Its head.
            pub(crate) fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }

            /// By what it sorts the list; some do not.
            pub(crate) fn sort(self) -> Option<Sort> {
                match self { $(Self::$variant => $sort,)* }
            }
        }
    };
}

columns! {
    Hostname "hostname" "Machine" Some(Sort::Hostname),
    Serial "serial" "Serial number" Some(Sort::Serial),
    ConsoleUser "console_user" "User" Some(Sort::ConsoleUser),
    Model "model" "Model" Some(Sort::Model),
    MachineModel "machine_model" "Model identifier" Some(Sort::MachineModel),
    OperatingSystem "operating_system" "System" Some(Sort::OperatingSystem),
    Group "group" "Group" Some(Sort::Group),
    Unit "unit" "Business unit" Some(Sort::Unit),
    LastCheckin "last_checkin" "Last check-in" Some(Sort::LastCheckin),
    FirstCheckin "first_checkin" "First check-in" Some(Sort::FirstCheckin),
    MunkiVersion "munki_version" "Munki" Some(Sort::MunkiVersion),
    SalVersion "sal_version" "Sal scripts" Some(Sort::SalVersion),
    Manifest "manifest" "Manifest" Some(Sort::Manifest),
    Memory "memory" "Memory" Some(Sort::Memory),
    DiskUsed "hd_percent" "Disk used" Some(Sort::DiskUsed),
    DiskFree "hd_space" "Free disk" Some(Sort::DiskFree),
    Cpu "cpu_type" "Processor" Some(Sort::Cpu),
    Deployed "deployed" "Deployed" Some(Sort::Deployed),
    Errors "errors" "Errors" Some(Sort::Errors),
    Warnings "warnings" "Warnings" Some(Sort::Warnings),
    Status "status" "Status" None,
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
    /// The columns of somebody who chose none.
    pub(crate) const DEFAULT: [Self; 7] = [
        Self::Hostname,
        Self::ConsoleUser,
        Self::Model,
        Self::OperatingSystem,
        Self::Group,
        Self::LastCheckin,
        Self::Status,
    ];

    pub(crate) fn parse(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|column| column.key() == key)
    }

    /// Reads names between commas. The machine's name is always there and first: it is the link.
    pub(crate) fn parse_list(text: &str) -> Vec<Self> {
        let mut columns = vec![Self::Hostname];
        for column in text.split(',').filter_map(Self::parse) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        if columns.len() == 1 && text != Self::Hostname.key() {
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
            Self::LastCheckin | Self::FirstCheckin | Self::DiskUsed | Self::Errors | Self::Warnings
        )
    }

    /// What stands in the cell of the page.
    pub(crate) fn content(self, row: &DeviceRow, now: Timestamp, zone: &TimeZone) -> Content {
        let moment = |at: Option<Timestamp>| {
            at.map_or(Content::Never, |at| {
                Content::Moment(Moment::new(at, now, zone))
            })
        };
        match self {
            Self::Hostname => Content::Text(name(row)),
            Self::Serial => text(Some(&row.serial)),
            Self::ConsoleUser => text(row.console_user.as_deref()),
            Self::Model => text(model(row)),
            Self::MachineModel => text(row.machine_model.as_deref()),
            Self::OperatingSystem => Content::Text(system(row)),
            Self::Group => Content::Text(row.group.clone()),
            Self::Unit => Content::Text(row.unit.clone()),
            Self::LastCheckin => moment(row.last_checkin),
            Self::FirstCheckin => moment(row.first_checkin),
            Self::MunkiVersion => text(row.munki_version.as_deref()),
            Self::SalVersion => text(row.sal_version.as_deref()),
            Self::Manifest => text(row.manifest.as_deref()),
            Self::Memory => text(row.memory.as_deref()),
            Self::DiskUsed => match filled(row.hd_percent.as_deref()) {
                Some(percent) => Content::Number(format!("{percent} %")),
                None => Content::Nothing,
            },
            Self::DiskFree => row.hd_space.map_or(Content::Nothing, |free| {
                Content::Number(wording::bytes(free))
            }),
            Self::Cpu => text(row.cpu_type.as_deref()),
            Self::Deployed => Content::Text(if row.deployed { "Yes" } else { "No" }.to_owned()),
            Self::Errors => Content::Number(wording::count(row.errors)),
            Self::Warnings => Content::Number(wording::count(row.warnings)),
            Self::Status => match tags(row) {
                tags if tags.is_empty() => Content::Nothing,
                tags => Content::Tags(tags),
            },
        }
    }

    /// What stands in the cell of a file: what the machine reported, not how a page words it.
    pub(crate) fn cell(self, row: &DeviceRow) -> Cell {
        let text =
            |value: Option<&str>| value.map_or(Cell::Empty, |text| Cell::Text(text.to_owned()));
        let time = |at: Option<Timestamp>| at.map_or(Cell::Empty, Cell::Time);
        match self {
            Self::Hostname => text(row.hostname.as_deref()),
            Self::Serial => text(Some(&row.serial)),
            Self::ConsoleUser => text(row.console_user.as_deref()),
            Self::Model => text(model(row)),
            Self::MachineModel => text(row.machine_model.as_deref()),
            Self::OperatingSystem => Cell::Text(system(row)),
            Self::Group => text(Some(&row.group)),
            Self::Unit => text(Some(&row.unit)),
            Self::LastCheckin => time(row.last_checkin),
            Self::FirstCheckin => time(row.first_checkin),
            Self::MunkiVersion => text(row.munki_version.as_deref()),
            Self::SalVersion => text(row.sal_version.as_deref()),
            Self::Manifest => text(row.manifest.as_deref()),
            Self::Memory => text(row.memory.as_deref()),
            Self::DiskUsed => text(row.hd_percent.as_deref()),
            Self::DiskFree => row.hd_space.map_or(Cell::Empty, Cell::Number),
            Self::Cpu => text(row.cpu_type.as_deref()),
            Self::Deployed => Cell::Flag(row.deployed),
            Self::Errors => Cell::Number(row.errors),
            Self::Warnings => Cell::Number(row.warnings),
            Self::Status => {
                let tags: Vec<String> = tags(row).into_iter().map(|tag| tag.text).collect();
                Cell::Text(tags.join(", "))
            }
        }
    }
}

/// The machine's name, else its serial number.
pub(crate) fn name(row: &DeviceRow) -> String {
    filled(row.hostname.as_deref()).unwrap_or_else(|| row.serial.clone())
}

pub(crate) fn text(value: Option<&str>) -> Content {
    filled(value).map_or(Content::Nothing, Content::Text)
}

fn model(row: &DeviceRow) -> Option<&str> {
    row.machine_model_friendly
        .as_deref()
        .filter(|model| !model.is_empty())
        .or(row.machine_model.as_deref())
}

fn system(row: &DeviceRow) -> String {
    let family = OsFamily::title_of(&row.os_family);
    let version = row.operating_system.as_deref().unwrap_or_default();
    format!("{family} {version}").trim_end().to_owned()
}

fn tags(row: &DeviceRow) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut push = |shown: bool, tone, text: String| {
        if shown {
            tags.push(Tag { text, tone });
        }
    };
    push(row.broken_client, "bad", "Broken client".to_owned());
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
    push(!row.deployed, "plain", "Undeployed".to_owned());
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
        assert_eq!(Column::parse_list("hostname"), [Column::Hostname]);
    }

    #[test]
    fn every_way_of_sorting_has_its_column() {
        for sort in Sort::ALL {
            assert!(
                Column::ALL
                    .iter()
                    .any(|column| column.sort() == Some(*sort))
            );
        }
    }
}
