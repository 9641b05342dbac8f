//! Counts per value as one `SELECT` with three columns: value, second value, count; most first.

use jiff::Timestamp;

use super::{Fragment, Parameter, Writer, rows::Rows};
use crate::{
    group::{Grouping, Values},
    related::Related,
};

impl Grouping {
    /// Writes the counts as SQL over `machines`, a `FROM` item whose alias is [`super::MACHINE`], with parameters
    /// numbered from `first` and at most `limit` rows.
    #[must_use]
    pub fn to_sql(&self, machines: &str, limit: u16, now: Timestamp, first: usize) -> Fragment {
        let mut writer = Writer::new(now, first);
        let condition = writer.condition(&self.condition);
        let body = writer.body(&self.values, machines, &condition);
        let text = format!(
            "SELECT {body} HAVING count(*) >= {at_least} ORDER BY 3 DESC, 1, 2 LIMIT {limit}",
            at_least = self.at_least.max(1),
        );
        Fragment {
            text,
            parameters: writer.parameters,
        }
    }
}

impl Writer {
    fn body(&mut self, values: &Values, machines: &str, condition: &str) -> String {
        match values {
            Values::Field { first, then } => {
                let value = self.shape(first.field(), first.shape());
                let then = then.as_ref().map_or_else(
                    || "NULL".to_owned(),
                    |then| self.shape(then.field(), then.shape()),
                );
                format!(
                    "coalesce(({value})::text, '') AS value, ({then})::text AS then, count(*) AS count \
                     FROM {machines} WHERE {condition} GROUP BY 1, 2"
                )
            }
            Values::Related {
                related,
                explode,
                missing,
            } => self.related_values(
                related,
                explode.as_deref(),
                missing.as_deref(),
                machines,
                condition,
            ),
            Values::Messages { levels } => {
                let levels = self.parameter(Parameter::Texts(levels.clone()));
                format!(
                    "coalesce(message.text, '') AS value, message.message_type::text AS then, count(*) AS count \
                     FROM {machines} JOIN server_message message ON message.machine_id = machine.id \
                     AND message.message_type = ANY({levels}) WHERE {condition} GROUP BY 1, 2"
                )
            }
        }
    }

    fn related_values(
        &mut self,
        related: &Related,
        explode: Option<&str>,
        missing: Option<&str>,
        machines: &str,
        condition: &str,
    ) -> String {
        let rows = Rows::of(related);
        let found = self.matches(related);
        let (value, from) = match explode {
            Some(separator) => {
                let separator = self.parameter(Parameter::Text(separator.to_owned()));
                let parts = format!(
                    "{} CROSS JOIN LATERAL unnest(string_to_array({}, {separator})) part",
                    rows.from, rows.value
                );
                ("part".to_owned(), parts)
            }
            None => (rows.value.to_owned(), rows.from.to_owned()),
        };
        let machine = rows.machine;
        let (join, shown) = match missing {
            Some(missing) => {
                let missing = self.parameter(Parameter::Text(missing.to_owned()));
                ("LEFT JOIN", format!("coalesce(found.value, {missing})"))
            }
            None => ("JOIN", "found.value".to_owned()),
        };
        format!(
            "{shown} AS value, NULL::text AS then, count(*) AS count FROM {machines} \
             {join} (SELECT DISTINCT {machine} AS machine_id, {value} AS value FROM {from} \
             WHERE {found} AND {value} <> '') found ON found.machine_id = machine.id \
             WHERE {condition} GROUP BY 1, 2"
        )
    }
}
