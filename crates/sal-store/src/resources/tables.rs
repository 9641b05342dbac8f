//! The resources, column by column.

use sal_query::{Field, field, field::SALS_ORDER};

use super::{Column, Filter, Kind, Lookup, Resource};

/// Every resource, in the order of the API's root.
pub const RESOURCES: [&Resource; 12] = [
    &BUSINESS_UNITS,
    &FACTS,
    &INVENTORY,
    &MACHINE_GROUPS,
    &MACHINES,
    &MANAGEMENT_SOURCES,
    &MANAGED_ITEMS,
    &MANAGED_ITEM_HISTORIES,
    &MESSAGES,
    &PLUGIN_SCRIPT_ROWS,
    &PROFILES,
    &SAVED_SEARCHES,
];

macro_rules! columns {
    ($($name:literal $kind:ident $sql:literal,)*) => {
        &[$(Column { name: $name, kind: Kind::$kind, sql: $sql },)*]
    };
}

macro_rules! filters {
    ($($name:literal $kind:ident $sql:literal,)*) => {
        &[$(Filter { name: $name, kind: Kind::$kind, sql: $sql },)*]
    };
}

/// By the machine that a row belongs to.
const OF_MACHINE: &[Filter] = filters! {
    "machine__serial" Text "row.machine_id = (SELECT id FROM server_machine WHERE serial = ?)",
    "machine__hostname" Text "row.machine_id IN (SELECT id FROM server_machine WHERE hostname = ?)",
    "machine__id" Integer "row.machine_id = ?",
    "machine" Integer "row.machine_id = ?",
};

/// By the source that reported it.
const OF_SOURCE: &[Filter] = filters! {
    "management_source__name" Text "row.management_source_id = (SELECT id FROM server_managementsource WHERE name = ?)",
    "management_source__id" Uuid "row.management_source_id = ?::uuid",
    "management_source" Uuid "row.management_source_id = ?::uuid",
};

/// Business units with their users.
pub const BUSINESS_UNITS: Resource = Resource {
    name: "business_units",
    object: "BusinessUnit",
    columns: columns! {
        "id" Integer "row.id",
        "name" Text "row.name",
        "users" Json "SELECT coalesce(json_agg(user_id ORDER BY user_id), '[]') FROM server_businessunit_users WHERE businessunit_id = row.id",
    },
    filters: &[filters! {
        "id" Integer "row.id = ?",
        "name" Text "row.name = ?",
    }],
    searched: &["row.name"],
    is_writable: true,
    lookup: Lookup {
        kind: Kind::Integer,
        sql: "row.id = ?",
    },
    from: "server_businessunit row",
    key: "row.id",
    order: "row.name, ",
    scoped: "row.id = ANY($1::int[])",
    machine: None,
};

/// Facts.
pub const FACTS: Resource = Resource {
    name: "facts",
    object: "Fact",
    columns: columns! {
        "id" Integer "row.id",
        "fact_name" Text "row.fact_name",
        "fact_data" Text "row.fact_data",
        "machine" Integer "row.machine_id",
        "management_source" Uuid "row.management_source_id",
    },
    filters: &[
        OF_MACHINE,
        OF_SOURCE,
        filters! {
            "fact_name" Text "left(row.fact_name, 200) = left(?, 200) AND row.fact_name = ?",
            "fact_data" Text "row.fact_data = ?",
        },
    ],
    searched: &["row.fact_name", "row.fact_data"],
    is_writable: false,
    lookup: Lookup {
        kind: Kind::Integer,
        sql: "row.id = ?",
    },
    from: "server_fact row",
    key: "row.id",
    order: "",
    scoped: "row.machine_id IN (SELECT machine.id FROM server_machine machine JOIN server_machinegroup machine_group \
        ON machine_group.id = machine.machine_group_id WHERE machine_group.business_unit_id = ANY($1::int[]))",
    machine: Some("row.machine_id"),
};

