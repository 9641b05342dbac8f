//! Values for suggestions while somebody types, as one `SELECT` with three columns: the value, how many machines have it
//! (NULL where that was not counted), and whether only a part of the machines was looked at. Best first.
//!
//! Whoever types does not wait: what is read is bounded, whatever the size of the fleet. Names come from a walk over
//! their index, from one different name to the next; values of one fact from its first rows; everything else, and
//! everything for a viewer who sees a part of the fleet, from the machines that checked in last.

use super::{Fragment, Parameter, Writer, collation, escape_like};
use crate::{
    catalogue::{Column, Of, RowKind},
    check,
    complete::Wanted,
    condition::RowNode,
    expr::{Compare, Op},
    parse::Place,
};
use jiff::Timestamp;

/// Whose machines the values may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach<'a> {
    /// Of all machines, from this `FROM` item whose alias is [`super::MACHINE`].
    All(&'a str),
    /// Only of the machines in this one.
    Part(&'a str),
}

impl Wanted {
    /// Writes the question for values that contain `typed`, in any letter case, with parameters numbered from `first`.
    /// None where the database does not know the values.
    #[must_use]
    pub fn to_sql(&self, typed: &str, reach: Reach<'_>, first: usize) -> Option<Fragment> {
        let mut writer = Writer::new(Timestamp::UNIX_EPOCH, first);
        let typed = typed.replace('\0', "");
        let contains = Parameter::Text(format!("%{}%", escape_like(&typed)));
        let begins = Parameter::Text(format!("{}%", escape_like(&typed)));
        let asked = Asked {
            contains: writer.parameter(contains),
            begins: writer.parameter(begins),
            is_empty: typed.is_empty(),
            collation: collation(&typed),
            reach,
        };
        let text = match self {
            Self::Column(column) => asked.column(column),
            Self::Machines => asked.machines(),
            Self::Rows { kind, column, of } => {
                writer.rows_for(kind, column, of.as_deref(), &asked)?
            }
            Self::Which(kind) => writer.names_of(kind, &asked)?,
            Self::Searches | Self::Widgets | Self::Segments(_) => return None,
        };
        Some(Fragment {
            text,
            parameters: writer.parameters,
        })
    }
}

struct Asked<'a> {
    /// The place of the pattern that values match.
    contains: String,
    /// The place of the pattern that the best of them match.
    begins: String,
    is_empty: bool,
    /// What makes the comparison quick where only plain letters were typed.
    collation: &'static str,
    reach: Reach<'a>,
}

