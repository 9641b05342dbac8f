//! What a URL of the list says, looked up and checked: which machines, under which heading, by which filters.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sal_http::{App, AppError, access::Viewer};
use sal_plugins::{Filter, OsFamily};
use sal_query::{
    Condition, Expr, FilterError,
    check::{Named, check, check_expr},
    expr::{Compare, Op},
};
use sal_store::{
    Client,
    devices::{has_devices, known_names},
    scope::Scope,
    searches::NamedSearches,
};

use super::{
    facets,
    params::{ListParams, MOST_NAMES},
};
use crate::{
    fleet_part::{FleetPart, visible_group, visible_unit},
    searches::asker,
    wording,
};

/// A list of machines.
pub(crate) struct List {
    pub(crate) params: ListParams,
    pub(crate) heading: String,
    pub(crate) filter: Condition,
    pub(crate) scope: Scope,
    /// The parts of its filter, as chips.
    pub(crate) chips: Vec<Chip>,
    /// Set when the filter makes no sense: then the list is empty.
    pub(crate) error: Option<FilterProblem>,
    part: FleetPart,
    known: Known,
}

/// A part of the filter with the way to take it away.
#[derive(Clone)]
pub(crate) struct Chip {
    pub(crate) label: String,
    /// The list without it.
    pub(crate) href: String,
    part: Expr,
}

impl List {
    /// Looks up what the URL names.
    ///
    /// # Errors
    /// Not found for a unit or group that there is not, or that is another's, and for a widget of an old link.
    pub(crate) async fn of(
        params: ListParams,
        viewer: &Viewer,
        app: &App,
        db: &Client,
    ) -> Result<Self, AppError> {
        let part = place(&params, viewer, db).await?;
        let titles = Titles { part: &part, app };
        let segment = params.parts().iter().find_map(|part| titles.segment(part));
        if segment.is_none() && params.is_of_old_widget() {
            return Err(AppError::NotFound);
        }
        let segment = segment.unwrap_or_else(|| "All machines".to_owned());
        let heading = match part.name() {
            Some(name) => format!("{segment} in {name}"),
            None => segment,
        };
        let chip = |part: &Expr| Chip {
            label: titles.label(part),
            href: params.without(part).href(),
            part: part.clone(),
        };
        let chips = params.parts().iter().map(chip).collect();
        let known = Known::of(&params, viewer, app, db).await?;
        let (filter, error) = match checked(&params, &known) {
            Ok(condition) => (condition, None),
            Err(error) => (Condition::any(Vec::new()), Some(error)),
        };
        Ok(Self {
            heading,
            filter,
            scope: part.scope(viewer),
            chips,
            error,
            params,
            part,
            known,
        })
    }

    /// The unit or group of the list.
    pub(crate) fn place_name(&self) -> Option<&str> {
        self.part.name()
    }

    /// This list, where its filter makes sense.
    ///
    /// # Errors
    /// A bad request that says what is wrong with the filter.
    pub(crate) fn valid(self) -> Result<Self, AppError> {
        match &self.error {
            Some(problem) => Err(AppError::BadRequest(format!(
                "The filter cannot be used: {}.",
                problem.message
            ))),
            None => Ok(self),
        }
    }

