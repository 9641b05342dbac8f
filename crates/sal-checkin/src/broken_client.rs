//! `POST /report_broken_client/`: a client whose Python does not run says so with a small tool of its own.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use sal_http::checkin_key::{CheckinClient, group_of_key};
use sal_http::origin::Origin;
use sal_http::{App, AppError, db::machine_client, django};
use sal_store::machine_changes::{ChangeKind, ChangeLine, write_changes};
use sal_store::machines::{LockedMachine, lock_machine, mark_broken};
use sal_store::serials::{apart, is_placeholder};

use crate::journal::Note;
use crate::limits::Limits;
use crate::moves::Arriving;
use crate::{form, serial};

/// Marks a machine as broken. A host name or version that is not sent is kept.
pub(crate) async fn report(
    State(app): State<App>,
    Extension(note): Extension<Note>,
    Extension(limits): Extension<Limits>,
    _client: CheckinClient,
    origin: Origin,
    request: Request,
) -> Result<Response, AppError> {
    let form = form::read(&app, request).await?;
    let field = |name: &str| form.fields.get(name).map(|value| value.replace('\0', ""));
    let raw_serial = field("serial").unwrap_or_default();
    note.has_key();
    note.serial(&raw_serial);
    limits.machine(&raw_serial, &app)?;
    let tx = machine_client(0, &app).await?.begin().await?;
    let mut serial = serial::clean(&raw_serial);
    if is_placeholder(&serial) {
        serial = apart(&serial, &field("name").unwrap_or_default());
    }
    let machine = lock_machine(&tx, &serial).await?.into_iter().next();
    let group = group_of_key(&field("key").unwrap_or_default(), &app, &tx).await?;
    let (Some(machine), Some(group)) = (machine, group) else {
        tx.rollback().await?;
        return Err(AppError::Unknown(
            "an unknown serial number, or a key of no machine group",
        ));
    };
    // Any text means yes, even `False`; that is how the tool and the original understand it.
    if field("broken_client").is_none_or(|flag| flag.is_empty()) {
        tx.rollback().await?;
        return Ok(django::answer(StatusCode::BAD_REQUEST, ""));
    }
    let arriving = Arriving {
        id: machine.id,
        serial: &raw_serial,
        from: machine.machine_group_id,
        to: group.id,
        address: &origin.address,
    };
    arriving.note(&note, &app, &tx).await?;
    let cut = |text: String, length: usize| text.chars().take(length).collect::<String>();
    let hostname = field("name").map(|name| cut(name, 256));
    let version = field("sal_version").map(|version| cut(version, 255));
    mark_broken(
        &tx,
        &machine.id,
        &group.id,
        &app.now(),
        &hostname,
        &version,
        &app.config.deployed_on_checkin,
    )
    .await?;
    if app.store.has_own_tables() {
        let lines = lines(&machine, hostname.as_deref(), version.as_deref());
        write_changes(machine.id, app.now(), &lines, &tx).await?;
    }
    tx.commit().await?;
    note.remark("reports a broken client");
    tracing::info!(machine.serial = %raw_serial, "{raw_serial} reports a broken client");
    Ok(django::answer(
        StatusCode::OK,
        format!("Broken Client report submmitted for {raw_serial}"),
    ))
}

/// What the report changes.
fn lines(before: &LockedMachine, hostname: Option<&str>, version: Option<&str>) -> Vec<ChangeLine> {
    let mut lines = Vec::new();
    if !before.broken_client {
        lines.push(ChangeLine::new(
            ChangeKind::Broken,
            "",
            None,
            Some("broken"),
        ));
    }
    for (kind, was, became) in [
        (ChangeKind::Hostname, &before.hostname, hostname),
        (ChangeKind::Client, &before.sal_version, version),
    ] {
        if became.is_some() && became != was.as_deref() {
            lines.push(ChangeLine::new(kind, "", was.as_deref(), became));
        }
    }
    lines
}
