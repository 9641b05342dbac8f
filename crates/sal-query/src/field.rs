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

macro_rules! fields {
    ($($variant:ident $name:literal $kind:ident $meaning:ident [$($alias:literal)*] $label:literal $doc:literal,)*) => {
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
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it holds.
            #[must_use]
            pub fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }

            /// The column as SQL; see [`crate::sql::MACHINE`] for the table's alias.
            #[must_use]
            pub fn column(self) -> &'static str {
                match self { $(Self::$variant => concat!("machine.", $name),)* }
            }
        }

        /// The columns as the filter language knows them.
        pub(crate) const COLUMNS: &[Column] = &[$(Column {
            name: $name,
            aliases: &[$($alias,)*],
            label: $label,
            about: $doc,
            meaning: Meaning::$meaning,
            sql: concat!("machine.", $name),
        },)*];
    };
}

fields! {
    Serial "serial" Text Text ["serial_number"] "Serial number" "Serial number, upper case for machines that checked in.",
    Hostname "hostname" Text Text ["name" "computer_name"] "Name" "Name the machine calls itself.",
    OperatingSystem "operating_system" Text Version ["os_version" "os"] "OS version" "Version of the operating system.",
    Memory "memory" Text Text ["memory_text"] "Memory (text)" "Memory as the client words it.",
    MemoryKb "memory_kb" Integer Kibibytes ["ram"] "Memory" "Memory in kibibytes; 0 when never reported.",
    MunkiVersion "munki_version" Text Version ["munki"] "Munki version" "Version of Munki.",
    Manifest "manifest" Text Text [] "Manifest" "Munki manifest.",
    HdSpace "hd_space" Integer Bytes ["disk_free" "free_disk"] "Free disk space" "Free disk space in bytes.",
    HdTotal "hd_total" Integer Bytes ["disk_size"] "Disk size" "Disk size in bytes.",
    HdPercent "hd_percent" Text Number ["disk_used"] "Disk used, percent" "Used share of the disk, 0 to 100, as text.",
    ConsoleUser "console_user" Text Text ["user"] "User" "User who was logged in at the last check-in.",
    MachineModel "machine_model" Text Text ["model_identifier"] "Model identifier" "Model identifier.",
    CpuType "cpu_type" Text Text ["cpu" "processor"] "Processor" "Processor.",
    CpuSpeed "cpu_speed" Text Text [] "Processor speed" "Processor speed as the client words it.",
    OsFamily "os_family" Text Text ["system" "platform"] "Platform" "Darwin, Windows, Linux or ChromeOS.",
    LastCheckin "last_checkin" Time Time ["last_seen" "seen"] "Last check-in" "Last check-in; missing before the first.",
    MachineGroup "machine_group_id" Integer Whole ["group_id" "machine_group"] "Machine group ID" "Id of the machine group.",
    FirstCheckin "first_checkin" Time Time ["first_seen" "created"] "First check-in" "When the machine was first seen.",
    SalVersion "sal_version" Text Version ["sal_scripts_version"] "Sal scripts version" "Version of the client's scripts.",
    MachineModelFriendly "machine_model_friendly" Text Text ["model_name"] "Model name" "Model name as sold.",
    Deployed "deployed" Boolean Flag [] "Deployed" "Whether the machine counts as deployed.",
    BrokenClient "broken_client" Boolean Flag ["broken"] "Broken client" "Whether the client reported itself broken.",
}

impl Field {
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
    fn every_field_is_found_by_its_name_and_nothing_else_is() {
        for field in Field::ALL {
            assert_eq!(Field::parse(field.name()), Some(*field));
        }
        for name in ["", "id", "Serial", "serial; DROP TABLE server_machine"] {
            assert_eq!(Field::parse(name), None);
        }
    }
}