    /// The last of the parts that alone leaves an empty list empty: taking it away shows machines.
    pub(crate) async fn cause_of_emptiness(
        &self,
        viewer: &Viewer,
        db: &Client,
    ) -> Result<Option<Chip>, AppError> {
        // One statement for each part, of which there are few, and only when there is nothing else to show.
        for chip in self.chips.iter().rev().take(MOST_TRIED) {
            let params = self.params.without(&chip.part);
            let scope = if is_place(&chip.part) {
                viewer.scope.clone()
            } else {
                self.part.scope(viewer)
            };
            if let Ok(filter) = checked(&params, &self.known)
                && has_devices(&filter, self.known.app.now(), &scope, db).await?
            {
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

/// The machines of the filter.
fn checked(params: &ListParams, known: &Known) -> Result<Condition, FilterProblem> {
    if let Some((text, error)) = params.unreadable() {
        return Err(FilterProblem::new(text, error));
    }
    let zone = &known.app.config.time_zone;
    match params.typed() {
        Some((text, parsed)) => {
            check(parsed, zone, known).map_err(|error| FilterProblem::new(text, &error))
        }
        None => check_expr(&params.filter(), zone, known)
            .map_err(|error| FilterProblem::new("", &error)),
    }
}

/// What a filter may name beside the catalogue: widgets, and saved searches of the viewer's.
struct Known {
    app: App,
    searches: NamedSearches,
}

impl Known {
    async fn of(
        params: &ListParams,
        viewer: &Viewer,
        app: &App,
        db: &Client,
    ) -> Result<Self, AppError> {
        let searches = if params.filter().searches().is_empty() {
            NamedSearches::default()
        } else {
            NamedSearches::load(&asker(viewer), db).await?
        };
        Ok(Self {
            app: app.clone(),
            searches,
        })
    }
}

impl Named for Known {
    fn search(&self, name: &str) -> Option<Expr> {
        self.searches.search(name)
    }

    fn widget(&self, widget: &str, segment: &str) -> Option<Condition> {
        let registry = self.app.registry();
        Some(registry.get(widget)?.filter(segment)?.condition)
    }

    fn searches(&self) -> Vec<String> {
        self.searches.searches()
    }
}

/// The unit or group that the filter names, where it is one of its parts.
async fn place(params: &ListParams, viewer: &Viewer, db: &Client) -> Result<FleetPart, AppError> {
    let places = params.parts().iter().filter(|part| is_place(part));
    let mut found = FleetPart::All;
    for part in places {
        let Expr::Compare(Compare { field, value, .. }) = part else {
            continue;
        };
        let id = value.as_deref().unwrap_or_default();
        found = match field.as_str() {
            "group_id" => FleetPart::Group(visible_group(id, viewer, db).await?),
            _ => FleetPart::Unit(visible_unit(id, viewer, db).await?),
        };
    }
    Ok(found)
}

/// Whether a part of a filter is a unit or a group by its id, as links have it.
pub(crate) fn is_place(part: &Expr) -> bool {
    matches!(part, Expr::Compare(compare)
        if compare.op == Op::Equal && ["unit_id", "group_id"].contains(&compare.field.as_str()))
}

/// The machines of a widget's segment.
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

/// What parts of a filter are called.
struct Titles<'a> {
    part: &'a FleetPart,
    app: &'a App,
}

impl Titles<'_> {
    /// The title of a widget's segment.
    fn segment(&self, part: &Expr) -> Option<String> {
        let Expr::Compare(Compare {
            field,
            of: Some(widget),
            op: Op::Equal,
            value: Some(data),
            ..
        }) = part
        else {
            return None;
        };
        let registry = self.app.registry();
        let plugin = registry.get(widget).filter(|_| field == "widget")?;
        Some(plugin.filter(data)?.title)
    }

    fn label(&self, part: &Expr) -> String {
        if let Some(title) = self.segment(part) {
            return title;
        }
        if let Some(label) = facets::label(part) {
            return label.to_owned();
        }
        match part {
            _ if is_place(part) => format!("In {}", self.part.name().unwrap_or_default()),
            Expr::Words { words } => format!("“{}”", words.join(" ")),
            Expr::Compare(compare) => compare_label(compare).unwrap_or_else(|| part.to_string()),
            _ => part.to_string(),
        }
    }
}

/// The label of what the rail writes.
fn compare_label(compare: &Compare) -> Option<String> {
    match (compare.field.as_str(), compare.op, &compare.value) {
        ("os_family", Op::Exactly, Some(family)) => Some(OsFamily::title_of(family).to_owned()),
        ("operating_system", Op::Exactly, Some(version)) => Some(format!("Version {version}")),
        ("model_family", Op::Exactly, Some(family)) => Some(family.clone()),
        ("search", Op::Equal, Some(name)) => Some(format!("Search: {name}")),
        ("machine", Op::In, _) => {
            let names = compare.values.as_ref().map_or(0, Vec::len);
            let names = i64::try_from(names).unwrap_or_default();
            Some(wording::count_of(names, "pasted name", "pasted names"))
        }
        _ => None,
    }
}

/// What is wrong with a filter, and where.
pub(crate) struct FilterProblem {
    pub(crate) message: String,
    /// The filter before, at and behind the place.
    pub(crate) before: String,
    pub(crate) at: String,
    pub(crate) after: String,
    /// The filter with what was probably meant.
    pub(crate) better: Option<String>,
}

impl FilterProblem {
    pub(crate) fn new(text: &str, error: &FilterError) -> Self {
        let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default().to_owned();
        let (before, after) = (part(0..error.at.start), part(error.at.end..text.len()));
        let better = error
            .suggestion
            .as_ref()
            .map(|word| format!("{before}{word}{after}"));
        Self {
            message: error.message.clone(),
            at: part(error.at.clone()),
            better: better.filter(|_| !text.is_empty()),
            before,
            after,
        }
    }

    /// What is wrong, as a sentence.
    pub(crate) fn sentence(&self) -> String {
        let mut letters = self.message.chars();
        let first: String = letters
            .next()
            .into_iter()
            .flat_map(char::to_uppercase)
            .collect();
        format!("{first}{}.", letters.as_str())
    }

    /// The sentence in pieces: text, and what is a part of a filter.
    pub(crate) fn pieces(&self) -> Vec<(bool, String)> {
        let sentence = self.sentence();
        let pieces = sentence.split('`').enumerate();
        pieces
            .map(|(place, text)| (place % 2 == 1, text.to_owned()))
            .collect()
    }

    /// The query string of the filter that was probably meant.
    pub(crate) fn better_query(&self) -> String {
        let better = self.better.as_deref().unwrap_or_default();
        format!("q={}", utf8_percent_encode(better, NON_ALPHANUMERIC))
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

/// So many parts of a filter are tried to find the one that empties a list.
const MOST_TRIED: usize = 10;