/// Installed applications.
pub const INVENTORY: Resource = Resource {
    name: "inventory",
    object: "InventoryItem",
    columns: columns! {
        "id" Integer "row.id",
        "application.id" Integer "application.id",
        "application.name" Text "application.name",
        "application.bundleid" Text "application.bundleid",
        "application.bundlename" Text "application.bundlename",
        "application.assignmenttype" Text "application.assignmenttype",
        "application.caption" Text "application.caption",
        "application.description" Text "application.description",
        "application.identifyingnumber" Text "application.identifyingnumber",
        "application.installdate" Text "application.installdate",
        "application.installdate2" Time "application.installdate2",
        "application.installlocation" Text "application.installlocation",
        "application.installstate" Text "application.installstate",
        "application.helplink" Text "application.helplink",
        "application.helptelephone" Text "application.helptelephone",
        "application.installsource" Text "application.installsource",
        "application.language" Text "application.language",
        "application.localpackage" Text "application.localpackage",
        "application.packagecache" Text "application.packagecache",
        "application.packagecode" Text "application.packagecode",
        "application.packagename" Text "application.packagename",
        "application.productid" Text "application.productid",
        "application.regowner" Text "application.regowner",
        "application.regcompany" Text "application.regcompany",
        "application.skunumber" Text "application.skunumber",
        "application.transforms" Text "application.transforms",
        "application.urlInfoabout" Text "application.\"urlInfoabout\"",
        "application.urlupdateInfo" Text "application.\"urlupdateInfo\"",
        "application.vendor" Text "application.vendor",
        "application.wordcount" Text "application.wordcount",
        "application.version" Text "application.version",
        "application.status" Text "application.status",
        "application.csname" Text "application.csname",
        "application.fixcomments" Text "application.fixcomments",
        "application.hotfixid" Text "application.hotfixid",
        "application.installedby" Text "application.installedby",
        "application.installedon" Text "application.installedon",
        "application.servicepackIneffect" Text "application.\"servicepackIneffect\"",
        "version" Text "row.version",
        "path" Text "row.path",
        "machine" Integer "row.machine_id",
    },
    filters: &[
        OF_MACHINE,
        filters! {
            "application__name" Text "application.name = ?",
            "application__bundleid" Text "application.bundleid = ?",
            "application__bundlename" Text "application.bundlename = ?",
            "application__caption" Text "application.caption = ?",
            "application__description" Text "application.description = ?",
            "application__hotfixid" Text "application.hotfixid = ?",
            "application__installdate" Text "application.installdate = ?",
            "application__installdate2" Time "application.installdate2 = ?",
            "application__version" Text "application.version = ?",
            "version" Text "row.version = ?",
            "path" Text "row.path = ?",
        },
    ],
    searched: &[
        "application.name",
        "application.bundleid",
        "application.bundlename",
        "application.caption",
        "application.description",
        "application.hotfixid",
        "application.installdate",
        "application.version",
    ],
    is_writable: false,
    lookup: Lookup {
        kind: Kind::Integer,
        sql: "row.id = ?",
    },
    from: "inventory_inventoryitem row JOIN inventory_application application ON application.id = row.application_id",
    key: "row.id",
    order: "",
    scoped: "row.machine_id IN (SELECT machine.id FROM server_machine machine JOIN server_machinegroup machine_group \
        ON machine_group.id = machine.machine_group_id WHERE machine_group.business_unit_id = ANY($1::int[]))",
    machine: Some("row.machine_id"),
};

/// Machine groups with their keys.
pub const MACHINE_GROUPS: Resource = machine_groups(columns! {
    "id" Integer "row.id",
    "business_unit" Integer "row.business_unit_id",
    "name" Text "row.name",
    "key" Text "row.key",
});

/// The same for whoever must not see their keys: nothing stands in their place, neither to read nor to sort by.
pub const MACHINE_GROUPS_WITHOUT_KEYS: Resource = machine_groups(columns! {
    "id" Integer "row.id",
    "business_unit" Integer "row.business_unit_id",
    "name" Text "row.name",
    "key" Text "NULL::text",
});

const fn machine_groups(columns: &'static [Column]) -> Resource {
    Resource {
        name: "machine_groups",
        object: "MachineGroup",
        columns,
        filters: &[filters! {
            "id" Integer "row.id = ?",
            "name" Text "row.name = ?",
            "business_unit" Integer "row.business_unit_id = ?",
            "business_unit__name" Text "unit.name = ?",
            "business_unit__id" Integer "row.business_unit_id = ?",
        }],
        searched: &["row.name"],
        is_writable: true,
        lookup: Lookup {
            kind: Kind::Integer,
            sql: "row.id = ?",
        },
        from: "server_machinegroup row JOIN server_businessunit unit ON unit.id = row.business_unit_id",
        key: "row.id",
        order: "row.name, ",
        scoped: "row.business_unit_id = ANY($1::int[])",
        machine: None,
    }
}

