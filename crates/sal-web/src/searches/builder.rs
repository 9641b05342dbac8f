//! `/search/builder/`: a filter as a form of nested groups beside the same filter as text. Either can be changed at any
//! time; the page works as a plain form, and without one's own doing nothing is saved.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
};
use sal_http::{
    App, AppError,
    access::{SeesMachines, Viewer},
    db::Db,
};
use sal_query::{
    FilterError,
    catalogue::{self, Meaning, Of, Subject},
    complete,
    expr::{Op, Takes},
    in_quotes, parse,
};
use sal_store::{
    Client,
    devices::{Count, count_up_to},
    searches::{Definition, Search},
    units::{UnitChoice, units_in_scope},
};

use super::{
    asker,
    blocks::{Block, Condition, Match},
    visible,
};
use crate::{
    devices::{FilterProblem, List, ListParams, in_time, machines},
    page::render_with_status,
    shell::{Section, Shell, Theme},
};

#[derive(Template)]
#[template(path = "searches/builder.html")]
pub(super) struct BuilderPage {
    shell: Shell,
    heading: String,
    /// The filter as text.
    text: String,
    root: BlockView,
    fields: Vec<Choice>,
    /// How many machines match, or nothing while the filter makes no sense.
    count: Option<String>,
    problem: Option<FilterProblem>,
    list_href: String,
    units: Vec<UnitChoice>,
    /// What the form for saving says.
    pub(super) kept: Kept,
    pub(super) problem_of_form: Option<String>,
    /// What to know of the search.
    notes: Vec<String>,
}

/// What a search is saved as.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    /// Empty for a new search.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) sharing: String,
    pub(super) unit: String,
    pub(super) overview: String,
    /// Whether the search that was opened can be changed by the viewer; else it is copied.
    pub(super) may_change: bool,
}

/// A block with what its form needs.
#[derive(Template)]
#[template(path = "searches/block.html")]
struct BlockView {
    /// Its place as the names of its fields end: `.0.1`.
    at: String,
    content: Content,
}

enum Content {
    Group {
        how: Match,
        blocks: Vec<BlockView>,
    },
    Condition {
        condition: Condition,
        operators: Vec<&'static str>,
        takes_value: bool,
        /// What stands in the empty field for the name, where one is needed.
        of_hint: Option<&'static str>,
        value_hint: &'static str,
        /// The filter up to the value, for which suggestions are asked; none where it takes no single value.
        values_of: Option<String>,
    },
    Text(String),
}

/// Something that can be chosen in a field.
struct Choice {
    name: &'static str,
    label: &'static str,
}

pub(super) async fn show_builder(
    SeesMachines(viewer): SeesMachines,
    theme: Theme,
    Query(fields): Query<Vec<(String, String)>>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let field = |wanted: &str| {
        let found = fields.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.replace('\0', ""))
    };
    // The two forms of the page send the one or the other.
    let mut page = match field("q").filter(|_| field("k").is_none()) {
        Some(text) => BuilderPage::of_text(text.trim(), &viewer, theme, &app, &db).await?,
        None => {
            let mut root = Block::from_form(&fields);
            root.act(&field("do").unwrap_or_default());
            let read = root.expr().map(|expr| expr.map(|expr| expr.to_string()));
            BuilderPage::of(
                &root,
                read.map(Option::unwrap_or_default),
                &viewer,
                theme,
                &app,
                &db,
            )
            .await?
        }
    };
    if let Some(id) = field("id").filter(|id| !id.is_empty()) {
        let search = visible(&id, &viewer, &db).await?;
        page.keep(&search, &viewer);
    }
    page.answer()
}

/// The builder with a saved search in it.
pub(super) async fn show_saved(
    SeesMachines(viewer): SeesMachines,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let search = visible(&id, &viewer, &db).await?;
    let (text, reasons) = match search.text() {
        Ok(text) => (text, Vec::new()),
        Err(reasons) => (String::new(), reasons),
    };
    let mut page = BuilderPage::of_text(&text, &viewer, theme, &app, &db).await?;
    page.keep(&search, &viewer);
    if matches!(search.definition, Definition::ChangedInSal(_)) {
        page.notes.push(
            "This search was changed in a Django Sal since it was saved here; it is shown as it is there.".to_owned(),
        );
    }
    page.notes.extend(reasons);
    page.answer()
}

