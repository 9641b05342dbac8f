//! Which machines a form means: the ticked ones, or all of a list.

use sal_http::{App, AppError, access::Viewer};
use sal_query::Condition;
use sal_store::{Client, devices::bulk::BulkMachine, scope::Scope};

use crate::devices::{list::List, params::ListParams};

/// Which machines.
pub(super) struct Selection {
    pub(super) filter: Condition,
    pub(super) scope: Scope,
    /// The list they were chosen from.
    pub(super) list: ListParams,
    /// Whether the person saw the page that asks.
    pub(super) is_confirmed: bool,
    /// All of the list, and how many that were when the page asked.
    all: Option<usize>,
    is_all: bool,
}

impl Selection {
    /// Reads the form. Ids that are no numbers are none.
    pub(super) async fn of(
        fields: &[(String, String)],
        viewer: &Viewer,
        app: &App,
        db: &Client,
    ) -> Result<Self, AppError> {
        let query = field(fields, "filter").unwrap_or_default();
        let params = ListParams::parse(query)
            .ok_or_else(|| AppError::BadRequest("`filter` is no query of the list.".to_owned()))?
            .at_start();
        let is_all = field(fields, "all") == Some("yes");
        let (filter, scope) = if is_all {
            let list = List::of(params.clone(), viewer, app, db).await?.valid()?;
            (list.filter, list.scope)
        } else {
            (Condition::ids(ids(fields)), viewer.scope.clone())
        };
        Ok(Self {
            filter,
            scope,
            list: params,
            is_confirmed: field(fields, "confirmed") == Some("yes"),
            all: field(fields, "expected").and_then(|expected| expected.parse().ok()),
            is_all,
        })
    }

    /// Whether all of a list are meant, and there are not as many as were shown.
    pub(super) fn is_outdated(&self, found: usize) -> bool {
        self.is_all && self.all != Some(found)
    }

    /// What the page that asks sends back.
    pub(super) fn fields(&self, machines: &[BulkMachine]) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("filter", self.list.query()),
            ("confirmed", "yes".to_owned()),
        ];
        if self.is_all {
            fields.push(("all", "yes".to_owned()));
            fields.push(("expected", machines.len().to_string()));
        } else {
            let ids: Vec<String> = machines
                .iter()
                .map(|machine| machine.id.to_string())
                .collect();
            fields.push(("ids", ids.join(",")));
        }
        fields
    }
}

/// The ticked machines: a field for each, or one with all of them.
fn ids(fields: &[(String, String)]) -> Vec<i64> {
    let ticked = fields
        .iter()
        .filter(|(name, _)| name == "id" || name == "ids");
    let mut ids: Vec<i64> = ticked
        .flat_map(|(_, value)| value.split(','))
        .filter_map(|id| id.parse().ok())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The first field with this name.
pub(super) fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields
        .iter()
        .find(|(field, _)| field == name)
        .map(|(_, value)| value.as_str())
}