/// A machine's own columns, behind its id.
#[expect(
    clippy::indexing_slicing,
    reason = "places of constants, which the compiler checks"
)]
const MACHINE_COLUMNS: [Column; SALS_ORDER.len() + 1] = {
    const ID: Column = Column {
        name: "id",
        kind: Kind::Integer,
        sql: "machine.id",
    };
    let mut columns = [ID; SALS_ORDER.len() + 1];
    let mut place = 0;
    while place < SALS_ORDER.len() {
        let field = SALS_ORDER[place];
        columns[place + 1] = Column {
            name: field.sals_name(),
            kind: kind_of(field),
            sql: field.column(),
        };
        place += 1;
    }
    columns
};

/// What a list of machines is narrowed by, exactly: each of their own columns.
#[expect(
    clippy::indexing_slicing,
    reason = "places of constants, which the compiler checks"
)]
const MACHINE_FILTERS: [Filter; SALS_ORDER.len()] = {
    const SERIAL: Filter = Filter {
        name: "serial",
        kind: Kind::Text,
        sql: "machine.serial",
    };
    let mut filters = [SERIAL; SALS_ORDER.len()];
    let mut place = 0;
    while place < SALS_ORDER.len() {
        let field = SALS_ORDER[place];
        filters[place] = Filter {
            name: field.sals_name(),
            kind: kind_of(field),
            sql: field.column(),
        };
        place += 1;
    }
    filters
};

const fn kind_of(field: Field) -> Kind {
    match field.kind() {
        field::Kind::Text => Kind::Text,
        field::Kind::Integer => Kind::Integer,
        field::Kind::Time => Kind::Time,
        field::Kind::Boolean => Kind::Flag,
    }
}

/// Machines, found by their serial numbers.
pub const MACHINES: Resource = Resource {
    name: "machines",
    object: "Machine",
    columns: &MACHINE_COLUMNS,
    filters: &[
        &MACHINE_FILTERS,
        filters! {
            "id" Integer "machine.id = ?",
            "machine_group__name" Text "machine_group.name = ?",
            "machine_group__business_unit" Integer "machine_group.business_unit_id = ?",
        },
    ],
    searched: &[
        "machine.serial",
        "machine.console_user",
        "machine.cpu_speed",
        "machine.cpu_type",
        "machine.hostname",
        "machine.machine_model",
        "machine.machine_model_friendly",
        "machine.manifest",
        "machine.memory",
    ],
    is_writable: true,
    lookup: Lookup {
        kind: Kind::Text,
        sql: "machine.serial = ?",
    },
    from: "server_machine machine JOIN server_machinegroup machine_group ON machine_group.id = machine.machine_group_id",
    key: "machine.id",
    order: "machine.hostname, ",
    scoped: "machine_group.business_unit_id = ANY($1::int[])",
    machine: Some("machine.id"),
};

/// Who manages machines: Munki, Apple Software Update and others.
pub const MANAGEMENT_SOURCES: Resource = Resource {
    name: "management_sources",
    object: "ManagementSource",
    columns: columns! {
        "id" Uuid "row.id",
        "name" Text "row.name",
    },
    filters: &[filters! {
        "id" Uuid "row.id = ?::uuid",
        "name" Text "row.name = ?",
    }],
    searched: &["row.name"],
    is_writable: false,
    lookup: Lookup {
        kind: Kind::Uuid,
        sql: "row.id = ?::uuid",
    },
    from: "server_managementsource row",
    key: "row.id",
    order: "row.name, ",
    scoped: "TRUE",
    machine: None,
};

/// What sources manage on machines.
pub const MANAGED_ITEMS: Resource = Resource {
    name: "managed_items",
    object: "ManagedItem",
    columns: columns! {
        "id" Uuid "row.id",
        "name" Text "row.name",
        "date_managed" Time "row.date_managed",
        "status" Text "row.status",
        "data" Text "row.data",
        "machine" Integer "row.machine_id",
        "management_source" Uuid "row.management_source_id",
    },
    filters: &[
        OF_MACHINE,
        OF_SOURCE,
        filters! {
            "name" Text "row.name = ?",
            "status" Text "row.status = ?",
        },
    ],
    searched: &["row.name"],
    is_writable: false,
    lookup: Lookup {
        kind: Kind::Uuid,
        sql: "row.id = ?::uuid",
    },
    from: "server_manageditem row",
    key: "row.id",
    order: "",
    scoped: "row.machine_id IN (SELECT machine.id FROM server_machine machine JOIN server_machinegroup machine_group \
        ON machine_group.id = machine.machine_group_id WHERE machine_group.business_unit_id = ANY($1::int[]))",
    machine: Some("row.machine_id"),
};

