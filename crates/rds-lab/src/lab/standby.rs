//! A real standby beside the instance, as Multi-AZ has: commits wait for it, and after a failover the same name leads
//! to it. What was the primary is dead then, for good; another standby is made of the new one.

use super::{Lab, doors};
use crate::LabError;

/// What clients notice of the connections that they had with the old primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldConnections {
    /// They are closed: Postgres died, its host did not.
    Closed,
    /// Nothing comes any more, not even an end: the host died. They stay open as long as the lab.
    Silent,
}

impl Lab {
    /// Starts a standby that has every commit before the client hears of it.
    ///
    /// # Errors
    /// [`LabError::Postgres`].
    pub async fn start_standby(&mut self) -> Result<(), LabError> {
        self.standby = Some(self.postgres.start_standby().await?);
        Ok(())
    }

    /// Kills the Postgres as if its host had died, makes the standby the primary, and lets all names lead to it.
    ///
    /// # Errors
    /// [`LabError::NoStandby`] before [`Self::start_standby`]; [`LabError::Database`] when it cannot be promoted.
    pub async fn fail_over_to_standby(&mut self, old: OldConnections) -> Result<(), LabError> {
        let standby = self.standby.take().ok_or(LabError::NoStandby)?;
        let front = &self.doors.front;
        match old {
            OldConnections::Closed => front.cut_connections(),
            OldConnections::Silent => front.silence_connections(),
        }
        self.postgres.crash().await;
        standby
            .promote()
            .await
            .map_err(LabError::database("promote the standby"))?;
        front.roles.move_to(standby.admin_config("postgres")).await;
        front.backend.move_to(doors::place(&self.options, &standby));
        let dead = std::mem::replace(&mut self.postgres, standby);
        self.former.push(dead);
        Ok(())
    }
}
