//! What search_machines shows of each machine.

use sal_http::App;
use sal_query::{
    By, Field,
    catalogue::{self, Subject},
    sql::value::MachineValue,
};
use sal_store::{FieldValue, devices::DeviceRow};
use serde_json::{Map, Value as Json};

use super::{Refusal, listing};

/// A value of a machine, and what it is called in the answer.
pub(super) struct Shown {
    pub(super) name: String,
    what: What,
}

enum What {
    Field(Field),
    Model,
    Id,
    Group,
    Unit,
    Errors,
    Warnings,
    /// A fact or a plugin's value, by its place among those.
    Value(usize),
}

/// All that is shown.
pub(super) struct Columns {
    shown: Vec<Shown>,
    /// What has to be asked for beside the machines.
    pub(super) values: Vec<MachineValue>,
}

impl Columns {
    /// Reads names as filters have them; the usual ones without any.
    ///
    /// # Errors
    /// Names the one that is none.
    pub(super) fn read(names: Option<Vec<&str>>) -> Result<Self, Refusal> {
        let names = names.filter(|names| !names.is_empty());
        let names = names.unwrap_or_else(|| USUAL.to_vec());
        if names.len() > MOST_COLUMNS {
            return Err(Refusal::new("`columns` has 1 to 20 names."));
        }
        let mut columns = Self {
            shown: Vec::new(),
            values: Vec::new(),
        };
        for name in names {
            let what = columns.what(name)?;
            let name = name.to_owned();
            columns.shown.push(Shown { name, what });
        }
        if columns.values.len() > MOST_VALUES {
            return Err(Refusal::new(
                "`columns` has at most 5 facts and plugin values.",
            ));
        }
        Ok(columns)
    }

    fn what(&mut self, name: &str) -> Result<What, Refusal> {
        match name {
            "errors" => return Ok(What::Errors),
            "warnings" => return Ok(What::Warnings),
            _ => {}
        }
        let by = By::parse(name).map_err(|error| {
            Refusal::new(format!("`columns`: {error}. list_fields has all names."))
        })?;
        match by {
            By::Column(column) => match (Field::parse(column.name), column.name) {
                (Some(field), _) => Ok(What::Field(field)),
                (None, "model") => Ok(What::Model),
                (None, "id") => Ok(What::Id),
                _ => Err(not_shown(name)),
            },
            By::Single(..) => match catalogue::find(name) {
                Some(Subject::Single(kind, column)) if column.name == "name" => match kind.name {
                    "group" => Ok(What::Group),
                    _ => Ok(What::Unit),
                },
                _ => Err(not_shown(name)),
            },
            By::Value(related) => {
                self.values.push(MachineValue::Related(related));
                Ok(What::Value(self.values.len() - 1))
            }
        }
    }

    /// A machine as an object, with the values that were asked for beside it.
    pub(super) fn object(&self, row: &DeviceRow, values: &[Option<String>], app: &App) -> Json {
        let shown = self.shown.iter().map(|shown| {
            let value = match shown.what {
                What::Field(field) => field_of(row.machine.value(field), app),
                What::Model => {
                    let sold = row.machine.machine_model_friendly.as_deref();
                    let sold = sold.filter(|model| !model.is_empty());
                    listing::maybe(sold.or(row.machine.machine_model.as_deref()))
                }
                What::Id => row.id.0.into(),
                What::Group => listing::short(&row.group),
                What::Unit => listing::short(&row.unit),
                What::Errors => row.errors.into(),
                What::Warnings => row.warnings.into(),
                What::Value(place) => listing::maybe(values.get(place).and_then(Option::as_deref)),
            };
            (shown.name.clone(), value)
        });
        Json::Object(shown.collect::<Map<_, _>>())
    }
}

pub(super) fn field_of(value: FieldValue<'_>, app: &App) -> Json {
    match value {
        FieldValue::Missing => Json::Null,
        FieldValue::Text(text) => listing::short(text),
        FieldValue::Whole(number) => number.into(),
        FieldValue::Flag(flag) => flag.into(),
        FieldValue::Time(at) => listing::time(at, app),
    }
}

fn not_shown(name: &str) -> Refusal {
    Refusal::new(format!(
        "`columns`: `{name}` can be filtered by, and is not shown here. get_machine shows everything of one machine."
    ))
}

const USUAL: [&str; 8] = [
    "serial",
    "hostname",
    "user",
    "os_version",
    "model",
    "group",
    "unit",
    "last_checkin",
];
const MOST_COLUMNS: usize = 20;
const MOST_VALUES: usize = 5;
