//! What a server would find in a database and do to it, before it does: for `sal db check`.
//!
//! The facts are read here too; what they mean is decided purely.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Client, Error};

use super::{ADDITIONS, Addition, Difference, Found, Severity, differences, look};

/// Whose database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing is in it.
    Empty,
    /// It holds tables, and none of Sal's.
    Strange,
    /// It holds Sal's tables, and a server of this house has not been there.
    Original,
    /// It holds Sal's tables and additions of ours.
    Ours,
}

/// What stands in a server's way, and what it would add.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Whose it is.
    pub kind: Kind,
    /// The worst first.
    pub differences: Vec<Difference>,
    /// Our additions that the next server makes, as far as nothing stands in the way.
    pub to_add: Vec<&'static Addition>,
}

impl Standing {
    /// The worst that was found.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.differences
            .iter()
            .map(|difference| difference.severity)
            .min()
    }
}

/// Reads where a database stands; changes nothing.
///
/// # Errors
/// Postgres's.
pub async fn standing(db: &Client) -> Result<Standing, Error> {
    let ours = Ours::read(db).await?;
    let kind = match look(db).await? {
        Found::Sal if ours.recorded.is_empty() => Kind::Original,
        Found::Sal => Kind::Ours,
        Found::Nothing if ours.other_tables == 0 => Kind::Empty,
        Found::Nothing => Kind::Strange,
    };
    let mut found = match kind {
        // What may not be read cannot be compared, and the rights are all that there is to say.
        Kind::Original | Kind::Ours if ours.closed_tables.is_empty() => differences(db).await?,
        _ => Vec::new(),
    };
    found.extend(ours.closed());
    found.extend(ours.obstacles(ADDITIONS));
    found.sort_by_key(|difference| difference.severity);
    Ok(Standing {
        kind,
        differences: found,
        to_add: ours.missing(ADDITIONS).collect(),
    })
}

/// What an administrator took back of our additions, in words; a server warns of it.
///
/// # Errors
/// Postgres's.
pub async fn taken_back(db: &Client) -> Result<Vec<Difference>, Error> {
    Ok(Ours::read(db).await?.taken_back(ADDITIONS))
}

/// Why a server should not touch a database: it is another program's, or this login may not use it.
///
/// # Errors
/// Postgres's.
pub async fn keep_out(db: &Client) -> Result<Option<String>, Error> {
    let ours = Ours::read(db).await?;
    Ok(match look(db).await? {
        Found::Nothing if ours.other_tables > 0 => Some(
            "the database has tables, and none of Sal's: check DB_NAME. To make Sal's tables beside them, run `sal db init`"
                .to_owned(),
        ),
        Found::Nothing => None,
        Found::Sal => ours
            .closed()
            .filter(|closed| closed.severity == Severity::Blocking)
            .map(|closed| closed.what),
    })
}

/// What is there of ours, and what this login may.
#[derive(Debug, Clone, Default)]
struct Ours {
    /// The names in `salrs_schema`, and whether each was taken back.
    recorded: BTreeMap<String, bool>,
    /// Tables and indexes with our prefix.
    relations: BTreeSet<String>,
    /// Tables that are not ours.
    other_tables: i64,
    user: String,
    /// Where tables would be made; `None` where the search path leads nowhere.
    schema: Option<String>,
    may_create: bool,
    /// Owners of tables on the search path whose rights this login does not have.
    foreign_owners: Vec<String>,
    /// Tables with names as Sal's that this login may not read and write.
    closed_tables: Vec<String>,
}

impl Ours {
    async fn read(db: &Client) -> Result<Self, Error> {
        let row = db.query_one(FACTS, &[]).await?;
        let mut ours = Self {
            relations: row.try_get::<_, Vec<String>>(0)?.into_iter().collect(),
            other_tables: row.try_get(1)?,
            user: row.try_get(2)?,
            schema: row.try_get(3)?,
            may_create: row.try_get(4)?,
            foreign_owners: row.try_get(5)?,
            closed_tables: row.try_get(6)?,
            recorded: BTreeMap::new(),
        };
        if ours.relations.contains(RECORD_TABLE) {
            // One that may not be read is like one that is not there: the rights are named.
            let readable = "SELECT has_table_privilege('salrs_schema', 'SELECT')";
            if !db.query_one(readable, &[]).await?.try_get::<_, bool>(0)? {
                ours.closed_tables.push(RECORD_TABLE.to_owned());
                return Ok(ours);
            }
            for row in db.query(RECORDED, &[]).await? {
                ours.recorded.insert(row.try_get(0)?, row.try_get(1)?);
            }
        }
        Ok(ours)
    }

