//! A machine that comes with the key of another group than it is in.
//!
//! As in Sal, the key decides: the machine moves, and whoever sees the other unit sees it from then on. Here the move is
//! logged and noted where the machine's page shows it, and `SAL_KEY_MOVES` can forbid it.

use sal_http::app::KeyMoves;
use sal_http::{App, AppError};
use sal_store::Tx;
use sal_store::audit::{InsertAudit, insert_audit};
use sal_store::changed::note_moves;
use sal_store::groups::places_of_groups;
use sal_store::ids::{GroupId, MachineId};
use tracing::warn;

use crate::journal::Note;

/// A machine and what it came with.
pub(crate) struct Arriving<'a> {
    pub(crate) id: MachineId,
    pub(crate) serial: &'a str,
    /// The group it is in.
    pub(crate) from: GroupId,
    /// The group of its key.
    pub(crate) to: GroupId,
    pub(crate) address: &'a str,
}

impl Arriving<'_> {
    /// Notes the move, if it is one, in the check-in's transaction.
    ///
    /// # Errors
    /// [`AppError::MayNotMove`] where the setting forbids it.
    pub(crate) async fn note(&self, note: &Note, app: &App, tx: &Tx) -> Result<(), AppError> {
        if self.from == self.to {
            return Ok(());
        }
        let places = places_of_groups(tx, &vec![self.from, self.to]).await?;
        let place = |group: GroupId| places.iter().find(|place| place.id == group);
        let (from, to) = (place(self.from), place(self.to));
        let same_unit = from.map(|place| place.unit_id) == to.map(|place| place.unit_id);
        let is_allowed = match app.config.key_moves {
            KeyMoves::Any => true,
            KeyMoves::SameUnit => same_unit,
            KeyMoves::Never => false,
        };
        if !is_allowed {
            return Err(AppError::MayNotMove);
        }
        let words = |place: Option<&sal_store::groups::GroupPlace>| {
            place.map_or_else(
                || "a group that is gone".to_owned(),
                |place| format!("{} ({})", place.name, place.unit_name),
            )
        };
        let (from, to) = (words(from), words(to));
        let serial = self.serial;
        warn!(machine.serial = %serial, machine.id = %self.id, client.address = %self.address,
            "machine {serial} was moved from {from} to {to} by the key it checked in with");
        note.remark(&format!("moved from {from} to {to} by its key"));
        if app.store.has_own_tables() {
            note_moves(tx, &[self.id], &self.to).await?;
            let detail = format!(
                "{from} -> {to}, by the key of a check-in from {}",
                self.address
            );
            insert_audit(
                tx,
                InsertAudit {
                    at: &app.now(),
                    user: &None,
                    username: "check-in",
                    action: "moved",
                    kind: "machine",
                    object_id: self.id.to_string().as_str(),
                    object_name: serial,
                    detail: detail.as_str(),
                },
            )
            .await?;
        }
        Ok(())
    }
}
