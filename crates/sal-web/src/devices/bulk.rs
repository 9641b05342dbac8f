//! `/machines/bulk/`: one change to many machines. The first POST shows what would happen to how many and which; the
//! second, from that page, does it.
//!
//! Ticked machines are carried by their ids. "All that match" is carried as the list's query and the number that was
//! shown: when it is another by then, the page asks again.

mod selection;

use askama::Template;
use axum::{Form, extract::State, http::StatusCode, response::Response};
use sal_http::{
    App, AppError,
    access::{ReadWrite, Viewer},
    db::Db,
};
use sal_store::{
    Client, Tx,
    devices::bulk::{BulkMachine, bulk_machines, lock_bulk_machines, move_machines, set_deployed},
    ids::MachineId,
    machines::delete_machines,
    units::FoundGroup,
};

use self::selection::Selection;
use crate::{
    audit::{Object, note},
    fleet_part::visible_group,
    page::{redirect, render_with_status},
    shell::{Section, Shell, Theme},
    wording::{self, filled},
};

/// What is to be done.
enum Change {
    Move(FoundGroup),
    Deployed(bool),
    Delete,
}

#[derive(Template)]
#[template(path = "devices/bulk.html")]
struct BulkPage {
    shell: Shell,
    heading: String,
    /// What it means, or what is wrong.
    sentences: Vec<String>,
    problem: Option<String>,
    /// The first of the machines, and how many more.
    machines: Vec<String>,
    more: Option<String>,
    /// What the second POST carries.
    fields: Vec<(&'static str, String)>,
    /// The word on the button; none where there is nothing to do.
    button: Option<&'static str>,
    is_final: bool,
    back: String,
}

pub(crate) async fn change_machines(
    ReadWrite(viewer): ReadWrite,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    let selection = Selection::of(&fields, &viewer, &app, &db).await?;
    let shell = |heading: &str| Shell::of(&viewer, theme, Section::Devices, heading, &app);
    let change = match Change::of(&fields, &viewer, &db).await? {
        Ok(change) => change,
        Err(problem) => return impossible(shell(NOTHING), problem, &selection),
    };
    if !selection.is_confirmed {
        let machines = bulk_machines(&selection.filter, app.now(), &selection.scope, &db).await?;
        return ask(&shell, &change, &machines, &selection, None);
    }
    let tx = db.begin().await?;
    let machines = lock_bulk_machines(&selection.filter, app.now(), &selection.scope, &tx).await?;
    if machines.is_empty() || selection.is_outdated(machines.len()) {
        tx.rollback().await?;
        let problem = "The list changed meanwhile. Look at it again before you go on.";
        return ask(&shell, &change, &machines, &selection, Some(problem));
    }
    change.carry_out(&machines, &tx).await?;
    record(&change, &machines, &viewer, &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect(&selection.list.href()))
}

impl Change {
    /// Reads what is to be done; a sentence where that is not said.
    async fn of(
        fields: &[(String, String)],
        viewer: &Viewer,
        db: &Client,
    ) -> Result<Result<Self, &'static str>, AppError> {
        Ok(match selection::field(fields, "action") {
            Some("deploy") => Ok(Self::Deployed(true)),
            Some("undeploy") => Ok(Self::Deployed(false)),
            Some("delete") => Ok(Self::Delete),
            Some("move") => match selection::field(fields, "group").filter(|id| !id.is_empty()) {
                Some(id) => Ok(Self::Move(visible_group(id, viewer, db).await?)),
                None => Err("Choose the group to move the machines to."),
            },
            _ => Err("Choose what to do with the machines."),
        })
    }

    async fn carry_out(&self, machines: &[BulkMachine], tx: &Tx) -> Result<(), AppError> {
        let ids: Vec<MachineId> = machines.iter().map(|machine| machine.id).collect();
        match self {
            Self::Move(group) => move_machines(tx, &ids, &group.id).await?,
            Self::Deployed(deployed) => set_deployed(tx, &ids, deployed).await?,
            Self::Delete => delete_machines(&ids, tx).await?,
        };
        Ok(())
    }

    /// `Delete 3 machines?`
    fn question(&self, machines: &str) -> String {
        match self {
            Self::Move(group) => format!("Move {machines} to {}?", group.name),
            Self::Deployed(true) => format!("Mark {machines} as deployed?"),
            Self::Deployed(false) => format!("Mark {machines} as not deployed?"),
            Self::Delete => format!("Delete {machines}?"),
        }
    }

    fn meaning(&self) -> String {
        match self {
            Self::Move(group) => format!(
                "They will belong to {} in business unit {}. A client that still has the key of another group moves its \
                 machine back there at its next check-in.",
                group.name, group.unit
            ),
            Self::Deployed(true) => "Widgets will count them again.".to_owned(),
            Self::Deployed(false) => {
                "Most widgets count deployed machines only. They can still check in and be found.".to_owned()
            }
            Self::Delete => "All that is known of them goes with them: facts, managed items and their history, messages, \
                 inventory, profiles, results of plugin scripts. This cannot be undone. A client that is still installed \
                 makes its machine anew at its next check-in."
                .to_owned(),
        }
    }

