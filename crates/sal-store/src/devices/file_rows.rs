//! Lines of a file: as those of the list, with only what its columns are made of.
//!
//! A file of 100,000 machines usually has a few columns. What none of them shows is NULL, so that Postgres neither
//! unpacks nor sends it, and messages are counted only where a column shows how many there are.

use sal_query::{Field, Kind};
use tokio_postgres::types::Type;

use super::row::{DeviceRow, UNIT_OF_MACHINE, device_row};
use crate::{
    error::StoreError,
    ids::MachineId,
    machine_query::MACHINES_IN_SCOPE,
    machine_row::MachineRow,
    pool::{Executor, query_typed},
    scope::Scope,
};

/// What the lines of a file have. The id, the names of group and unit and columns that are never empty always are there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileRows {
    fields: Vec<Field>,
    messages: bool,
}

impl FileRows {
    /// With these columns of the machine's own row.
    #[must_use]
    pub fn with(mut self, fields: &[Field]) -> Self {
        self.fields.extend(fields);
        self
    }

    /// With the numbers of errors and warnings, which are 0 else.
    #[must_use]
    pub fn with_messages(mut self) -> Self {
        self.messages = true;
        self
    }

    /// The columns as [`device_row`] takes them.
    fn columns(&self) -> String {
        let own = Field::ALL.iter().map(|field| self.column(*field));
        let own: String = own.collect();
        let (errors, warnings) = if self.messages {
            (
                "coalesce(messages.errors, 0)",
                "coalesce(messages.warnings, 0)",
            )
        } else {
            ("0::bigint", "0::bigint")
        };
        format!(
            "{own}machine.id, machine_group.name, business_unit.name, {errors}, {warnings}, NULL::text"
        )
    }

    /// A column of the machine's own row with a comma behind.
    fn column(&self, field: Field) -> String {
        if self.fields.contains(&field) || !MachineRow::may_miss(field) {
            return format!("machine.{}, ", field.name());
        }
        let kind = match field.kind() {
            Kind::Text => "text",
            Kind::Integer => "bigint",
            Kind::Time => "timestamptz",
            Kind::Boolean => "boolean",
        };
        format!("NULL::{kind}, ")
    }

    fn messages(&self) -> &'static str {
        if self.messages { MESSAGES } else { "" }
    }
}

/// These machines in this order; those that are gone, or out of scope, are left out.
///
/// # Errors
/// When the database cannot be asked.
pub async fn devices_by_ids(
    ids: &[MachineId],
    wanted: &FileRows,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<DeviceRow>, StoreError> {
    let sql = format!(
        "SELECT {columns} FROM {MACHINES_IN_SCOPE} {UNIT_OF_MACHINE} \
         JOIN unnest($2::bigint[]) WITH ORDINALITY wanted (id, place) ON wanted.id = machine.id \
         {messages} ORDER BY wanted.place",
        columns = wanted.columns(),
        messages = wanted.messages(),
    );
    let units = scope.units();
    let rows = query_typed(
        &sql,
        &[(&units, Type::INT4_ARRAY), (&ids, Type::INT8_ARRAY)],
        db,
    )
    .await?;
    rows.iter().map(device_row).collect()
}

/// Counted for all machines of the page together.
const MESSAGES: &str = "LEFT JOIN ( \
        SELECT machine_id, count(*) FILTER (WHERE message_type = 'ERROR') AS errors, \
               count(*) FILTER (WHERE message_type = 'WARNING') AS warnings \
        FROM server_message WHERE machine_id = ANY($2::bigint[]) GROUP BY machine_id \
    ) messages ON messages.machine_id = machine.id";