impl Asked<'_> {
    fn from(&self) -> &str {
        let (Reach::All(machines) | Reach::Part(machines)) = self.reach;
        machines
    }

    /// Whether a value fits.
    fn fits(&self, value: &str) -> String {
        if self.is_empty {
            format!("{value} <> ''")
        } else {
            format!(
                "{value} <> '' AND {value}{} ILIKE {}",
                self.collation, self.contains
            )
        }
    }

    /// Of `found (value, count)` the best.
    fn best(&self, is_part: &str, found: &str) -> String {
        format!(
            "SELECT value::text, count::bigint, {is_part} FROM ({found}) found WHERE {fits} AND length(value) <= {LONGEST} \
             ORDER BY value ILIKE {begins} DESC, count DESC NULLS LAST, value LIMIT {MOST}",
            fits = self.fits("value"),
            begins = self.begins,
        )
    }

    fn column(&self, column: &Column) -> String {
        let machines = self.from();
        let value = column.sql;
        if HAVE_MANY_VALUES.contains(&column.name) {
            let looked = format!(
                "WITH looked AS MATERIALIZED (SELECT ({value})::text AS value FROM {machines} WHERE {fits} LIMIT {HITS}) \
                 SELECT value, count(*) AS count, (SELECT count(*) FROM looked) >= {HITS} AS is_part FROM looked GROUP BY 1",
                fits = self.fits(value),
            );
            return self.best("is_part", &looked);
        }
        // Few values: many machines have each, and each is looked at once.
        self.best(
            "FALSE",
            &format!(
                "SELECT ({value})::text AS value, count(*) AS count FROM {machines} GROUP BY 1"
            ),
        )
    }

    fn machines(&self) -> String {
        let machines = self.from();
        let (serial, hostname) = ("machine.serial", "machine.hostname");
        let any = self.is_empty;
        let test = |column: &str| {
            if any {
                "TRUE".to_owned()
            } else {
                format!("{column}{} ILIKE {}", self.collation, self.contains)
            }
        };
        self.best(
            "FALSE",
            &format!(
                "SELECT CASE WHEN {named} AND hostname <> '' THEN hostname ELSE serial END AS value, 1 AS count FROM ( \
                 SELECT {serial}::text AS serial, {hostname}::text AS hostname FROM {machines} \
                 WHERE {of_serial} OR {of_name} LIMIT 200) machine",
                named = test("hostname"),
                of_serial = test(serial),
                of_name = test(hostname),
            ),
        )
    }

    /// The values of a dictionary: those that an index has, one after the other.
    fn walk(&self, words: &Dictionary) -> String {
        let Dictionary {
            from,
            value,
            shown,
            only,
        } = words;
        self.best(
            "FALSE",
            &format!(
                "WITH RECURSIVE known (value) AS ( \
                 (SELECT {value} FROM {from} WHERE {only} ORDER BY {value} LIMIT 1) UNION ALL \
                 SELECT (SELECT {value} FROM {from} WHERE {only} AND {value} > known.value ORDER BY {value} LIMIT 1) \
                 FROM known WHERE known.value IS NOT NULL) \
                 SELECT {shown} AS value, NULL AS count FROM known WHERE length(value) < {INDEXED} LIMIT {LONGEST_WALK}"
            ),
        )
    }

    /// Names of groups or units; those of all machines also where no machine is in them.
    fn places(&self, kind: &RowKind) -> String {
        let RowKind {
            from, machine, key, ..
        } = kind;
        let counted = match self.reach {
            Reach::All(machines) => format!(
                "SELECT related.name::text AS value, \
                 (SELECT count(*) FROM {machines} WHERE {key} = {machine}) AS count FROM {from}"
            ),
            Reach::Part(machines) => format!(
                "SELECT related.name::text AS value, count(*) AS count FROM {from} \
                 JOIN ({machines}) ON {key} = {machine} GROUP BY 1"
            ),
        };
        self.best(
            "FALSE",
            &format!("SELECT value, sum(count) AS count FROM ({counted}) place GROUP BY 1"),
        )
    }

    /// Names of facts with their sources, from one pair to the next along their index.
    fn facts(&self) -> String {
        let name = format!("left(fact_name, {INDEXED})");
        self.best(
            "FALSE",
            &format!(
                "WITH RECURSIVE known (name, source) AS ( \
                 (SELECT {name}, management_source_id FROM server_fact ORDER BY {name}, management_source_id LIMIT 1) \
                 UNION ALL SELECT next.* FROM known CROSS JOIN LATERAL ( \
                 SELECT {name}, management_source_id FROM server_fact \
                 WHERE ({name}, management_source_id) > (known.name, known.source) \
                 ORDER BY {name}, management_source_id LIMIT 1) next) \
                 SELECT source.name || '/' || known.name AS value, NULL AS count \
                 FROM (SELECT * FROM known LIMIT {LONGEST_WALK}) known \
                 JOIN server_managementsource source ON source.id = known.source WHERE length(known.name) < {INDEXED}"
            ),
        )
    }

    /// Names and bundle identifiers of applications; those that many have come first.
    fn applications(&self, columns: &[&str]) -> String {
        let found: Vec<String> = columns
            .iter()
            .map(|column| {
                format!(
                    "(SELECT id, {column}::text AS value FROM inventory_application WHERE {fits} \
                     ORDER BY {column} ILIKE {begins} DESC, length({column}), id LIMIT 200)",
                    fits = self.fits(column),
                    begins = self.begins,
                )
            })
            .collect();
        let found = found.join(" UNION ALL ");
        self.best(
            "FALSE",
            &format!(
                "SELECT value, nullif(sum(installs), 0) AS count FROM ( \
                 SELECT value, (SELECT count(*) FROM (SELECT FROM inventory_inventoryitem item \
                 WHERE item.application_id = application.id LIMIT {COUNTED}) counted) AS installs \
                 FROM ({found}) application) installed GROUP BY value"
            ),
        )
    }

    /// The rows of some machines.
    fn of_machines(&self, kind: &RowKind, value: &str, which: &str) -> String {
        let RowKind {
            from,
            machine,
            key,
            always,
            ..
        } = kind;
        let looked = format!(
            "WITH machine AS MATERIALIZED (SELECT machine.* FROM {machines} WHERE machine.last_checkin IS NOT NULL \
             ORDER BY machine.last_checkin DESC LIMIT {MACHINES}) \
             SELECT ({value})::text AS value, count(DISTINCT machine.id) AS count, \
             (SELECT count(*) FROM machine) >= {MACHINES} AS is_part \
             FROM {from} JOIN machine ON {machine} = {key} WHERE {always} AND {which} GROUP BY 1",
            machines = self.from(),
        );
        self.best("is_part", &looked)
    }

    /// The first rows that there are.
    fn first_rows(&self, kind: &RowKind, value: &str, which: &str) -> String {
        let RowKind {
            from,
            machine,
            always,
            ..
        } = kind;
        let looked = format!(
            "WITH looked AS MATERIALIZED (SELECT ({value})::text AS value, {machine} AS machine FROM {from} \
             WHERE {always} AND {which} LIMIT {ROWS}) \
             SELECT value, count(DISTINCT machine) AS count, (SELECT count(*) FROM looked) >= {ROWS} AS is_part \
             FROM looked GROUP BY 1"
        );
        self.best("is_part", &looked)
    }
}

