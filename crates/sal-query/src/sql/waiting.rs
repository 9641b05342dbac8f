//! Conditions on items that wait or failed: one of twenty, spread over all pages of the table.
//!
//! The index over them (`salrs_manageditem_waiting`) holds their names, few and repeated: the names that fit are read from
//! it alone, and only rows with such a name from the table. Where the index is missing, it is one more scan.

use super::{Writer, joined, parent::is_narrow};
use crate::condition::RowNode;

impl Writer {
    /// A condition on one such row.
    pub(super) fn waiting_row(&mut self, row: &RowNode) -> String {
        let mut each = |parts: &[RowNode], separator: &str, when_empty: &str| {
            let parts: Vec<String> = parts.iter().map(|part| self.waiting_row(part)).collect();
            joined(&parts, separator, when_empty)
        };
        match row {
            RowNode::All(parts) => each(parts, " AND ", "TRUE"),
            RowNode::Any(parts) => each(parts, " OR ", "FALSE"),
            RowNode::Not(part) => format!("({} IS NOT TRUE)", self.waiting_row(part)),
            // An array of many names would be searched from its beginning for each row.
            RowNode::Test(column, test) if column.sql == NAME && is_narrow(row) => {
                let fulfilled = self.test(test, "waiting.name");
                // The index begins with the source: with all of them named, a name is found by it.
                format!(
                    "({NAME} = ANY(ARRAY(SELECT DISTINCT waiting.name FROM server_manageditem waiting \
                     WHERE waiting.status IN ('PENDING', 'ERROR') AND {fulfilled})) \
                     AND related.management_source_id = ANY(ARRAY(SELECT source.id FROM server_managementsource source)))"
                )
            }
            _ => self.row(row),
        }
    }
}

const NAME: &str = "related.name";