/// How what is managed came to its status.
pub const MANAGED_ITEM_HISTORIES: Resource = Resource {
    name: "managed_item_histories",
    object: "ManagedItemHistory",
    columns: columns! {
        "id" Uuid "row.id",
        "recorded" Time "row.recorded",
        "name" Text "row.name",
        "status" Text "row.status",
        "machine" Integer "row.machine_id",
        "management_source" Uuid "row.management_source_id",
    },
    filters: &[
        OF_MACHINE,
        OF_SOURCE,
        filters! {
            "name" Text "row.name = ?",
            "status" Text "row.status = ?",
        },
    ],
    searched: &["row.name"],
    is_writable: false,
    lookup: Lookup {
        kind: Kind::Uuid,
        sql: "row.id = ?::uuid",
    },
    from: "server_manageditemhistory row",
    key: "row.id",
    order: "",
    scoped: "row.machine_id IN (SELECT machine.id FROM server_machine machine JOIN server_machinegroup machine_group \
        ON machine_group.id = machine.machine_group_id WHERE machine_group.business_unit_id = ANY($1::int[]))",
    machine: Some("row.machine_id"),
};

/// Errors, warnings and other messages of machines.
pub const MESSAGES: Resource = Resource {
    name: "messages",
    object: "Message",
    columns: columns! {
        "id" Integer "row.id",
        "text" Text "row.text",
        "date" Time "row.date",
        "message_type" Text "row.message_type",
        "machine" Integer "row.machine_id",
        "management_source" Uuid "row.management_source_id",
    },
    filters: &[
        OF_MACHINE,
        OF_SOURCE,
        filters! {
            "message_type" Text "row.message_type = ?",
        },
    ],
    searched: &["row.text"],
    is_writable: false,
    lookup: Lookup {
        kind: Kind::Integer,
        sql: "row.id = ?",
    },
    from: "server_message row",
    key: "row.id",
    order: "",
    scoped: "row.machine_id IN (SELECT machine.id FROM server_machine machine JOIN server_machinegroup machine_group \
        ON machine_group.id = machine.machine_group_id WHERE machine_group.business_unit_id = ANY($1::int[]))",
    machine: Some("row.machine_id"),
};

/// What plugin scripts reported.
pub const PLUGIN_SCRIPT_ROWS: Resource = Resource {
    name: "plugin_script_rows",
    object: "PluginScriptRow",
    columns: columns! {
        "id" Integer "row.id",
        "submission.id" Integer "submission.id",
        "submission.plugin" Text "submission.plugin",
        "submission.historical" Flag "submission.historical",
        "submission.recorded" Time "submission.recorded",
        "submission.machine" Integer "submission.machine_id",
        "pluginscript_name" Text "row.pluginscript_name",
        "pluginscript_data" Text "row.pluginscript_data",
        "pluginscript_data_string" Text "row.pluginscript_data_string",
        "pluginscript_data_int" Integer "row.pluginscript_data_int",
        "pluginscript_data_date" Time "row.pluginscript_data_date",
        "submission_and_script_name" Text "row.submission_and_script_name",
    },
    filters: &[filters! {
        "submission__machine__serial" Text "submission.machine_id = (SELECT id FROM server_machine WHERE serial = ?)",
        "submission__machine__hostname" Text "submission.machine_id IN (SELECT id FROM server_machine WHERE hostname = ?)",
        "submission__machine__id" Integer "submission.machine_id = ?",
        "submission__machine" Integer "submission.machine_id = ?",
        "submission__plugin" Text "submission.plugin = ?",
        "pluginscript_name" Text "row.pluginscript_name = ?",
        "pluginscript_data" Text "row.pluginscript_data = ?",
        "pluginscript_data_string" Text "coalesce(row.pluginscript_data_string, row.pluginscript_data) = ?",
        "submission_and_script_name" Text "left(row.submission_and_script_name, 200) = left(?, 200) AND row.submission_and_script_name = ?",
    }],
    searched: &["row.pluginscript_name", "row.pluginscript_data"],
    is_writable: false,
    lookup: Lookup {
        kind: Kind::Integer,
        sql: "row.id = ?",
    },
    from: "server_pluginscriptrow row JOIN server_pluginscriptsubmission submission ON submission.id = row.submission_id",
    key: "row.id",
    order: "",
    scoped: "submission.machine_id IN (SELECT machine.id FROM server_machine machine JOIN server_machinegroup machine_group \
        ON machine_group.id = machine.machine_group_id WHERE machine_group.business_unit_id = ANY($1::int[]))",
    machine: Some("submission.machine_id"),
};

