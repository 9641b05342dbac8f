//! `/search/save/` and `/search/save_search/<id>/`: keeps a filter under a name.

use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use sal_http::{
    App, AppError,
    access::{SeesMachines, Viewer},
    db::Db,
};
use sal_query::{Expr, check::Named};
use sal_store::{
    Client,
    ids::UnitId,
    searches::{
        Filter, NamedSearches, NewSearch, Overview, Sharing, change::MOST_NAME_CHARACTERS, create,
        update,
    },
    units::units_in_scope,
};
use serde::Deserialize;

use super::{
    SEARCH, asker,
    builder::{BuilderPage, Kept},
    own,
    results::builder_path,
};
use crate::{
    audit::{Object, note},
    devices::{List, ListParams},
    page::{redirect, render_with_status},
    shell::Theme,
};

/// What the form of the builder says of a search.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct SaveForm {
    /// The search that is changed; empty for a new one.
    #[serde(default)]
    id: String,
    #[serde(default)]
    q: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    sharing: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    overview: String,
}

pub(super) async fn save(
    SeesMachines(viewer): SeesMachines,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
    Form(form): Form<SaveForm>,
) -> Result<Response, AppError> {
    let kept = Kept {
        id: form.id.clone(),
        name: form.name.replace('\0', "").trim().to_owned(),
        description: form.description.replace('\0', "").trim().to_owned(),
        sharing: form.sharing.clone(),
        unit: form.unit.clone(),
        overview: form.overview.clone(),
        may_change: true,
    };
    let text = form.q.replace('\0', "");
    let problem = match read(&kept, &text, &viewer, &app, &db).await? {
        Ok((filter, sharing)) => {
            let new = NewSearch {
                name: &kept.name,
                filter: &filter,
                description: &kept.description,
                sharing,
                overview: Overview::parse(&kept.overview).unwrap_or_default(),
            };
            write(&kept.id, &new, &viewer, &app, db).await?;
            return Ok(redirect("/search/list/"));
        }
        Err(problem) => problem,
    };
    let mut page = BuilderPage::of_text(&text, &viewer, theme, &app, &db).await?;
    page.kept = kept;
    page.problem_of_form = Some(problem);
    render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// What is wrong with a form, or what it says.
async fn read(
    kept: &Kept,
    text: &str,
    viewer: &Viewer,
    app: &App,
    db: &Client,
) -> Result<Result<(Filter, Sharing), String>, AppError> {
    if kept.name.is_empty() {
        return Ok(Err("Give the search a name.".to_owned()));
    }
    if kept.name.chars().count() > MOST_NAME_CHARACTERS {
        return Ok(Err(format!(
            "The name is longer than {MOST_NAME_CHARACTERS} characters; shorten it."
        )));
    }
    if kept.description.chars().count() > MOST_DESCRIPTION_CHARACTERS {
        return Ok(Err(format!(
            "The description is longer than {MOST_DESCRIPTION_CHARACTERS} characters; shorten it."
        )));
    }
    let Ok(filter) = Filter::parse(text) else {
        return Ok(Err("The filter cannot be read; see below.".to_owned()));
    };
    let named = NamedSearches::load(&asker(viewer), db).await?;
    if uses(
        filter.expr(),
        &kept.name.to_lowercase(),
        &named,
        &mut Vec::new(),
    ) {
        return Ok(Err(format!(
            "The search {} would use itself; change its filter or its name.",
            kept.name
        )));
    }
    let list = List::of(ListParams::of_text(text), viewer, app, db).await?;
    if let Some(problem) = list.error {
        return Ok(Err(problem.sentence()));
    }
    let unit = match kept.unit.parse() {
        Ok(unit) => known_unit(UnitId(unit), viewer, db).await?,
        Err(_no_number) => None,
    };
    Ok(match Sharing::parse(&kept.sharing, unit) {
        Some(sharing) => Ok((filter, sharing)),
        None if kept.sharing == "unit" => {
            Err("Choose the business unit to share the search with.".to_owned())
        }
        None => Err("Choose with whom the search is shared.".to_owned()),
    })
}

/// Whether a filter uses the search of this name, be it through other searches. `seen` are those that were looked at.
fn uses(expr: &Expr, name: &str, named: &NamedSearches, seen: &mut Vec<String>) -> bool {
    expr.searches().iter().any(|used| {
        let used = used.to_lowercase();
        if used == name {
            return true;
        }
        if seen.contains(&used) {
            return false;
        }
        seen.push(used.clone());
        named
            .search(&used)
            .is_some_and(|inner| uses(&inner, name, named, seen))
    })
}

/// A unit that the viewer may share with.
async fn known_unit(
    unit: UnitId,
    viewer: &Viewer,
    db: &Client,
) -> Result<Option<UnitId>, AppError> {
    let units = units_in_scope(db, &viewer.scope).await?;
    Ok(units.iter().any(|known| known.id == unit).then_some(unit))
}

async fn write(
    id: &str,
    new: &NewSearch<'_>,
    viewer: &Viewer,
    app: &App,
    db: Client,
) -> Result<(), AppError> {
    let known = if id.is_empty() {
        None
    } else {
        Some(own(id, viewer, &db).await?)
    };
    let tx = db.begin().await?;
    let (id, action) = match known {
        None => (create(new, viewer.id, app.now(), &tx).await?, "made"),
        Some(known) => {
            if !update(known.id, new, app.now(), &tx).await? {
                return Err(AppError::NotFound);
            }
            (known.id, "changed")
        }
    };
    let object = Object::new(SEARCH, id, new.name);
    let detail = format!("{}, shared with {}", new.filter.text(), new.sharing.text());
    note(viewer, action, &object, &detail, app, &tx).await?;
    tx.commit().await?;
    Ok(())
}

#[derive(Deserialize)]
pub(super) struct NameForm {
    #[serde(default)]
    name: String,
}

/// Sal's form: a name for a search, which counts as saved from then on. One without a name stays as it is, saved.
pub(super) async fn save_name(
    SeesMachines(viewer): SeesMachines,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
    Form(form): Form<NameForm>,
) -> Result<Response, AppError> {
    let search = own(&id, &viewer, &db).await?;
    let name = form.name.replace('\0', "");
    let name: String = name.trim().chars().take(MOST_NAME_CHARACTERS).collect();
    let tx = db.begin().await?;
    sal_store::search_steps::name_search(&tx, &search.id, &name).await?;
    let object = Object::new(SEARCH, search.id, &name);
    note(&viewer, "changed", &object, "named", &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect(&builder_path(&search)))
}

/// What fits on a line or two of the list.
const MOST_DESCRIPTION_CHARACTERS: usize = 500;
