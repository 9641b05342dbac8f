//! What is wrong first: the machines that somebody should look at, with the reasons.

use sal_http::{App, AppError, access::Viewer};
use sal_store::{
    Client,
    attention::{AttentionRow, machines_needing_attention},
};

use crate::{
    fleet_part::FleetPart,
    wording::{self, Moment},
};

/// The list at the top of an overview.
pub(super) struct Attention {
    /// How many machines there are in all.
    pub(super) all: String,
    pub(super) lines: Vec<AttentionLine>,
    /// What is not shown, in words; empty when all are.
    pub(super) rest: String,
}

/// A machine.
pub(super) struct AttentionLine {
    pub(super) name: String,
    pub(super) serial: String,
    pub(super) href: String,
    pub(super) seen: Option<Moment>,
    /// Words and what they mean: `bad` or `warn`.
    pub(super) reasons: Vec<(String, &'static str)>,
}

impl Attention {
    /// Reads the list; nothing for those who may see no machines, and when nothing is wrong.
    pub(super) async fn read(
        part: &FleetPart,
        viewer: &Viewer,
        db: &Client,
        app: &App,
    ) -> Result<Option<Self>, AppError> {
        if !viewer.sees_machines() {
            return Ok(None);
        }
        let (condition, scope) = (part.condition()?, part.scope(viewer));
        let rows = machines_needing_attention(&condition, MOST, app.now(), &scope, db).await?;
        Ok(rows.first().map(|row| row.all).map(|all| Self {
            rest: match all - wording::size(rows.len()) {
                0 => String::new(),
                rest => format!("{} more", wording::count(rest)),
            },
            all: wording::count(all),
            lines: rows.into_iter().map(|row| line(row, app)).collect(),
        }))
    }
}

fn line(row: AttentionRow, app: &App) -> AttentionLine {
    let mut reasons = Vec::new();
    if row.broken_client {
        reasons.push(("Broken client".to_owned(), "bad"));
    }
    if row.errors > 0 {
        reasons.push((wording::count_of(row.errors, "error", "errors"), "bad"));
    }
    if let Some(share) = row.full_disk {
        reasons.push((format!("Disk {} % used", share.trim()), "warn"));
    }
    if row.has_placeholder {
        reasons.push(("No serial number of its own".to_owned(), "warn"));
    }
    AttentionLine {
        name: wording::filled(row.hostname.as_deref()).unwrap_or_else(|| row.serial.clone()),
        href: format!("/machine_detail/{}/", row.id),
        seen: row
            .last_checkin
            .map(|at| Moment::new(at, app.now(), &app.config.time_zone)),
        serial: row.serial,
        reasons,
    }
}

/// More would push the numbers out of sight.
const MOST: u16 = 6;
