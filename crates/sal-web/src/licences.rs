//! `/licenses/`: how many seats of an application each business unit has and uses. For global admins.
//!
//! The form is in `form`. Munki asks for the same numbers at the machines' door.

mod form;

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use sal_http::{Access, App, AppError, Routes, access::GlobalAdmin, db::Db};
use sal_store::{
    Client,
    licences::{
        InsertLicence, Licence, ListedLicence, UpdateLicence, delete_licence, find_licence,
        insert_licence, list_licences, update_licence,
    },
    scope::Scope,
    units::{ListedUnit, find_unit, list_units},
};

use crate::{
    audit::{Object, note},
    confirm::Confirm,
    page::{redirect, render, render_with_status},
    paging::encoded,
    shell::{Section, Shell, Theme},
    wording,
};
use form::LicenceForm;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route(LIST, Access::GlobalAdmin, get(show_licences))
        .route(
            "/licenses/new/",
            Access::GlobalAdmin,
            get(show_new_licence).post(create_licence),
        )
        // To the end: Sal takes names with slashes.
        .route(
            "/licenses/edit/{*name}",
            Access::GlobalAdmin,
            get(show_licence).post(change_licence),
        )
        .route(
            "/licenses/delete/{*name}",
            Access::GlobalAdmin,
            get(confirm_deletion).post(remove_licence),
        )
}

#[derive(Template)]
#[template(path = "licences/list.html")]
struct LicencesPage {
    shell: Shell,
    lines: Vec<Line>,
}

struct Line {
    name: String,
    href: String,
    delete_href: String,
    total: String,
    used: String,
    available: String,
    /// By how many seats it is used too much.
    over: Option<String>,
    unit: String,
}

#[derive(Template)]
#[template(path = "licences/form.html")]
struct LicencePage {
    shell: Shell,
    heading: String,
    button: &'static str,
    form: LicenceForm,
    units: Vec<ListedUnit>,
    problems: Vec<String>,
}

async fn show_licences(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let licences = list_licences(&db).await?;
    render(&LicencesPage {
        shell: Shell::of(&viewer, theme, Section::Licences, "Licences", &app),
        lines: licences.into_iter().map(line).collect(),
    })
}

fn line(licence: ListedLicence) -> Line {
    let (total, used) = (i64::from(licence.total), licence.used.unwrap_or(0));
    let segment = encoded(&licence.item_name);
    Line {
        href: format!("/licenses/edit/{segment}/"),
        delete_href: format!("/licenses/delete/{segment}/"),
        name: licence.item_name,
        total: wording::count(total),
        used: wording::count(used),
        available: wording::count(total - used),
        over: (used > total).then(|| format!("{} too many", wording::count(used - total))),
        unit: licence.unit,
    }
}

async fn show_new_licence(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let shell = Shell::of(&viewer, theme, Section::Licences, NEW, &app);
    LicencePage::new_licence(shell, LicenceForm::default(), Vec::new(), &db).await
}

async fn create_licence(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
    Form(form): Form<LicenceForm>,
) -> Result<Response, AppError> {
    let shell = Shell::of(&viewer, theme, Section::Licences, NEW, &app);
    let new = match read(&form, &db).await? {
        Ok(licence) => licence,
        Err(problems) => return LicencePage::new_licence(shell, form, problems, &db).await,
    };
    let tx = db.begin().await?;
    if insert(&new, &tx).await? == 0 {
        let db = tx.rollback().await?;
        return LicencePage::new_licence(shell, form, vec![TAKEN.to_owned()], &db).await;
    }
    let object = Object::new("licence", &new.item_name, &new.item_name);
    note(&viewer, "made", &object, &described(&new), &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect(LIST))
}

async fn show_licence(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Path(name): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let licence = existing(&name, &db).await?;
    let shell = Shell::of(&viewer, theme, Section::Licences, &licence.item_name, &app);
    LicencePage::existing(
        shell,
        &licence.item_name,
        LicenceForm::of(&licence),
        Vec::new(),
        &db,
    )
    .await
}

async fn change_licence(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Path(name): Path<String>,
    State(app): State<App>,
    Db(db): Db,
    Form(form): Form<LicenceForm>,
) -> Result<Response, AppError> {
    let old = existing(&name, &db).await?;
    let shell = Shell::of(&viewer, theme, Section::Licences, &old.item_name, &app);
    let new = match read(&form, &db).await? {
        Ok(licence) => licence,
        Err(problems) => {
            return LicencePage::existing(shell, &old.item_name, form, problems, &db).await;
        }
    };
    let tx = db.begin().await?;
    // the name is changed; in Sal another name made a second licence.
    if update(&new, &old.item_name, &tx).await? == 0 {
        let db = tx.rollback().await?;
        let problems = vec![TAKEN.to_owned()];
        return LicencePage::existing(shell, &old.item_name, form, problems, &db).await;
    }
    let detail = format!("from {} to {}", described(&old), described(&new));
    let object = Object::new("licence", &new.item_name, &new.item_name);
    note(&viewer, "changed", &object, &detail, &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect(LIST))
}