impl BuilderPage {
    /// The page for a filter as text.
    pub(super) async fn of_text(
        text: &str,
        viewer: &Viewer,
        theme: Theme,
        app: &App,
        db: &Client,
    ) -> Result<Self, AppError> {
        match parse(text) {
            Ok(parsed) => {
                let root = Block::root(&parsed.expr);
                Self::of(&root, Ok(text.to_owned()), viewer, theme, app, db).await
            }
            Err(error) => {
                let none = Block::Group(Match::All, Vec::new());
                let mut page = Self::of(&none, Ok(String::new()), viewer, theme, app, db).await?;
                page.problem = Some(FilterProblem::new(text, &error));
                page.count = None;
                text.clone_into(&mut page.text);
                Ok(page)
            }
        }
    }

    async fn of(
        root: &Block,
        text: Result<String, FilterError>,
        viewer: &Viewer,
        theme: Theme,
        app: &App,
        db: &Client,
    ) -> Result<Self, AppError> {
        let (text, problem, count) = match text {
            Err(error) => (String::new(), Some(FilterProblem::new("", &error)), None),
            Ok(text) => match count(&text, viewer, app, db).await? {
                Ok(count) => (text, None, Some(count)),
                Err(problem) => (text, Some(problem), None),
            },
        };
        Ok(Self {
            shell: Shell::of(viewer, theme, Section::Searches, "Build a search", app),
            heading: "Build a search".to_owned(),
            list_href: ListParams::of_text(&text).href(),
            text,
            root: BlockView::of(root, ""),
            fields: field_choices(),
            count,
            problem,
            units: units_in_scope(db, &viewer.scope).await?,
            kept: Kept {
                sharing: "private".to_owned(),
                overview: "no".to_owned(),
                ..Kept::default()
            },
            problem_of_form: None,
            notes: Vec::new(),
        })
    }

    /// Makes it the page of a search that there is; that of somebody else becomes a new one when it is saved.
    fn keep(&mut self, search: &Search, viewer: &Viewer) {
        let may_change = search.may_be_changed_by(&asker(viewer));
        if may_change {
            self.heading = format!("Edit {}", search.title());
        } else {
            self.notes.push(format!(
                "{} belongs to {}. What you save is a search of your own.",
                search.title(),
                search.owner_name
            ));
        }
        self.kept = Kept {
            id: if may_change {
                search.id.to_string()
            } else {
                String::new()
            },
            name: search.name.clone(),
            description: search.description.clone(),
            sharing: if may_change {
                search.sharing.text()
            } else {
                "private"
            }
            .to_owned(),
            unit: search
                .sharing
                .unit()
                .map_or_else(String::new, |unit| unit.to_string()),
            overview: search.overview.text().to_owned(),
            may_change,
        };
    }

    fn answer(&self) -> Result<Response, AppError> {
        let status = if self.problem.is_some() {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::OK
        };
        render_with_status(status, self)
    }
}

/// How many machines match.
pub(super) async fn count(
    text: &str,
    viewer: &Viewer,
    app: &App,
    db: &Client,
) -> Result<Result<String, FilterProblem>, AppError> {
    let count = count_list(ListParams::of_text(text), viewer, app, db).await?;
    Ok(count.map(machines))
}

/// How many machines a list has.
pub(super) async fn count_list(
    params: ListParams,
    viewer: &Viewer,
    app: &App,
    db: &Client,
) -> Result<Result<Count, FilterProblem>, AppError> {
    let mut list = List::of(params, viewer, app, db).await?;
    if let Some(problem) = list.error.take() {
        return Ok(Err(problem));
    }
    let count = count_of_list(&list, app, db).await?;
    Ok(Ok(count.unwrap_or(Count::Exact(0))))
}

/// How many machines a list has, unless its filter makes no sense.
pub(super) async fn count_of_list(
    list: &List,
    app: &App,
    db: &Client,
) -> Result<Option<Count>, AppError> {
    if list.error.is_some() {
        return Ok(None);
    }
    let count = in_time(async {
        Ok(count_up_to(MOST_COUNTED, &list.filter, app.now(), &list.scope, db).await?)
    });
    Ok(Some(count.await?))
}

