//! What a URL of the list says, looked up and checked: which machines, under which heading, by which filters.

use jiff::Timestamp;
use sal_http::{App, AppError, access::Viewer};
use sal_plugins::{Filter, OsFamily};
use sal_query::{Condition, Field, Operator, Value};
use sal_store::{
    Client,
    devices::{DeviceFilter, has_devices, known_names},
    scope::Scope,
};

use super::{
    facets,
    params::{ListParams, MOST_NAMES, Restriction},
};
use crate::{
    fleet_part::{FleetPart, visible_group, visible_unit},
    wording,
};

/// A list of machines.
pub(crate) struct List {
    pub(crate) params: ListParams,
    pub(crate) heading: String,
    pub(crate) filter: DeviceFilter,
    pub(crate) scope: Scope,
    /// Its filters, as chips.
    pub(crate) chips: Vec<Chip>,
    part: FleetPart,
    segment: Filter,
}

/// A filter with the way to take it away.
#[derive(Clone)]
pub(crate) struct Chip {
    pub(crate) label: String,
    /// The list without it.
    pub(crate) href: String,
    restriction: Restriction,
}

impl List {
    /// Looks up what the URL names.
    ///
    /// # Errors
    /// Not found for a widget, segment, unit or group that there is not; forbidden for another's unit.
    pub(crate) async fn of(
        params: ListParams,
        viewer: &Viewer,
        app: &App,
        db: &Client,
    ) -> Result<Self, AppError> {
        let segment = segment_filter(params.segment(), app)?;
        let part = match params.place() {
            Some(("group", id)) => FleetPart::Group(visible_group(id, viewer, db).await?),
            Some((_unit, id)) => FleetPart::Unit(visible_unit(id, viewer, db).await?),
            None => FleetPart::All,
        };
        let heading = match part.name() {
            Some(name) => format!("{} in {name}", segment.title),
            None => segment.title.clone(),
        };
        let restrictions = params.restrictions();
        let chip = |restriction| Chip {
            label: label(restriction, &params, &segment, &part),
            href: params.without(restriction).href(),
            restriction,
        };
        Ok(Self {
            heading,
            filter: device_filter(&params, &segment, &part)?,
            scope: part.scope(viewer),
            chips: restrictions.into_iter().map(chip).collect(),
            params,
            part,
            segment,
        })
    }

    /// The last of the filters that alone leaves an empty list empty: taking it away shows machines.
    pub(crate) async fn cause_of_emptiness(
        &self,
        viewer: &Viewer,
        now: Timestamp,
        db: &Client,
    ) -> Result<Option<Chip>, AppError> {
        // One statement for each filter, of which there are few, and only when there is nothing else to show.
        for chip in self.chips.iter().rev() {
            let params = self.params.without(chip.restriction);
            let all = Filter {
                condition: Condition::everything(),
                title: String::new(),
            };
            let segment = params.segment().map_or(&all, |_| &self.segment);
            let part = params.place().map_or(&FleetPart::All, |_| &self.part);
            let filter = device_filter(&params, segment, part)?;
            if has_devices(&filter, now, &part.scope(viewer), db).await? {
                return Ok(Some(chip.clone()));
            }
        }
        Ok(None)
    }

    /// The pasted names that no machine of the viewer's has.
    pub(crate) async fn unknown_names(
        &self,
        viewer: &Viewer,
        db: &Client,
    ) -> Result<Vec<String>, AppError> {
        let mut names = self.params.names();
        if names.is_empty() {
            return Ok(names);
        }
        let known = known_names(&names, &viewer.scope, db).await?;
        names.retain(|name| {
            let upper = name.to_uppercase();
            !known
                .iter()
                .any(|known| known.serial == upper || known.hostname.as_ref() == Some(name))
        });
        Ok(names)
    }
}

/// The machines of a widget's segment, or all.
pub(crate) fn segment_filter(segment: Option<(&str, &str)>, app: &App) -> Result<Filter, AppError> {
    let Some((widget, data)) = segment else {
        return Ok(Filter {
            condition: Condition::everything(),
            title: "All machines".to_owned(),
        });
    };
    let registry = app.registry();
    let plugin = registry.get(widget).ok_or(AppError::NotFound)?;
    plugin.filter(data).ok_or(AppError::NotFound)
}

fn device_filter(
    params: &ListParams,
    segment: &Filter,
    part: &FleetPart,
) -> Result<DeviceFilter, AppError> {
    let mut conditions = vec![
        segment.condition.clone(),
        part.condition()?,
        Condition::search(params.search()),
    ];
    let equals = [
        (Field::OsFamily, params.os_family()),
        (Field::OperatingSystem, params.operating_system()),
    ];
    for (field, value) in equals {
        if let Some(value) = value {
            let value = Value::Text(value.to_owned());
            let condition = Condition::compare(field, Operator::Equal, value)
                .map_err(|error| AppError::internal("narrowing to a value", error))?;
            conditions.push(condition);
        }
    }
    conditions.extend(params.seen().and_then(facets::seen));
    conditions.extend(params.statuses().into_iter().filter_map(facets::status));
    let names = params.names();
    Ok(DeviceFilter {
        names: (!names.is_empty()).then_some(names),
        model_family: params.model_family().map(str::to_owned),
        ..Condition::all(conditions).into()
    })
}

fn label(
    restriction: Restriction,
    params: &ListParams,
    segment: &Filter,
    part: &FleetPart,
) -> String {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    match restriction {
        Restriction::Segment => segment.title.clone(),
        Restriction::Place => format!("In {}", part.name().unwrap_or_default()),
        Restriction::OsFamily => OsFamily::title_of(&text(params.os_family())).to_owned(),
        Restriction::OperatingSystem => format!("Version {}", text(params.operating_system())),
        Restriction::ModelFamily => text(params.model_family()),
        Restriction::Seen => {
            let seen = params.seen().unwrap_or_default();
            facets::label(&facets::SEEN, seen).to_owned()
        }
        Restriction::Status(status) => facets::label(&facets::STATUS, status).to_owned(),
        Restriction::Names => {
            let names = i64::try_from(params.names().len()).unwrap_or_default();
            wording::count_of(names, "pasted name", "pasted names")
        }
        Restriction::Search => format!("“{}”", params.search()),
    }
}

/// What is said of names that were pasted and not found, or not looked for.
pub(crate) fn names_note(unknown: &[String], left_out: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if !unknown.is_empty() {
        let count = i64::try_from(unknown.len()).unwrap_or_default();
        notes.push(format!(
            "{} not found: {}",
            wording::count_of(count, "name was", "names were"),
            unknown.join(", ")
        ));
    }
    if left_out > 0 {
        notes.push(format!(
            "Only the first {MOST_NAMES} names were looked for; {left_out} were left out."
        ));
    }
    notes
}