/// Sal deletes when the link is opened.
async fn confirm_deletion(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Path(name): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let licence = existing(&name, &db).await?;
    let heading = format!("Delete licence {}?", licence.item_name);
    let confirm = Confirm {
        shell: Shell::of(&viewer, theme, Section::Licences, &heading, &app),
        heading,
        sentences: vec![
            "Munki no longer learns from this server whether there are seats left. Nothing is removed from machines."
                .to_owned(),
        ],
        button: "Delete it",
        is_final: true,
        back: LIST.to_owned(),
    };
    confirm.answer()
}

async fn remove_licence(
    GlobalAdmin(viewer): GlobalAdmin,
    Path(name): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let old = existing(&name, &db).await?;
    let tx = db.begin().await?;
    if delete_licence(&tx, &old.item_name).await? == 0 {
        return Err(AppError::NotFound);
    }
    let object = Object::new("licence", &old.item_name, &old.item_name);
    note(&viewer, "deleted", &object, &described(&old), &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect(LIST))
}

/// The licence of an address, which ends with a slash.
async fn existing(segment: &str, db: &Client) -> Result<Licence, AppError> {
    let name = segment.strip_suffix('/').unwrap_or(segment);
    if name.contains('\0') {
        return Err(AppError::NotFound);
    }
    let found = find_licence(db, name).await?.into_iter().next();
    found.ok_or(AppError::NotFound)
}

/// What the form says, or sentences on what is wrong with it.
async fn read(form: &LicenceForm, db: &Client) -> Result<Result<Licence, Vec<String>>, AppError> {
    let licence = match form.licence() {
        Ok(licence) => licence,
        Err(problems) => return Ok(Err(problems)),
    };
    // The foreign key is checked when the transaction ends, where it could not be explained.
    if find_unit(db, &licence.business_unit_id).await?.is_empty() {
        return Ok(Err(vec![form::NO_UNIT.to_owned()]));
    }
    Ok(Ok(licence))
}

async fn insert(new: &Licence, tx: &sal_store::Tx) -> Result<u64, AppError> {
    let made = insert_licence(
        tx,
        InsertLicence {
            item_name: &new.item_name,
            total: &new.total,
            cost_per_seat: &new.cost_per_seat,
            inventory_name: &new.inventory_name,
            inventory_version: &new.inventory_version,
            inventory_bundleid: &new.inventory_bundleid,
            inventory_bundlename: &new.inventory_bundlename,
            inventory_path: &new.inventory_path,
            business_unit_id: &new.business_unit_id,
            notes: &new.notes,
        },
    );
    Ok(made.await?)
}

async fn update(new: &Licence, old_name: &str, tx: &sal_store::Tx) -> Result<u64, AppError> {
    let changed = update_licence(
        tx,
        UpdateLicence {
            item_name: &new.item_name,
            total: &new.total,
            cost_per_seat: &new.cost_per_seat,
            inventory_name: &new.inventory_name,
            inventory_version: &new.inventory_version,
            inventory_bundleid: &new.inventory_bundleid,
            inventory_bundlename: &new.inventory_bundlename,
            inventory_path: &new.inventory_path,
            business_unit_id: &new.business_unit_id,
            notes: &new.notes,
            old_name,
        },
    );
    Ok(changed.await?)
}

/// A licence in the words of the audit log.
fn described(licence: &Licence) -> String {
    let criteria = [
        ("name", &licence.inventory_name),
        ("version", &licence.inventory_version),
        ("bundle id", &licence.inventory_bundleid),
        ("bundle name", &licence.inventory_bundlename),
        ("path", &licence.inventory_path),
    ];
    let mut text = format!(
        "“{}”: {} seats at {} for unit {}",
        licence.item_name, licence.total, licence.cost_per_seat, licence.business_unit_id
    );
    for (what, value) in criteria {
        if !value.is_empty() {
            text.push_str(&format!(", {what} {value}"));
        }
    }
    text
}

impl LicencePage {
    async fn new_licence(
        shell: Shell,
        form: LicenceForm,
        problems: Vec<String>,
        db: &Client,
    ) -> Result<Response, AppError> {
        Self::answer(shell, (NEW.to_owned(), "Make it"), form, problems, db).await
    }

    async fn existing(
        shell: Shell,
        name: &str,
        form: LicenceForm,
        problems: Vec<String>,
        db: &Client,
    ) -> Result<Response, AppError> {
        Self::answer(shell, (name.to_owned(), "Save"), form, problems, db).await
    }

    /// The form; with what is wrong with it as 422.
    async fn answer(
        shell: Shell,
        (heading, button): (String, &'static str),
        form: LicenceForm,
        problems: Vec<String>,
        db: &Client,
    ) -> Result<Response, AppError> {
        let status = match problems.is_empty() {
            true => StatusCode::OK,
            false => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let page = Self {
            shell,
            heading,
            button,
            form,
            units: list_units(db, &Scope::All).await?,
            problems,
        };
        render_with_status(status, &page)
    }
}

const LIST: &str = "/licenses/";
const NEW: &str = "New licence";
const TAKEN: &str = "There is a licence with this name already.";
