//! The questions, each with the SQL that a person would write who knows the tables: literals, as few statements as can
//! be, no scope.

/// How a question is asked.
#[derive(Clone, Copy)]
pub(super) enum Ask {
    /// The first page of the list, and how many there are.
    List,
    /// How many there are.
    Count,
    /// The values that are suggested at the end of the text.
    Values,
}

/// A question.
pub(super) struct Question {
    pub(super) name: &'static str,
    pub(super) ask: Ask,
    pub(super) filter: &'static str,
    pub(super) by_hand: &'static [&'static str],
}

macro_rules! list {
    ($name:literal, $filter:literal, $where:expr) => {
        Question {
            name: $name,
            ask: Ask::List,
            filter: $filter,
            by_hand: &[
                concat!(
                    "SELECT m.id, m.serial, m.hostname, m.console_user, m.machine_model, m.machine_model_friendly, m.os_family,
                        m.operating_system, m.last_checkin, m.deployed, m.broken_client, g.name,
                        (SELECT count(*) FROM server_message x WHERE x.machine_id = m.id AND x.message_type = 'ERROR'),
                        (SELECT count(*) FROM server_message x WHERE x.machine_id = m.id AND x.message_type = 'WARNING')
                     FROM server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id WHERE ",
                    $where,
                    " ORDER BY m.last_checkin DESC NULLS LAST, m.id DESC LIMIT 50"
                ),
                concat!("SELECT count(*) FROM server_machine m WHERE ", $where),
            ],
        }
    };
}

macro_rules! values {
    ($name:literal, $typed:literal, $sql:literal) => {
        Question {
            name: $name,
            ask: Ask::Values,
            filter: $typed,
            by_hand: &[$sql],
        }
    };
}

/// All of them.
pub(super) const QUESTIONS: &[Question] = &[
    list!(
        "one machine column: os_version",
        "os_version < 14.5",
        "string_to_array(m.operating_system, '.')::int[] < ARRAY[14, 5]"
    ),
    list!(
        "one machine column: last_checkin",
        "last_checkin older than 30d",
        "m.last_checkin <= now() - interval '30 days'"
    ),
    list!(
        "one fact",
        "fact \"Facter/role\" = \"kiosk\"",
        "m.id IN (SELECT machine_id FROM server_fact WHERE left(fact_name, 200) = 'role' AND lower(fact_data) = 'kiosk')"
    ),
    list!(
        "two facts by AND",
        "fact \"Facter/role\" = \"kiosk\" and fact \"Facter/site\" = \"Berlin\"",
        "m.id IN (SELECT machine_id FROM server_fact WHERE left(fact_name, 200) = 'role' AND lower(fact_data) = 'kiosk')
         AND m.id IN (SELECT machine_id FROM server_fact WHERE left(fact_name, 200) = 'site' AND lower(fact_data) = 'berlin')"
    ),
    list!(
        "application version below",
        "application(name = \"Firefox\" and version < 130)",
        "m.id IN (SELECT i.machine_id FROM inventory_inventoryitem i JOIN inventory_application a ON a.id = i.application_id
         WHERE lower(a.name) = 'firefox' AND string_to_array(i.version, '.')::int[] < ARRAY[130])"
    ),
    list!(
        "not has application",
        "not has application \"Firefox\"",
        "NOT EXISTS (SELECT FROM inventory_inventoryitem i WHERE i.machine_id = m.id AND i.application_id IN
         (SELECT id FROM inventory_application WHERE lower(name) = 'firefox'))"
    ),
    list!(
        "pending update by name",
        "has pending \"Item 8\"",
        "m.id IN (SELECT machine_id FROM server_manageditem WHERE status = 'PENDING' AND lower(name) = 'item 8')"
    ),
    list!(
        "fact and not application",
        "fact \"Facter/role\" = \"kiosk\" and not has application \"Firefox\"",
        "m.id IN (SELECT machine_id FROM server_fact WHERE left(fact_name, 200) = 'role' AND lower(fact_data) = 'kiosk')
         AND NOT EXISTS (SELECT FROM inventory_inventoryitem i WHERE i.machine_id = m.id AND i.application_id IN
         (SELECT id FROM inventory_application WHERE lower(name) = 'firefox'))"
    ),
    list!(
        "less than 10 GB free",
        "hd_space < 10GB",
        "m.hd_space < 10000000000"
    ),
    list!(
        "quick search by part of a name",
        "hopper77",
        "m.sal_version ILIKE '%hopper77%' OR m.serial ILIKE '%hopper77%' OR m.hostname ILIKE '%hopper77%'
         OR m.operating_system ILIKE '%hopper77%' OR m.console_user ILIKE '%hopper77%' OR m.machine_model ILIKE '%hopper77%'
         OR m.machine_model_friendly ILIKE '%hopper77%' OR m.os_family ILIKE '%hopper77%' OR m.munki_version ILIKE '%hopper77%'
         OR m.manifest ILIKE '%hopper77%' OR m.id IN (SELECT machine_id FROM search_searchcache WHERE search_item ILIKE '%hopper77%')"
    ),
    Question {
        name: "count only",
        ask: Ask::Count,
        filter: "fact \"Facter/role\" = \"kiosk\" and os_version >= 15 and not has pending \"Item 8\"",
        by_hand: &[
            "SELECT count(*) FROM server_machine m WHERE string_to_array(m.operating_system, '.')::int[] >= ARRAY[15]
             AND m.id IN (SELECT machine_id FROM server_fact WHERE left(fact_name, 200) = 'role' AND lower(fact_data) = 'kiosk')
             AND m.id NOT IN (SELECT machine_id FROM server_manageditem WHERE status = 'PENDING' AND lower(name) = 'item 8')",
        ],
    },
    values!(
        "values: a machine column",
        "os_version < 1",
        "SELECT operating_system, count(*) FROM server_machine WHERE operating_system ILIKE '%1%' GROUP BY 1 ORDER BY 2 DESC LIMIT 20"
    ),
    values!(
        "values: a column with many values",
        "hostname = hop",
        "SELECT hostname, count(*) FROM server_machine WHERE hostname ILIKE '%hop%' GROUP BY 1 ORDER BY 2 DESC LIMIT 20"
    ),
    values!(
        "values: groups",
        "group = ",
        "SELECT g.name, count(*) FROM server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id GROUP BY 1 ORDER BY 2 DESC LIMIT 20"
    ),
    values!(
        "values: names of facts",
        "fact \"r",
        "SELECT search_field FROM search_searchfieldcache WHERE search_model = 'Facter' AND search_field ILIKE '%r%' LIMIT 20"
    ),
    values!(
        "values: of one fact",
        "fact \"Facter/role\" = ",
        "SELECT fact_data, count(*) FROM server_fact WHERE left(fact_name, 200) = 'role' GROUP BY 1 ORDER BY 2 DESC LIMIT 20"
    ),
    values!(
        "values: names of applications",
        "application \"fire",
        "SELECT name FROM inventory_application WHERE name ILIKE '%fire%' LIMIT 20"
    ),
    values!(
        "values: versions of one application",
        "application \"Firefox\" < 1",
        "SELECT version, count(*) FROM inventory_inventoryitem WHERE application_id IN (SELECT id FROM inventory_application
         WHERE lower(name) = 'firefox') GROUP BY 1 ORDER BY 2 DESC LIMIT 20"
    ),
    values!(
        "values: names of pending updates",
        "pending \"it",
        "SELECT name, count(*) FROM server_manageditem WHERE status = 'PENDING' AND name ILIKE '%it%' GROUP BY 1 ORDER BY 2 DESC LIMIT 20"
    ),
];
