//! The rows that belong to machines, and their columns.

use super::{Column, GROUP_OF_MACHINE, Meaning, Of, Parent, RowKind};

const SOURCE: Column = Column {
    name: "source",
    aliases: &["management_source"],
    label: "Source",
    about: "The management source that reported it, such as Munki.",
    meaning: Meaning::Text,
    sql: "(SELECT source.name FROM server_managementsource source WHERE source.id = related.management_source_id)",
};

macro_rules! column {
    ($name:literal [$($alias:literal)*] $label:literal $meaning:ident $sql:literal $about:literal) => {
        Column {
            name: $name,
            aliases: &[$($alias,)*],
            label: $label,
            about: $about,
            meaning: Meaning::$meaning,
            sql: $sql,
        }
    };
}

pub(super) const GROUP: RowKind = RowKind {
    name: "group",
    aliases: &[],
    label: "Machine group",
    of: Of::Nothing,
    value: "name",
    columns: &[
        column!("name" [] "Name" Text "related.name" "Name of the machine group."),
        column!("id" [] "ID" Whole "related.id" "Number of the machine group."),
    ],
    from: "server_machinegroup related",
    machine: "related.id",
    key: GROUP_OF_MACHINE,
    always: "TRUE",
    parent: None,
    waiting: false,
};

pub(super) const UNIT: RowKind = RowKind {
    name: "unit",
    aliases: &["business_unit"],
    label: "Business unit",
    of: Of::Nothing,
    value: "name",
    columns: &[
        column!("name" [] "Name" Text "related.name" "Name of the business unit."),
        column!("id" [] "ID" Whole "related.id" "Number of the business unit."),
    ],
    from: "server_businessunit related JOIN server_machinegroup own ON own.business_unit_id = related.id",
    machine: "own.id",
    key: GROUP_OF_MACHINE,
    always: "TRUE",
    parent: None,
    waiting: false,
};

pub(super) const CHECKIN: RowKind = RowKind {
    name: "checkin",
    aliases: &[],
    label: "Last check-in",
    of: Of::Nothing,
    value: "client",
    columns: &[
        column!("client" ["client_version"] "Client" Text "related.client" "What the client calls itself, with its version."),
        column!("address" ["ip"] "Address" Text "related.address" "The address that the last check-in came from."),
        column!("size" [] "Size" Bytes "related.body_bytes" "Size of the last check-in."),
        column!("milliseconds" [] "Milliseconds" Whole "related.milliseconds" "How long the last check-in took."),
    ],
    from: "salrs_checkin related",
    machine: "related.machine_id",
    key: "machine.id",
    always: "TRUE",
    parent: None,
    waiting: false,
};

pub(super) const INVENTORY: RowKind = RowKind {
    name: "inventory",
    aliases: &[],
    label: "Inventory",
    of: Of::Nothing,
    value: "recorded",
    columns: &[
        column!("recorded" [] "Recorded" Time "related.datestamp" "When the inventory of applications was last sent."),
    ],
    from: "inventory_inventory related",
    machine: "related.machine_id",
    key: "machine.id",
    always: "TRUE",
    parent: None,
    waiting: false,
};

const ITEM_COLUMNS: &[Column] = &[
    SOURCE,
    column!("name" [] "Name" Text "related.name" "Name of the item, often with its version."),
    column!("status" [] "Status" Text "related.status" "PRESENT, ABSENT, PENDING, ERROR or UNKNOWN."),
    column!("since" ["date" "date_managed"] "Date" Time "related.date_managed" "When the source last reported it."),
];

const MESSAGE_COLUMNS: &[Column] = &[
    SOURCE,
    column!("level" ["type"] "Level" Text "related.message_type" "ERROR, WARNING, OTHER or DEBUG."),
    column!("text" [] "Text" Text "related.text" "The text of the message."),
    column!("date" [] "Date" Time "related.date" "When it was reported."),
];

