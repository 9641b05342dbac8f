//! What rows of Sal's searches name: tables, columns and operators.

use super::SalRow;
use crate::expr::Op;

/// What a row names.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Target<'a> {
    /// A column of the machine.
    Machine(&'static SalColumn),
    /// The value of a fact.
    Fact(&'a str),
    /// A value of a plugin script.
    Script { plugin: &'a str, row: &'a str },
    /// An installed application.
    Application(&'static SalColumn),
    /// The version of one application.
    Version { name: &'a str, bundle: &'a str },
    /// A profile.
    Profile(&'static SalColumn),
    /// A payload of a profile.
    Payload(&'static SalColumn),
}

/// A column as Sal's searches know it.
#[derive(Debug, PartialEq)]
pub(super) struct SalColumn {
    /// Its name in rows.
    pub(super) name: &'static str,
    /// Its name in our filters.
    pub(super) ours: &'static str,
    /// The column.
    pub(super) sql: &'static str,
    pub(super) kind: SalKind,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SalKind {
    Text,
    /// Text that is a version.
    Version,
    /// Text that is a number.
    Percent,
    Number,
    /// The id of a row of another table; the original has no `Contains` for it.
    Key,
    Date,
    Flag,
}

macro_rules! columns {
    ($($name:literal $ours:literal $sql:literal $kind:ident,)*) => {
        &[$(SalColumn { name: $name, ours: $ours, sql: $sql, kind: SalKind::$kind },)*]
    };
}

const MACHINE: &[SalColumn] = columns! {
    "serial" "serial" "serial" Text,
    "hostname" "hostname" "hostname" Text,
    "operating_system" "operating_system" "operating_system" Version,
    "memory" "memory" "memory" Text,
    "memory_kb" "memory_kb" "memory_kb" Number,
    "munki_version" "munki_version" "munki_version" Version,
    "manifest" "manifest" "manifest" Text,
    "hd_space" "hd_space" "hd_space" Number,
    "hd_total" "hd_total" "hd_total" Number,
    "hd_percent" "hd_percent" "hd_percent" Percent,
    "console_user" "console_user" "console_user" Text,
    "machine_model" "machine_model" "machine_model" Text,
    "machine_model_friendly" "machine_model_friendly" "machine_model_friendly" Text,
    "cpu_type" "cpu_type" "cpu_type" Text,
    "cpu_speed" "cpu_speed" "cpu_speed" Text,
    "os_family" "os_family" "os_family" Text,
    "last_checkin" "last_checkin" "last_checkin" Date,
    "first_checkin" "first_checkin" "first_checkin" Date,
    "machine_group" "machine_group_id" "machine_group_id" Key,
    "machine_group_id" "machine_group_id" "machine_group_id" Key,
    "sal_version" "sal_version" "sal_version" Version,
    "deployed" "deployed" "deployed" Flag,
    "broken_client" "broken_client" "broken_client" Flag,
    "id" "id" "id" Number,
};

const APPLICATION: &[SalColumn] = columns! {
    "Name" "name" "name" Text,
    "Bundle ID" "bundle_id" "bundleid" Text,
    "Bundle Name" "bundle_name" "bundlename" Text,
};

/// The original offers it and looks for it in the wrong table.
const PATH: SalColumn = SalColumn {
    name: "Path",
    ours: "path",
    sql: "path",
    kind: SalKind::Text,
};

const PROFILE: &[SalColumn] = columns! {
    "description" "description" "description" Text,
    "display_name" "name" "display_name" Text,
    "identifier" "identifier" "identifier" Text,
    "install_date" "installed" "install_date" Date,
    "machine" "machine_id" "machine_id" Key,
    "organization" "organization" "organization" Text,
    "uuid" "uuid" "uuid" Text,
    "verification_state" "verification_state" "verification_state" Text,
};

const PAYLOAD: &[SalColumn] = columns! {
    "identifier" "identifier" "identifier" Text,
    "payload_type" "type" "payload_type" Text,
    "profile" "profile_id" "profile_id" Key,
    "uuid" "uuid" "uuid" Text,
};

/// The operators of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SalOp {
    Contains,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl SalOp {
    pub(super) const ALL: [(&'static str, Self); 7] = [
        ("Contains", Self::Contains),
        ("=", Self::Equal),
        ("!=", Self::NotEqual),
        ("<", Self::Less),
        ("<=", Self::LessOrEqual),
        (">", Self::Greater),
        (">=", Self::GreaterOrEqual),
    ];

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(known, _)| *known == text);
        found
            .map(|(_, op)| *op)
            .ok_or_else(|| format!("there is no operator `{text}`"))
    }

    pub(super) fn ours(self) -> Op {
        match self {
            Self::Contains => Op::Contains,
            Self::Equal => Op::Equal,
            Self::NotEqual => Op::NotEqual,
            Self::Less => Op::Less,
            Self::LessOrEqual => Op::LessOrEqual,
            Self::Greater => Op::Greater,
            Self::GreaterOrEqual => Op::GreaterOrEqual,
        }
    }

    pub(super) fn is_order(self) -> bool {
        matches!(
            self,
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual
        )
    }
}

/// Why a row names nothing.
pub(super) enum Nameless {
    /// And the original answers with an error.
    Fails(String),
    /// And the original reaches into other tables.
    Elsewhere(String),
    /// There is no such column in the original, but here.
    OnlyHere(Target<'static>, String),
}

pub(super) fn target(row: &SalRow) -> Result<Target<'_>, Nameless> {
    let field = row.field.as_str();
    let halves = || {
        let both = field
            .split_once("=>")
            .filter(|(_, rest)| !rest.contains("=>"));
        both.ok_or_else(|| {
            Nameless::Fails(format!("`{field}` is not two names with => between them"))
        })
    };
    let column = |columns: &'static [SalColumn]| {
        let found = columns.iter().find(|column| column.name == field);
        found.ok_or_else(|| {
            let message = format!("{} has no field `{field}`", row.model);
            match field.contains("__") {
                true => Nameless::Elsewhere(message),
                false => Nameless::Fails(message),
            }
        })
    };
    Ok(match row.model.as_str() {
        "Machine" => Target::Machine(column(MACHINE)?),
        "Facter" => Target::Fact(field),
        "External Script" => {
            let (plugin, row) = halves()?;
            Target::Script { plugin, row }
        }
        "Application Inventory" if field == "Path" => {
            let target = Target::Application(&PATH);
            let message = "Sal looks for the path in the wrong table".to_owned();
            return Err(Nameless::OnlyHere(target, message));
        }
        "Application Inventory" => Target::Application(column(APPLICATION)?),
        "Application Version" => {
            let (name, bundle) = halves()?;
            Target::Version { name, bundle }
        }
        "Profile" => Target::Profile(column(PROFILE)?),
        "Profile Payload" => Target::Payload(column(PAYLOAD)?),
        model => {
            return Err(Nameless::Fails(format!(
                "there is no kind of row `{model}`"
            )));
        }
    })
}

/// The kind of row and the field that ask for a column of our rows.
pub(super) fn of_column(rows: &str, ours: &str) -> Option<(&'static str, &'static str)> {
    let (model, columns) = match rows {
        "application" => ("Application Inventory", APPLICATION),
        "profile" => ("Profile", PROFILE),
        "payload" => ("Profile Payload", PAYLOAD),
        _ => return None,
    };
    let found = columns.iter().find(|column| column.ours == ours)?;
    Some((model, found.name))
}