impl BlockView {
    fn of(block: &Block, at: &str) -> Self {
        let content = match block {
            Block::Group(how, blocks) => Content::Group {
                how: *how,
                blocks: blocks
                    .iter()
                    .enumerate()
                    .map(|(number, block)| Self::of(block, &format!("{at}.{number}")))
                    .collect(),
            },
            Block::Text(text) => Content::Text(text.clone()),
            Block::Condition(condition) => Content::condition(condition),
        };
        Self {
            at: at.to_owned(),
            content,
        }
    }

    fn is_root(&self) -> bool {
        self.at.is_empty()
    }
}

impl Content {
    fn condition(condition: &Condition) -> Self {
        let subject = catalogue::find(&condition.field);
        let meaning = match subject {
            Some(Subject::Column(column) | Subject::Single(_, column)) => Some(column.meaning),
            Some(Subject::Rows(kind)) => kind.column(kind.value).map(|column| column.meaning),
            _ => None,
        };
        let mut operators = operators(subject, meaning);
        // What is chosen stays, even where it does not fit: the error says so.
        if let Some(chosen) = Op::ALL.iter().find(|op| op.text() == condition.op)
            && !operators.contains(&chosen.text())
        {
            operators.push(chosen.text());
        }
        let op = Op::ALL.iter().find(|op| op.text() == condition.op);
        Self::Condition {
            condition: condition.clone(),
            operators,
            takes_value: op.is_none_or(|op| op.takes() != Takes::Nothing),
            of_hint: of_hint(subject),
            value_hint: value_hint(meaning, op.copied()),
            values_of: op
                .filter(|op| op.takes() == Takes::One)
                .map(|op| up_to_value(condition, *op)),
        }
    }
}

fn up_to_value(condition: &Condition, op: Op) -> String {
    let of = match condition.of.as_str() {
        "" => String::new(),
        of => format!(" {}", in_quotes(of)),
    };
    format!("{}{of} {} ", condition.field, op.text())
}

/// The operators that fit, the usual one first.
fn operators(subject: Option<Subject>, meaning: Option<Meaning>) -> Vec<&'static str> {
    let fitting: &[Op] = match (subject, meaning) {
        (Some(Subject::Machine), _) => &[Op::In, Op::NotIn, Op::Equal, Op::NotEqual],
        (Some(Subject::Search | Subject::Widget), _) => &[Op::Equal, Op::NotEqual],
        (_, Some(meaning)) => complete::operators(meaning),
        _ => Op::ALL,
    };
    fitting.iter().map(|op| op.text()).collect()
}

fn of_hint(subject: Option<Subject>) -> Option<&'static str> {
    match subject {
        Some(Subject::Rows(kind)) => match kind.of {
            Of::Nothing => None,
            Of::Column(_) => Some("Any, or a name"),
            Of::SourceAndName => Some("Source/name"),
            Of::PluginAndRow => Some("Plugin/row"),
            Of::NameOrBundle => Some("Name or bundle ID"),
        },
        Some(Subject::Widget) => Some("Widget"),
        _ => None,
    }
}

fn value_hint(meaning: Option<Meaning>, op: Option<Op>) -> &'static str {
    match (op.map(Op::takes), meaning) {
        (Some(Takes::Age), _) => "14d",
        (Some(Takes::Many), _) => "one, two, three",
        (_, Some(Meaning::Version)) => "15.1",
        (_, Some(Meaning::Time)) => "2026-11-30",
        (_, Some(Meaning::Bytes | Meaning::Kibibytes)) => "10GB",
        (_, Some(Meaning::Flag)) => "yes or no",
        (_, Some(Meaning::Whole | Meaning::Number)) => "90",
        _ => "Value",
    }
}

fn field_choices() -> Vec<Choice> {
    let columns = catalogue::machine_columns().map(|column| Choice {
        name: column.name,
        label: column.label,
    });
    let singles = catalogue::singles().map(|(name, label)| Choice { name, label });
    let kinds = catalogue::row_kinds()
        .iter()
        .filter(|kind| !catalogue::singles().any(|(name, _)| name == kind.name))
        .map(|kind| Choice {
            name: kind.name,
            label: kind.label,
        });
    columns.chain(singles).chain(kinds).collect()
}

/// Matches are counted to here; beyond, Postgres's statistics say how many there are.
const MOST_COUNTED: i64 = 50_000;