/// Configuration profiles with their payloads.
pub const PROFILES: Resource = Resource {
    name: "profiles",
    object: "Profile",
    columns: columns! {
        "id" Integer "row.id",
        "payloads" Json "SELECT coalesce(json_agg(json_build_object('id', payload.id, 'payload_type', payload.payload_type, 'identifier', payload.identifier, \
            'uuid', payload.uuid, 'profile', payload.profile_id) ORDER BY payload.identifier, payload.id), '[]') FROM profiles_payload payload WHERE payload.profile_id = row.id",
        "machine.id" Integer "machine.id",
        "machine.last_checkin" Time "machine.last_checkin",
        "machine.serial" Text "machine.serial",
        "machine.hostname" Text "machine.hostname",
        "machine.console_user" Text "machine.console_user",
        "identifier" Text "row.identifier",
        "display_name" Text "row.display_name",
        "description" Text "row.description",
        "install_date" Time "row.install_date",
        "organization" Text "row.organization",
        "uuid" Text "row.uuid",
        "verification_state" Text "row.verification_state",
    },
    filters: &[
        OF_MACHINE,
        filters! {
            "identifier" Text "row.identifier = ?",
            "uuid" Text "row.uuid = ?",
        },
    ],
    searched: &["row.identifier", "row.uuid"],
    is_writable: false,
    lookup: Lookup {
        kind: Kind::Integer,
        sql: "row.id = ?",
    },
    from: "profiles_profile row JOIN server_machine machine ON machine.id = row.machine_id",
    key: "row.id",
    order: "",
    scoped: "row.machine_id IN (SELECT machine.id FROM server_machine machine JOIN server_machinegroup machine_group \
        ON machine_group.id = machine.machine_group_id WHERE machine_group.business_unit_id = ANY($1::int[]))",
    machine: Some("row.machine_id"),
};

/// Searches with their groups and rows, saved ones and others.
pub const SAVED_SEARCHES: Resource = Resource {
    name: "saved_searches",
    object: "SavedSearch",
    columns: columns! {
        "id" Integer "row.id",
        "search_groups" Json "SELECT coalesce(json_agg(json_build_object('id', grp.id, 'search_rows', (SELECT coalesce(json_agg(json_build_object( \
            'id', line.id, 'search_models', line.search_models, 'search_field', line.search_field, 'and_or', line.and_or, 'operator', line.operator, \
            'search_term', line.search_term, 'position', line.position, 'search_group', line.search_group_id) ORDER BY line.position, line.id), '[]') \
            FROM search_searchrow line WHERE line.search_group_id = grp.id), 'and_or', grp.and_or, 'position', grp.position, \
            'saved_search', grp.saved_search_id) ORDER BY grp.position, grp.id), '[]') FROM search_searchgroup grp WHERE grp.saved_search_id = row.id",
        "name" Text "coalesce(nullif(row.name, ''), 'Unsaved Search ' || (now() AT TIME ZONE 'UTC')::text || '+00:00')",
        "created" Time "row.created",
        "save_search" Flag "row.save_search",
        "created_by" Integer "row.created_by_id",
    },
    filters: &[filters! {
        "id" Integer "row.id = ?",
        "name" Text "row.name = ?",
        "save_search" Flag "row.save_search = ?",
    }],
    searched: &["row.name"],
    is_writable: false,
    lookup: Lookup {
        kind: Kind::Integer,
        sql: "row.id = ?",
    },
    from: "search_savedsearch row",
    key: "row.id",
    order: "row.name, ",
    scoped: "NOT EXISTS (SELECT FROM salrs_search own WHERE own.search_id = row.id AND own.sharing <> 'everybody' \
        AND NOT (own.sharing = 'unit' AND own.unit_id = ANY($1::int[])))",
    machine: None,
};
