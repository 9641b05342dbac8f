//! `/machines/columns/`: which columns the list shows to somebody and in which order its lines come, until that person
//! chooses others.

use axum::{Form, response::Response};
use sal_http::{
    AppError,
    access::{SeesMachines, Viewer},
    db::Db,
};
use sal_store::{
    Client, StoreError,
    preferences::{clear_preference, preference, set_preference},
};

use super::{
    columns::{Asked, Chosen, MOST_ASKED},
    params::ListParams,
};
use crate::page::redirect;

/// The columns of the URL, else those the viewer chose, else the usual ones; and the list in the order of the URL, else
/// in the one the viewer chose.
pub(crate) async fn as_chosen(
    params: ListParams,
    viewer: &Viewer,
    db: &Client,
) -> Result<(Chosen, ListParams), AppError> {
    let (order, columns) = tokio::try_join!(chosen(ORDER, viewer, db), chosen(CHOICE, viewer, db))?;
    let columns = params
        .columns()
        .or_else(|| columns.as_deref().map(Chosen::parse))
        .unwrap_or_else(Chosen::usual);
    Ok((columns, params.in_chosen_order(order)))
}

async fn chosen(what: &str, viewer: &Viewer, db: &Client) -> Result<Option<String>, AppError> {
    match preference(db, &viewer.id, what).await {
        Ok(chosen) => Ok(chosen.into_iter().next().map(|chosen| chosen.value)),
        // A database whose login may not make tables has no place for choices.
        Err(error) if error.lacks_a_table() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Remembers the ticked columns and the list's order, and shows the list with them.
pub(crate) async fn choose_columns(
    SeesMachines(viewer): SeesMachines,
    Db(db): Db,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    let list = values("list", &fields).next().unwrap_or_default();
    let params = ListParams::parse(list)
        .ok_or_else(|| AppError::BadRequest("`list` is no query of the list.".to_owned()))?;
    let order = params.unusual_sort();
    let is_reset = values("reset", &fields).next().is_some();
    let keys: Vec<&str> = values("col", &fields).collect();
    let mut chosen = Chosen::parse(&format!("hostname,{}", keys.join(",")));
    for added in values("add", &fields).map(str::trim) {
        if added.is_empty() {
            continue;
        }
        let asked = Asked::parse(added).ok_or_else(|| {
            AppError::BadRequest(
                "A column is a fact or a plugin value: fact \"Source/name\" or plugin \"Plugin/name\".".to_owned(),
            )
        })?;
        if chosen.asked.len() >= MOST_ASKED {
            return Err(AppError::BadRequest(format!(
                "A list shows at most {MOST_ASKED} facts and plugin values. Take one away first."
            )));
        }
        if !chosen.asked.contains(&asked) {
            chosen.asked.push(asked);
        }
    }
    match order.filter(|_| !is_reset) {
        Some(order) => forgive(set_preference(&db, &viewer.id, ORDER, order).await)?,
        None => forgive(clear_preference(&db, &viewer.id, ORDER).await)?,
    }
    if is_reset || chosen == Chosen::usual() {
        forgive(clear_preference(&db, &viewer.id, CHOICE).await)?;
        let usual = params.with_columns(None);
        let list = if is_reset {
            usual.in_usual_order()
        } else {
            usual
        };
        return Ok(redirect(&list.href()));
    }
    forgive(set_preference(&db, &viewer.id, CHOICE, &chosen.write()).await)?;
    Ok(redirect(&params.with_columns(Some(&chosen)).href()))
}

fn values<'a>(name: &'static str, fields: &'a [(String, String)]) -> impl Iterator<Item = &'a str> {
    let of_name = fields.iter().filter(move |(field, _)| field == name);
    of_name.map(|(_, value)| value.as_str())
}

/// Without a table for it, a choice lives in the URL only.
fn forgive(written: Result<u64, StoreError>) -> Result<(), AppError> {
    match written {
        Err(error) if !error.lacks_a_table() => Err(error.into()),
        _ => Ok(()),
    }
}

/// Name of the choice in `salrs_preference`.
const CHOICE: &str = "machine columns";
/// Name of the order there.
const ORDER: &str = "machine order";