impl Writer {
    fn rows_for(
        &mut self,
        kind: &'static RowKind,
        column: &Column,
        of: Option<&str>,
        asked: &Asked<'_>,
    ) -> Option<String> {
        let which = match of {
            Some(of) => {
                let compare = Compare::new(kind.name, Op::Set).of(of);
                RowNode::All(check::which(&compare, kind, &Place::default()).ok()?)
            }
            None => RowNode::All(Vec::new()),
        };
        let is_all = matches!(asked.reach, Reach::All(_));
        let found = match (kind.name, column.name) {
            ("group" | "unit", "name") => Some(asked.places(kind)),
            ("application", "name" | "bundle_id") if is_all => {
                let own = if column.name == "name" {
                    "name"
                } else {
                    "bundleid"
                };
                Some(asked.applications(&[own]))
            }
            (_, "name" | "identifier") if is_all && of.is_none() => {
                dictionary(kind).map(|words| asked.walk(words))
            }
            _ => None,
        };
        if let Some(found) = found {
            return Some(found);
        }
        let which = self.row(&which);
        let is_found_by_index = matches!(kind.name, "fact" | "plugin" | "application");
        Some(if is_all && of.is_some() && is_found_by_index {
            asked.first_rows(kind, column.sql, &which)
        } else {
            asked.of_machines(kind, column.sql, &which)
        })
    }

    fn names_of(&mut self, kind: &'static RowKind, asked: &Asked<'_>) -> Option<String> {
        let is_all = matches!(asked.reach, Reach::All(_));
        let value = match kind.of {
            Of::Nothing => return None,
            Of::SourceAndName if is_all && kind.name == "fact" => return Some(asked.facts()),
            Of::PluginAndRow if is_all => return Some(asked.walk(&PLUGINS)),
            Of::NameOrBundle if is_all => return Some(asked.applications(&["name", "bundleid"])),
            Of::Column(_) if is_all && dictionary(kind).is_some() => {
                return dictionary(kind).map(|words| asked.walk(words));
            }
            Of::SourceAndName => format!(
                "coalesce({source}, '') || '/' || related.fact_name",
                source = kind.column("source")?.sql
            ),
            Of::PluginAndRow => "submission.plugin || '/' || related.pluginscript_name".to_owned(),
            Of::NameOrBundle => kind.column("name")?.sql.to_owned(),
            Of::Column(column) => kind.column(column)?.sql.to_owned(),
        };
        Some(asked.of_machines(kind, &value, "TRUE"))
    }
}

/// Names that an index has in their order.
struct Dictionary {
    from: &'static str,
    /// The expression that the index is over.
    value: &'static str,
    /// What is shown of `value`.
    shown: &'static str,
    /// What the index is limited to.
    only: &'static str,
}

fn dictionary(kind: &RowKind) -> Option<&'static Dictionary> {
    Some(match kind.name {
        "fact" => &FACTS,
        "profile" => &PROFILES,
        "payload" => &PAYLOADS,
        _ => return None,
    })
}

const FACTS: Dictionary = Dictionary {
    from: "server_fact",
    value: "left(fact_name, 200)",
    shown: "value",
    only: "TRUE",
};
const PLUGINS: Dictionary = Dictionary {
    from: "server_pluginscriptrow",
    value: "left(submission_and_script_name, 200)",
    shown: "regexp_replace(value, ': ', '/')",
    only: "TRUE",
};
const PROFILES: Dictionary = Dictionary {
    from: "profiles_profile",
    value: "identifier::text",
    shown: "value",
    only: "TRUE",
};
const PAYLOADS: Dictionary = Dictionary {
    from: "profiles_payload",
    value: "identifier::text",
    shown: "value",
    only: "TRUE",
};
/// Columns in which nearly each machine has another value.
const HAVE_MANY_VALUES: [&str; 3] = ["serial", "hostname", "console_user"];
/// So many machines with a value that fits are looked at there.
const HITS: usize = 2_000;
/// How many values are returned.
const MOST: usize = 20;
/// A longer value is of no use in a filter.
const LONGEST: usize = 500;
/// How many characters of a name are in its index.
const INDEXED: usize = 200;
/// So many different names are looked at.
const LONGEST_WALK: usize = 5_000;
/// So many rows of one name.
const ROWS: usize = 20_000;
/// So many machines, with all of their rows.
const MACHINES: usize = 200;
/// Up to so many machines an application's are counted.
const COUNTED: usize = 500;