    fn missing<'a>(
        &self,
        additions: &'a [Addition],
    ) -> impl Iterator<Item = &'a Addition> + use<'a, '_> {
        additions
            .iter()
            .filter(|addition| !self.recorded.contains_key(addition.name))
    }

    fn obstacles(&self, additions: &[Addition]) -> Vec<Difference> {
        let mut found = self.in_the_way(additions);
        found.extend(self.gone(additions));
        found.extend(self.rights(additions));
        let attention = |what| Difference {
            severity: Severity::Attention,
            what,
        };
        let mut found: Vec<_> = found.into_iter().map(attention).collect();
        found.extend(self.taken_back(additions));
        found
    }

    /// Things with a name of ours that nothing records: making the addition would fail.
    fn in_the_way(&self, additions: &[Addition]) -> Vec<String> {
        let mut found = Vec::new();
        for addition in self.missing(additions) {
            let names = statements(addition.up).filter_map(|statement| match statement {
                Statement::Makes(name, IfThere::Fails) => Some(name),
                _ => None,
            });
            for name in names.filter(|name| self.relations.contains(*name)) {
                found.push(format!(
                    "`{name}` is there, and `{RECORD_TABLE}` does not record our addition {}, which makes it: the addition would fail. Rename `{name}`, or drop it if it can be lost",
                    addition.name
                ));
            }
        }
        found
    }

    /// What is recorded and is not there.
    fn gone(&self, additions: &[Addition]) -> Vec<String> {
        let recorded = additions
            .iter()
            .filter(|addition| self.recorded.get(addition.name) == Some(&false));
        let mut made = BTreeMap::new();
        for addition in recorded {
            for statement in statements(addition.up) {
                match statement {
                    Statement::Makes(name, _) => {
                        made.insert(name, addition.name);
                    }
                    Statement::Drops(name) => {
                        made.remove(name);
                    }
                }
            }
        }
        made.iter()
            .filter(|(name, _)| !self.relations.contains(**name))
            .map(|(name, addition)| {
                format!(
                    "`{name}` of our addition {addition} is gone: `sal db take-back {addition}`, then `sal db init` makes it again"
                )
            })
            .collect()
    }

    /// What an administrator took out: a start does not bring it back.
    fn taken_back(&self, additions: &[Addition]) -> Vec<Difference> {
        let of_kind = |only_saves: bool| -> Vec<&str> {
            let taken = additions.iter().filter(|addition| {
                addition.only_saves == only_saves && self.recorded.get(addition.name) == Some(&true)
            });
            taken.map(|addition| addition.name).collect()
        };
        let lines = [
            (
                false,
                Severity::Attention,
                "what needs them does not work, such as logging in to the pages",
            ),
            (
                true,
                Severity::Note,
                "check-ins and pages cost the database more",
            ),
        ];
        let told = lines
            .into_iter()
            .filter_map(|(only_saves, severity, means)| {
                let names = of_kind(only_saves);
                (!names.is_empty()).then(|| Difference {
                    severity,
                    what: format!(
                        "taken back: {}. Without them {means}; `sal db init` makes them again",
                        names.join(", ")
                    ),
                })
            });
        told.collect()
    }

    /// Tables that this login may not use.
    fn closed(&self) -> Option<Difference> {
        let tables = match self.closed_tables.as_slice() {
            [] => return None,
            few if few.len() <= MOST_NAMED => format!("`{}`", few.join("`, `")),
            [first, ..] => format!("{} tables, `{first}` among them", self.closed_tables.len()),
        };
        let (user, owners) = (&self.user, self.foreign_owners.join("`, `"));
        let whose = match owners.as_str() {
            "" => String::new(),
            owners => format!(", or log in as their owner (`{owners}`) or a member of it"),
        };
        let is_needed = |table: &String| NEEDED.contains(&table.as_str());
        Some(Difference {
            severity: match self.closed_tables.iter().any(is_needed) {
                true => Severity::Blocking,
                false => Severity::Attention,
            },
            what: format!(
                "`{user}` may not read and write {tables}: GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES and USAGE ON ALL SEQUENCES in their schema to it{whose}"
            ),
        })
    }

    fn rights(&self, additions: &[Addition]) -> Vec<String> {
        let (user, mut found) = (&self.user, Vec::new());
        let owners = self.foreign_owners.join("`, `");
        let how = match self.foreign_owners.first() {
            None => String::new(),
            Some(owner) => format!(", or log in as `{owner}` or a member of it"),
        };
        if self.missing(additions).any(|addition| !addition.only_saves) && !self.may_create {
            found.push(match &self.schema {
                Some(schema) => format!(
                    "`{user}` may not create tables in schema `{schema}`: GRANT CREATE ON SCHEMA {schema} TO {user}{how}"
                ),
                None => format!(
                    "the search path of `{user}` names no schema that is there, so no table can be made: see SHOW search_path"
                ),
            });
        }
        let savings: Vec<_> = self
            .missing(additions)
            .filter(|addition| addition.only_saves && is_of_sals_tables(addition))
            .map(|addition| addition.name)
            .collect();
        if !owners.is_empty() && !savings.is_empty() {
            found.push(format!(
                "`{user}` is not the owner of Sal's tables (`{owners}` is): {} would be left out, and check-ins and pages would cost the database more",
                savings.join(", ")
            ));
        }
        found
    }
}

