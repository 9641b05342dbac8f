//! The columns of a machine that a filter may name, and their types.
//!
//! Names are those of Sal's table `server_machine`; nothing outside this list can reach SQL as an
//! identifier.

use crate::catalogue::{Column, Meaning};

/// What a field holds, and therefore which operators and values fit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Characters; may be missing.
    Text,
    /// A whole number.
    Integer,
    /// A moment; may be missing.
    Time,
    /// Yes or no.
    Boolean,
}

/// Hands the columns of a machine's own row to another macro, behind what is given: variant, column, Rust type, kind,
/// meaning, other names, label and what it is. The one list of them: rows, files, lists, the filter language and the API
/// are made of it.
#[macro_export]
macro_rules! machine_columns {
    ($then:ident $($given:tt)*) => {
        $then! { $($given)*
            Serial serial (String) Text Text ["serial_number"] "Serial number"
                "Serial number, upper case for machines that checked in.",
            Hostname hostname (Option<String>) Text Text ["name" "computer_name"] "Name"
                "Name the machine calls itself.",
            OperatingSystem operating_system (Option<String>) Text Version ["os_version" "os"] "OS version"
                "Version of the operating system.",
            Memory memory (Option<String>) Text Text ["memory_text"] "Memory (text)"
                "Memory as the client words it.",
            MemoryKb memory_kb (i32) Integer Kibibytes ["ram"] "Memory"
                "Memory in kibibytes; 0 when never reported.",
            MunkiVersion munki_version (Option<String>) Text Version ["munki"] "Munki version"
                "Version of Munki.",
            Manifest manifest (Option<String>) Text Text [] "Manifest"
                "Munki manifest.",
            HdSpace hd_space (Option<i64>) Integer Bytes ["disk_free" "free_disk"] "Free disk space"
                "Free disk space in bytes.",
            HdTotal hd_total (Option<i64>) Integer Bytes ["disk_size"] "Disk size"
                "Disk size in bytes.",
            HdPercent hd_percent (Option<String>) Text Number ["disk_used"] "Disk used"
                "Used share of the disk, 0 to 100, as text.",
            ConsoleUser console_user (Option<String>) Text Text ["user"] "User"
                "User who was logged in at the last check-in.",
            MachineModel machine_model (Option<String>) Text Text ["model_identifier"] "Model identifier"
                "Model identifier.",
            CpuType cpu_type (Option<String>) Text Text ["cpu" "processor"] "Processor"
                "Processor.",
            CpuSpeed cpu_speed (Option<String>) Text Text [] "Processor speed"
                "Processor speed as the client words it.",
            OsFamily os_family (String) Text Text ["system" "platform"] "Platform"
                "Darwin, Windows, Linux or ChromeOS.",
            LastCheckin last_checkin (Option<Timestamp>) Time Time ["last_seen" "seen"] "Last check-in"
                "Last check-in; missing before the first.",
            MachineGroup machine_group_id (GroupId) Integer Whole ["group_id" "machine_group"] "Machine group ID"
                "Id of the machine group.",
            FirstCheckin first_checkin (Option<Timestamp>) Time Time ["first_seen" "created"] "First check-in"
                "When the machine was first seen.",
            SalVersion sal_version (Option<String>) Text Version ["sal_scripts_version"] "Sal scripts version"
                "Version of the client's scripts.",
            MachineModelFriendly machine_model_friendly (Option<String>) Text Text ["model_name"] "Model name"
                "Model name as sold.",
            Deployed deployed (bool) Boolean Flag [] "Deployed"
                "Whether the machine counts as deployed.",
            BrokenClient broken_client (bool) Boolean Flag ["broken"] "Broken client"
                "Whether the client reported itself broken.",
        }
    };
}

/// Hands the names of the columns of a machine's own row to another macro, behind what is given.
#[macro_export]
macro_rules! machine_column_names {
    (@names ($then:ident $($given:tt)*)
        $($variant:ident $name:ident ($type:ty) $kind:ident $meaning:ident [$($alias:literal)*] $label:literal $doc:literal,)*) => {
        $then! { $($given)* $($name,)* }
    };
    ($then:ident $($given:tt)*) => {
        $crate::machine_columns! { machine_column_names @names ($then $($given)*) }
    };
}

macro_rules! fields {
    ($($variant:ident $name:ident ($type:ty) $kind:ident $meaning:ident [$($alias:literal)*] $label:literal $doc:literal,)*) => {
        /// A column of a machine.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Field {
            $(#[doc = $doc] $variant,)*
        }

        impl Field {
            /// Every field, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The field's name, which is its column's.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($name),)* }
            }

            /// Its name on pages.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }

            /// What it holds.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }

            /// What its values are.
            #[must_use]
            pub const fn meaning(self) -> Meaning {
                match self { $(Self::$variant => Meaning::$meaning,)* }
            }

            /// The column as SQL; see [`crate::sql::MACHINE`] for the table's alias.
            #[must_use]
            pub const fn column(self) -> &'static str {
                match self { $(Self::$variant => concat!("machine.", stringify!($name)),)* }
            }
        }

        /// The columns as the filter language knows them.
        pub(crate) const COLUMNS: &[Column] = &[$(Column {
            name: stringify!($name),
            aliases: &[$($alias,)*],
            label: $label,
            about: $doc,
            meaning: Meaning::$meaning,
            sql: concat!("machine.", stringify!($name)),
        },)*];
    };
}

machine_columns!(fields);

/// The order in which Sal's API and its files have them. What Sal does not know comes behind.
pub const SALS_ORDER: [Field; Field::ALL.len()] = [
    Field::SalVersion,
    Field::Deployed,
    Field::BrokenClient,
    Field::LastCheckin,
    Field::FirstCheckin,
    Field::Serial,
    Field::Hostname,
    Field::OperatingSystem,
    Field::Memory,
    Field::MemoryKb,
    Field::HdSpace,
    Field::HdTotal,
    Field::HdPercent,
    Field::ConsoleUser,
    Field::MachineModel,
    Field::MachineModelFriendly,
    Field::CpuType,
    Field::CpuSpeed,
    Field::OsFamily,
    Field::MunkiVersion,
    Field::Manifest,
    Field::MachineGroup,
];

impl Field {
    /// Its name in Sal's API and in Django's models, which have references without `_id`.
    #[must_use]
    pub const fn sals_name(self) -> &'static str {
        match self {
            Self::MachineGroup => "machine_group",
            _ => self.name(),
        }
    }

    /// Finds a field by its column name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sals_order_has_every_field_once() {
        for field in Field::ALL {
            let times = SALS_ORDER.iter().filter(|known| *known == field).count();
            assert_eq!(times, 1, "{field:?}");
        }
    }

    #[test]
    fn every_field_is_found_by_its_name_and_nothing_else_is() {
        for field in Field::ALL {
            assert_eq!(Field::parse(field.name()), Some(*field));
        }
        for name in ["", "id", "Serial", "serial; DROP TABLE server_machine"] {
            assert_eq!(Field::parse(name), None);
        }
    }
}