const fn messages(
    name: &'static str,
    aliases: &'static [&'static str],
    label: &'static str,
    always: &'static str,
) -> RowKind {
    RowKind {
        name,
        aliases,
        label,
        of: Of::Nothing,
        value: "text",
        columns: MESSAGE_COLUMNS,
        from: "server_message related",
        machine: "related.machine_id",
        key: "machine.id",
        always,
        parent: None,
        waiting: false,
    }
}

const fn items(
    name: &'static str,
    aliases: &'static [&'static str],
    label: &'static str,
    of: Of,
    value: &'static str,
    always: &'static str,
) -> RowKind {
    RowKind {
        name,
        aliases,
        label,
        of,
        value,
        columns: ITEM_COLUMNS,
        from: "server_manageditem related",
        machine: "related.machine_id",
        key: "machine.id",
        always,
        parent: None,
        waiting: false,
    }
}

const APPLICATION: Parent = Parent {
    table: "inventory_application",
    alias: "application",
    key: "related.application_id",
    rows: "inventory_inventoryitem related",
};

pub(super) const ROW_KINDS: &[RowKind] = &[
    RowKind {
        name: "fact",
        aliases: &["facts"],
        label: "Fact",
        of: Of::SourceAndName,
        value: "value",
        columns: &[
            SOURCE,
            column!("name" [] "Name" Name "related.fact_name" "Name of the fact."),
            column!("value" ["data"] "Value" Untyped "related.fact_data" "Its value."),
        ],
        from: "server_fact related",
        machine: "related.machine_id",
        key: "machine.id",
        always: "TRUE",
        parent: None,
        waiting: false,
    },
    RowKind {
        name: "plugin",
        aliases: &["plugin_value", "script"],
        label: "Plugin value",
        of: Of::PluginAndRow,
        value: "value",
        columns: &[
            column!("plugin" [] "Plugin" Text "submission.plugin" "Name that the script gave itself, often the plugin's."),
            column!("name" ["row"] "Name" Text "related.pluginscript_name" "Name of the value."),
            column!("value" ["data"] "Value" Untyped "related.pluginscript_data" "The value."),
            column!("recorded" [] "Recorded" Time "submission.recorded" "When the script last ran."),
        ],
        from: "server_pluginscriptrow related \
            JOIN server_pluginscriptsubmission submission ON submission.id = related.submission_id",
        machine: "submission.machine_id",
        key: "machine.id",
        always: "TRUE",
        parent: None,
        waiting: false,
    },
    RowKind {
        name: "application",
        aliases: &["app", "applications"],
        label: "Application",
        of: Of::NameOrBundle,
        value: "version",
        columns: &[
            column!("name" [] "Name" Text "application.name" "Name of the application."),
            column!("bundle_id" ["bundleid"] "Bundle ID" Text "application.bundleid" "Its bundle identifier."),
            column!("bundle_name" ["bundlename"] "Bundle name" Text "application.bundlename" "Its bundle name."),
            column!("version" [] "Version" Version "related.version" "Its version."),
            column!("path" [] "Path" Text "related.path" "Where it is installed."),
        ],
        from: "inventory_inventoryitem related \
            JOIN inventory_application application ON application.id = related.application_id",
        machine: "related.machine_id",
        key: "machine.id",
        always: "TRUE",
        parent: Some(&APPLICATION),
        waiting: false,
    },
    items(
        "item",
        &["managed_item", "items"],
        "Managed item",
        Of::Column("name"),
        "status",
        "TRUE",
    ),
    RowKind {
        waiting: true,
        ..items(
            "pending",
            &["pending_update", "update"],
            "Pending update",
            Of::Column("name"),
            "name",
            "related.status = 'PENDING'",
        )
    },
    messages("message", &["messages"], "Message", "TRUE"),
    messages(
        "error",
        &["errors"],
        "Error",
        "related.message_type = 'ERROR'",
    ),
    messages(
        "warning",
        &["warnings"],
        "Warning",
        "related.message_type = 'WARNING'",
    ),
    RowKind {
        name: "profile",
        aliases: &["profiles"],
        label: "Profile",
        of: Of::Column("identifier"),
        value: "name",
        columns: &[
            column!("identifier" [] "Identifier" Text "related.identifier" "Identifier of the profile."),
            column!("name" ["display_name"] "Name" Text "related.display_name" "Name that people see."),
            column!("description" [] "Description" Text "related.description" "What it says of itself."),
            column!("organization" [] "Organization" Text "related.organization" "Who made it."),
            column!("uuid" [] "UUID" Text "related.uuid" "Its UUID."),
            column!("verification_state" ["verified"] "Verification" Text "related.verification_state" "Whether its signature was verified."),
            column!("installed" ["install_date"] "Installed" Time "related.install_date" "When it was installed."),
        ],
        from: "profiles_profile related",
        machine: "related.machine_id",
        key: "machine.id",
        always: "TRUE",
        parent: None,
        waiting: false,
    },
    RowKind {
        name: "payload",
        aliases: &["payloads"],
        label: "Profile payload",
        of: Of::Column("identifier"),
        value: "type",
        columns: &[
            column!("identifier" [] "Identifier" Text "related.identifier" "Identifier of the payload."),
            column!("type" ["payload_type"] "Type" Text "related.payload_type" "Type of the payload."),
            column!("uuid" [] "UUID" Text "related.uuid" "Its UUID."),
            column!("profile" [] "Profile" Text "profile.identifier" "Identifier of the profile it is in."),
            column!("profile_id" [] "Profile ID" Whole "related.profile_id" "Number of the profile it is in."),
        ],
        from: "profiles_payload related JOIN profiles_profile profile ON profile.id = related.profile_id",
        machine: "profile.machine_id",
        key: "machine.id",
        always: "TRUE",
        parent: None,
        waiting: false,
    },
    RowKind {
        name: "fact_history",
        aliases: &["historical_fact"],
        label: "Former fact",
        of: Of::SourceAndName,
        value: "value",
        columns: &[
            SOURCE,
            column!("name" [] "Name" Name "related.fact_name" "Name of the fact."),
            column!("value" ["data"] "Value" Untyped "related.fact_data" "A value that it had."),
            column!("recorded" [] "Recorded" Time "related.fact_recorded" "When it had the value."),
        ],
        from: "server_historicalfact related",
        machine: "related.machine_id",
        key: "machine.id",
        always: "TRUE",
        parent: None,
        waiting: false,
    },
    RowKind {
        name: "item_history",
        aliases: &["managed_item_history"],
        label: "Former state of an item",
        of: Of::Column("name"),
        value: "status",
        columns: &[
            SOURCE,
            column!("name" [] "Name" Text "related.name" "Name of the item."),
            column!("status" [] "Status" Text "related.status" "A status that it had."),
            column!("recorded" [] "Recorded" Time "related.recorded" "Since when it had the status."),
        ],
        from: "server_manageditemhistory related",
        machine: "related.machine_id",
        key: "machine.id",
        always: "TRUE",
        parent: None,
        waiting: false,
    },
    RowKind {
        name: "refusal",
        aliases: &["refused"],
        label: "Refused check-in",
        of: Of::Nothing,
        value: "date",
        columns: &[
            column!("reason" [] "Reason" Text "related.reason" "Why a request was refused."),
            column!("route" [] "Address" Text "related.route" "Which address was asked."),
            column!("client" [] "Client" Text "related.client" "What the client calls itself."),
            column!("address" ["ip"] "Network address" Text "related.address" "Where it came from."),
            column!("date" [] "Date" Time "related.last_at" "When that last happened."),
        ],
        from: "salrs_journal related",
        machine: "related.serial",
        key: "machine.serial",
        always: "related.outcome = 'refused' AND related.serial <> ''",
        parent: None,
        waiting: false,
    },
    GROUP,
    UNIT,
    CHECKIN,
    INVENTORY,
];
