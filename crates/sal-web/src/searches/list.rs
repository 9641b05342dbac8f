//! `/search/list/`: the saved searches that somebody may see, with their filters and how many machines they find. Who
//! sees numbers only sees their names and numbers (Q-179): filters may name machines.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use sal_http::{
    App, AppError,
    access::{SeesMachines, Viewer},
    db::Db,
};
use sal_query::Field;
use sal_store::{
    devices::{Direction, MachineValues, PageQuery, Start, read_page},
    ids::SearchId,
    searches::{Definition, Search, Sharing, list},
};

use super::{asker, builder::count_list, visible};
use crate::{
    devices::{Chosen, FilterProblem, Line as MachineLine, List, ListParams, Place, machines},
    page::render,
    shell::{Section, Shell, Theme},
    wording::Moment,
};

#[derive(Template)]
#[template(path = "searches/list.html")]
struct SearchListPage {
    shell: Shell,
    lines: Vec<Line>,
    sees_machines: bool,
}

struct Line {
    id: SearchId,
    name: String,
    description: String,
    /// The filter, or why there is none.
    filter: Result<String, Vec<String>>,
    owner: String,
    shared: String,
    changed: Moment,
    may_change: bool,
    /// Where Sal's rows say what it means although it was saved here.
    is_changed_in_sal: bool,
}

pub(super) async fn show_list(
    viewer: Viewer,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let searches = list(&asker(&viewer), &db).await?;
    let line = |search: &Search| Line {
        id: search.id,
        name: search.title(),
        description: search.description.clone(),
        filter: search.text(),
        owner: search.owner_name.clone(),
        shared: shared(search),
        changed: Moment::new(
            search.updated.unwrap_or(search.created),
            app.now(),
            &app.config.time_zone,
        ),
        may_change: search.may_be_changed_by(&asker(&viewer)),
        is_changed_in_sal: matches!(search.definition, Definition::ChangedInSal(_)),
    };
    render(&SearchListPage {
        shell: Shell::of(&viewer, theme, Section::Searches, "Searches", &app),
        lines: searches.iter().map(line).collect(),
        sees_machines: viewer.sees_machines(),
    })
}

/// Who sees it, in words.
fn shared(search: &Search) -> String {
    match (search.sharing, &search.unit_name) {
        (Sharing::Private, _) => "Only the owner".to_owned(),
        (Sharing::Everybody, _) => "Everybody".to_owned(),
        (Sharing::Unit(_), Some(unit)) => unit.clone(),
        (Sharing::Unit(_), None) => "A unit that is gone".to_owned(),
    }
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{% match count %}{% when Ok((number, unit)) %}<span class="figure">{{ number }}</span> <span class="unit">{{ unit }}</span>{% when Err(problem) %}<span class="badge bad" title="{{ problem }}">Cannot be used</span>{% endmatch %}"#
)]
struct CountPart {
    /// The number and `machines`, or why there is none.
    count: Result<(String, String), String>,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{% if let Some(problem) = problem %}<p class="muted">{{ problem }}</p>{% endif %}<ul class="lines">{% for line in lines %}<li><a href="{{ line.href }}"><span class="label">{{ line.name }}</span>{% if let Some(sub) = line.sub %}<span class="muted">{{ sub }}</span>{% endif %}</a></li>{% else %}{% if problem.is_none() %}<li class="muted">No machine now.</li>{% endif %}{% endfor %}</ul>"#
)]
struct FirstPart {
    lines: Vec<MachineLine>,
    problem: Option<String>,
}

/// How many machines a search finds, as a part of the page.
pub(super) async fn show_count(
    viewer: Viewer,
    Path(id): Path<String>,
    Query(place): Query<Place>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let search = visible(&id, &viewer, &db).await?;
    let Ok(text) = search.text() else {
        return render(&CountPart {
            count: Err("It cannot be read.".to_owned()),
        });
    };
    let params = ListParams::of_text_in(&text, place);
    let count = count_list(params, &viewer, &app, &db).await?;
    let count = count.map(|count| {
        let words = machines(count);
        let (number, unit) = words.rsplit_once(' ').unwrap_or((&words, ""));
        (number.to_owned(), unit.to_owned())
    });
    render(&CountPart {
        count: count.map_err(|problem| {
            // What is wrong may quote the filter.
            let shown = viewer.sees_machines().then(|| problem.sentence());
            shown.unwrap_or_else(|| "It cannot be used.".to_owned())
        }),
    })
}

/// The first machines of a search, as a part of the page.
pub(super) async fn show_first(
    SeesMachines(viewer): SeesMachines,
    Path(id): Path<String>,
    Query(place): Query<Place>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let search = visible(&id, &viewer, &db).await?;
    let Ok(text) = search.text() else {
        return render(&FirstPart {
            lines: Vec::new(),
            problem: Some("The search cannot be read.".to_owned()),
        });
    };
    let list = List::of(ListParams::of_text_in(&text, place), &viewer, &app, &db).await?;
    let query = PageQuery {
        filter: list.filter.clone(),
        sort: Field::LastCheckin.into(),
        direction: Direction::Descending,
        start: Start::First,
        limit: MOST_FIRST,
    };
    let page = read_page(&query, app.now(), &list.scope, &db).await?;
    let zone = &app.config.time_zone;
    let chosen = Chosen {
        known: Vec::new(),
        asked: Vec::new(),
    };
    let none = MachineValues::new();
    let line = |row| MachineLine::new(row, &chosen, &none, app.now(), zone);
    render(&FirstPart {
        lines: page.rows.iter().map(line).collect(),
        problem: list.error.as_ref().map(FilterProblem::sentence),
    })
}

/// So many machines of a search are on the overview.
const MOST_FIRST: usize = 5;