    fn button(&self) -> &'static str {
        match self {
            Self::Move(_) => "Move them",
            Self::Deployed(_) => "Mark them",
            Self::Delete => "Delete them",
        }
    }

    /// The fields that say it again.
    fn fields(&self) -> Vec<(&'static str, String)> {
        let action = match self {
            Self::Move(_) => "move",
            Self::Deployed(true) => "deploy",
            Self::Deployed(false) => "undeploy",
            Self::Delete => "delete",
        };
        let mut fields = vec![("action", action.to_owned())];
        if let Self::Move(group) = self {
            fields.push(("group", group.id.to_string()));
        }
        fields
    }

    /// The past participle and what follows it, for the audit log.
    fn done(&self) -> (&'static str, String) {
        match self {
            Self::Move(group) => ("moved", format!("to group {} ({})", group.name, group.unit)),
            Self::Deployed(true) => ("changed", "deployed".to_owned()),
            Self::Deployed(false) => ("changed", "not deployed".to_owned()),
            Self::Delete => ("deleted", String::new()),
        }
    }
}

/// Shows what would happen.
fn ask(
    shell: &dyn Fn(&str) -> Shell,
    change: &Change,
    machines: &[BulkMachine],
    selection: &Selection,
    problem: Option<&'static str>,
) -> Result<Response, AppError> {
    if machines.is_empty() {
        let problem =
            "None of the machines is there, or you may not see them. Tick the machines you mean.";
        return impossible(shell(NOTHING), problem, selection);
    }
    let count = counted(machines);
    let heading = change.question(&count);
    let mut fields = change.fields();
    fields.extend(selection.fields(machines));
    let more = machines.len().saturating_sub(SHOWN);
    let page = BulkPage {
        shell: shell(&heading),
        sentences: vec![change.meaning()],
        problem: problem.map(str::to_owned),
        machines: machines.iter().take(SHOWN).map(named).collect(),
        more: (more > 0).then(|| format!("and {} more", count_text(more))),
        fields,
        button: Some(change.button()),
        is_final: matches!(change, Change::Delete),
        back: selection.list.href(),
        heading,
    };
    let status = if problem.is_some() {
        StatusCode::CONFLICT
    } else {
        StatusCode::OK
    };
    render_with_status(status, &page)
}

/// Says why nothing can be done.
fn impossible(shell: Shell, problem: &str, selection: &Selection) -> Result<Response, AppError> {
    let page = BulkPage {
        shell,
        heading: NOTHING.to_owned(),
        sentences: Vec::new(),
        problem: Some(problem.to_owned()),
        machines: Vec::new(),
        more: None,
        fields: Vec::new(),
        button: None,
        is_final: false,
        back: selection.list.href(),
    };
    render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// One row in the audit log, with the first serial numbers.
async fn record(
    change: &Change,
    machines: &[BulkMachine],
    viewer: &Viewer,
    app: &App,
    tx: &Tx,
) -> Result<(), AppError> {
    let (action, what) = change.done();
    let serials: Vec<&str> = machines
        .iter()
        .take(NOTED)
        .map(|machine| machine.serial.as_str())
        .collect();
    let more = machines.len().saturating_sub(NOTED);
    let mut detail = serials.join(", ");
    if more > 0 {
        detail.push_str(&format!(" and {} more", count_text(more)));
    }
    if !what.is_empty() {
        detail = format!("{what}: {detail}");
    }
    let name = match machines {
        [only] => name(only),
        _ => counted(machines),
    };
    let object = match machines {
        [only] => Object::new("machine", only.id, &name),
        _ => Object::new("machines", machines.len(), &name),
    };
    note(viewer, action, &object, &detail, app, tx).await
}

/// Its name, else its serial number.
fn name(machine: &BulkMachine) -> String {
    filled(machine.hostname.as_deref()).unwrap_or_else(|| machine.serial.clone())
}

fn named(machine: &BulkMachine) -> String {
    match filled(machine.hostname.as_deref()) {
        Some(name) => format!("{name} ({})", machine.serial),
        None => machine.serial.clone(),
    }
}

fn counted(machines: &[BulkMachine]) -> String {
    let count = i64::try_from(machines.len()).unwrap_or(i64::MAX);
    wording::count_of(count, "machine", "machines")
}

fn count_text(number: usize) -> String {
    wording::count(i64::try_from(number).unwrap_or(i64::MAX))
}

const NOTHING: &str = "Nothing was changed";
/// Machines that are named before a change.
const SHOWN: usize = 20;
/// Serial numbers that the audit log keeps of one change.
const NOTED: usize = 50;
