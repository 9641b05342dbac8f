//! `POST /report_broken_client/`: a client whose Python does not run says so with a small tool of its own.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use sal_http::checkin_key::{CheckinClient, group_of_key};
use sal_http::origin::Origin;
use sal_http::{App, AppError, db::machine_client, django};
use sal_store::machine_changes::{ChangeKind, ChangeLine, write_changes};
use sal_store::machines::{LockedMachine, lock_machine, mark_broken};
use sal_store::serials::{apart, is_placeholder};

use crate::journal::Note;
use crate::limits::Limits;
use crate::moves::Arriving;
use crate::plan::arrival;
use crate::{form, retry, serial};

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
    let mut serial = serial::clean(&raw_serial);
    if is_placeholder(&serial) {
        serial = apart(&serial, &field("name").unwrap_or_default());
    }
    let cut = |text: String, length: usize| text.chars().take(length).collect::<String>();
    let report = Report {
        app: &app,
        note: &note,
        raw_serial: &raw_serial,
        serial,
        key: field("key").unwrap_or_default(),
        // Any text means yes, even `False`; that is how the tool and the original understand it.
        says_so: field("broken_client").is_some_and(|flag| !flag.is_empty()),
        hostname: field("name").map(|name| cut(name, 256)),
        version: field("sal_version").map(|version| cut(version, 255)),
        address: &origin.address,
    };
    if !retry::until_undisturbed(|| report.file()).await? {
        return Ok(django::answer(StatusCode::BAD_REQUEST, ""));
    }
    note.remark("reports a broken client");
    tracing::info!(machine.serial = %raw_serial, "{raw_serial} reports a broken client");
    Ok(django::answer(
        StatusCode::OK,
        format!("Broken Client report submmitted for {raw_serial}"),
    ))
}

/// What a client said.
struct Report<'a> {
    app: &'a App,
    note: &'a Note,
    raw_serial: &'a str,
    serial: String,
    key: String,
    says_so: bool,
    hostname: Option<String>,
    version: Option<String>,
    address: &'a str,
}

impl Report<'_> {
    /// One try; whether it says that the client is broken.
    async fn file(&self) -> Result<bool, AppError> {
        let (app, now) = (self.app, self.app.now());
        let tx = machine_client(0, app).await?.begin().await?;
        let machine = lock_machine(&tx, &self.serial).await?.into_iter().next();
        let group = group_of_key(&self.key, app, &tx).await?;
        let (Some(machine), Some(group)) = (machine, group) else {
            tx.rollback().await?;
            return Err(AppError::Unknown(
                "an unknown serial number, or a key of no machine group",
            ));
        };
        if !self.says_so {
            tx.rollback().await?;
            return Ok(false);
        }
        let arriving = Arriving {
            id: machine.id,
            serial: self.raw_serial,
            from: machine.machine_group_id,
            to: group.id,
            address: self.address,
        };
        arriving.note(self.note, app, &tx).await?;
        let deploy = &app.config.deployed_on_checkin;
        let (hostname, version) = (&self.hostname, &self.version);
        mark_broken(&tx, &machine.id, &group.id, &now, hostname, version, deploy).await?;
        if app.store.has_own_tables() {
            let lines = self.lines(&machine, now);
            retry::noted(write_changes(machine.id, now, &lines, &tx).await, app)?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// What it changes.
    fn lines(&self, before: &LockedMachine, now: Timestamp) -> Vec<ChangeLine> {
        let mut lines: Vec<_> = arrival(before.last_checkin, now).into_iter().collect();
        if !before.broken_client {
            lines.push(ChangeLine::new(
                ChangeKind::Broken,
                "",
                None,
                Some("broken"),
            ));
        }
        for (kind, was, became) in [
            (ChangeKind::Hostname, &before.hostname, &self.hostname),
            (ChangeKind::Client, &before.sal_version, &self.version),
        ] {
            if became.is_some() && became != was {
                lines.push(ChangeLine::new(kind, "", was.as_deref(), became.as_deref()));
            }
        }
        lines
    }
}