/// Without these no check-in can be stored, and nobody can log in.
const NEEDED: [&str; 10] = [
    "auth_user",
    "server_fact",
    "server_machine",
    "server_machinegroup",
    "server_manageditem",
    "server_manageditemhistory",
    "server_managementsource",
    "server_message",
    "server_pluginscriptrow",
    "server_pluginscriptsubmission",
];
/// More names than this are a number.
const MOST_NAMED: usize = 3;

/// Whether it changes what is Sal's, which takes its owner.
fn is_of_sals_tables(addition: &Addition) -> bool {
    let makes_tables = addition.up.contains("CREATE TABLE");
    !makes_tables
}

/// What a text makes and drops, as far as names go.
fn statements(sql: &str) -> impl Iterator<Item = Statement<'_>> {
    sql.lines()
        .filter(|line| !line.trim_start().starts_with("--"))
        .flat_map(|line| line.split(';'))
        .flat_map(statement)
}

/// What one line of a text says. A list of names, as `DROP TABLE a, b`, gives several.
fn statement(line: &str) -> Vec<Statement<'_>> {
    let mut words = line
        .split([' ', ',', '('])
        .filter(|word| !word.is_empty())
        .peekable();
    let verb = words.next();
    if words.peek() == Some(&"UNIQUE") {
        words.next();
    }
    if !matches!(words.next(), Some("TABLE" | "INDEX")) {
        return Vec::new();
    }
    let rest: Vec<_> = words.collect();
    let is_tolerant = rest.first() == Some(&"IF");
    let mut names = rest
        .into_iter()
        .filter(|word| !matches!(*word, "IF" | "NOT" | "EXISTS"))
        .filter(|word| word.starts_with("salrs_"));
    match verb {
        Some("CREATE") => {
            let if_there = match is_tolerant {
                true => IfThere::Stays,
                false => IfThere::Fails,
            };
            let made = names.next().map(|name| Statement::Makes(name, if_there));
            made.into_iter().collect()
        }
        Some("DROP") => names.map(Statement::Drops).collect(),
        _ => Vec::new(),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Statement<'a> {
    Makes(&'a str, IfThere),
    Drops(&'a str),
}

/// What a statement does about a thing that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IfThere {
    Stays,
    Fails,
}

const RECORD_TABLE: &str = "salrs_schema";

/// The column came later than the table.
const RECORDED: &str =
    "SELECT s.name, to_jsonb(s) ->> 'taken_back' IS NOT NULL FROM salrs_schema s";

/// What is visible, and what this login may with it. Extensions bring tables of their own, which are nobody's.
const FACTS: &str = "
WITH visible AS (
    SELECT c.oid, c.relname::text AS name, c.relkind, c.relowner FROM pg_class c
    WHERE pg_table_is_visible(c.oid)
      AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
), others AS (
    SELECT * FROM visible WHERE relkind IN ('r', 'p') AND name NOT LIKE 'salrs\\_%'
)
SELECT ARRAY(SELECT name FROM visible WHERE name LIKE 'salrs\\_%' ORDER BY 1),
       (SELECT count(*) FROM others),
       current_user::text,
       current_schema()::text,
       COALESCE(has_schema_privilege(current_schema(), 'CREATE'), false),
       ARRAY(SELECT DISTINCT pg_get_userbyid(relowner)::text FROM others
             WHERE NOT pg_has_role(relowner, 'USAGE') ORDER BY 1),
       ARRAY(SELECT name FROM others WHERE name ~ '^(auth|catalog|django|inventory|licenses|profiles|search|server)_' AND NOT (
                 has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
                 AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE')) ORDER BY 1)";

#[cfg(test)]
mod tests {
    use super::*;

    /// A database with all that the additions make.
    fn whole() -> Ours {
        let mut ours = Ours {
            user: "sal".to_owned(),
            schema: Some("public".to_owned()),
            may_create: true,
            ..Ours::default()
        };
        ours.relations.insert(RECORD_TABLE.to_owned());
        for addition in ADDITIONS {
            ours.recorded.insert(addition.name.to_owned(), false);
            for statement in statements(addition.up) {
                match statement {
                    Statement::Makes(name, _) => ours.relations.insert(name.to_owned()),
                    Statement::Drops(name) => ours.relations.remove(name),
                };
            }
        }
        ours
    }

    fn text(ours: &Ours) -> String {
        let found = ours.obstacles(ADDITIONS);
        let lines: Vec<_> = found.into_iter().map(|found| found.what).collect();
        lines.join("\n")
    }

    #[test]
    fn a_whole_database_and_an_untouched_one_have_no_obstacle() {
        assert_eq!(text(&whole()), "");
        assert_eq!(whole().missing(ADDITIONS).count(), 0);
        let untouched = Ours {
            recorded: BTreeMap::new(),
            relations: BTreeSet::new(),
            ..whole()
        };
        assert_eq!(text(&untouched), "");
        assert_eq!(untouched.missing(ADDITIONS).count(), ADDITIONS.len());
    }

    #[test]
    fn a_lost_table_a_lost_record_and_one_taken_back_are_told_apart() {
        let mut lost = whole();
        lost.relations.remove("salrs_setup_link");
        assert_eq!(
            text(&lost),
            "`salrs_setup_link` of our addition 0001-sessions is gone: `sal db take-back 0001-sessions`, then `sal db init` makes it again"
        );
        lost.recorded.insert("0001-sessions".to_owned(), true);
        lost.relations.remove("salrs_session");
        assert_eq!(
            text(&lost),
            "taken back: 0001-sessions. Without them what needs them does not work, such as logging in to the pages; `sal db init` makes them again"
        );
        let mut dearer = whole();
        dearer.recorded.insert("0003-fill-factor".to_owned(), true);
        let severities: Vec<_> = dearer
            .obstacles(ADDITIONS)
            .iter()
            .map(|found| found.severity)
            .collect();
        assert_eq!(severities, [Severity::Note]);
        let mut unrecorded = whole();
        unrecorded.recorded.remove("0009-jobs");
        assert!(
            text(&unrecorded).starts_with(
                "`salrs_job` is there, and `salrs_schema` does not record our addition 0009-jobs"
            ),
            "{}",
            text(&unrecorded)
        );
    }

    #[test]
    fn missing_rights_name_the_owner_and_the_statement() {
        let mut guest = Ours {
            recorded: BTreeMap::new(),
            relations: BTreeSet::new(),
            may_create: false,
            foreign_owners: vec!["owner".to_owned()],
            closed_tables: vec!["server_fact".to_owned()],
            ..whole()
        };
        let said = text(&guest);
        for part in [
            "`sal` may not create tables in schema `public`: GRANT CREATE ON SCHEMA public TO sal, or log in as `owner`",
            "`sal` is not the owner of Sal's tables (`owner` is): 0003-fill-factor, 0008-software-indexes, 0010-page-indexes, 0013-bounded-page-indexes would be left out",
        ] {
            assert!(said.contains(part), "{part}\nnot in\n{said}");
        }
        let closed = guest.closed().unwrap();
        assert_eq!(closed.severity, Severity::Blocking);
        assert!(
            closed
                .what
                .starts_with("`sal` may not read and write `server_fact`: GRANT SELECT")
                && closed.what.contains("(`owner`)"),
            "{closed:?}"
        );
        guest.closed_tables = vec!["server_fact".to_owned(); 42];
        assert!(guest.closed().unwrap().what.contains("42 tables"));
        guest.schema = None;
        assert!(text(&guest).contains("SHOW search_path"));
    }

    #[test]
    fn names_are_read_from_every_kind_of_statement() {
        let sql = "-- CREATE TABLE salrs_comment\nCREATE TABLE salrs_a (x text);\nCREATE UNIQUE INDEX IF NOT EXISTS salrs_b ON server_fact (y);\nDROP TABLE IF EXISTS salrs_c, salrs_d;\nALTER TABLE salrs_e SET (x = 1);";
        let found: Vec<_> = statements(sql).collect();
        assert_eq!(
            found,
            [
                Statement::Makes("salrs_a", IfThere::Fails),
                Statement::Makes("salrs_b", IfThere::Stays),
                Statement::Drops("salrs_c"),
                Statement::Drops("salrs_d"),
            ]
        );
    }
}
