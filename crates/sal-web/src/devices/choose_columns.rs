//! `/machines/columns/`: which columns the list shows to somebody, until that person chooses others.

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

use super::{columns::Column, params::ListParams};
use crate::page::redirect;

/// The columns of the URL, else those the viewer chose, else the usual ones.
pub(crate) async fn columns(
    params: &ListParams,
    viewer: &Viewer,
    db: &Client,
) -> Result<Vec<Column>, AppError> {
    if let Some(columns) = params.columns() {
        return Ok(columns);
    }
    match preference(db, &viewer.id, CHOICE).await {
        Ok(chosen) => Ok(chosen.first().map_or_else(
            || Column::DEFAULT.to_vec(),
            |chosen| Column::parse_list(&chosen.value),
        )),
        // A database whose login may not make tables has no place for choices.
        Err(error) if error.lacks_a_table() => Ok(Column::DEFAULT.to_vec()),
        Err(error) => Err(error.into()),
    }
}

/// Remembers the ticked columns and shows the list with them.
pub(crate) async fn choose_columns(
    SeesMachines(viewer): SeesMachines,
    Db(db): Db,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    let list = values("list", &fields).next().unwrap_or_default();
    let params = ListParams::parse(list)
        .ok_or_else(|| AppError::BadRequest("`list` is no query of the list.".to_owned()))?;
    let is_reset = values("reset", &fields).next().is_some();
    let keys: Vec<&str> = values("col", &fields).collect();
    let chosen = Column::parse_list(&format!("hostname,{}", keys.join(",")));
    if is_reset || chosen == Column::DEFAULT {
        forgive(clear_preference(&db, &viewer.id, CHOICE).await)?;
        return Ok(redirect(&params.with_columns(None).href()));
    }
    let list = Column::write_list(&chosen);
    forgive(set_preference(&db, &viewer.id, CHOICE, &list).await)?;
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
