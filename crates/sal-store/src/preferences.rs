//! `salrs_preference`: what a person chose about how pages look, as texts by name.

use crate::ids::UserId;

crate::queries! {
    /// What a user chose, if anything.
    preference(user: UserId, name: str) -> /// A choice.
    Preference {
        /// What was chosen.
        value: String,
    } = "SELECT value FROM salrs_preference WHERE user_id = $1 AND name = $2";

    /// Remembers a choice.
    set_preference(user: UserId, name: str, value: str) =
        "INSERT INTO salrs_preference (user_id, name, value) VALUES ($1, $2, $3)
         ON CONFLICT (user_id, name) DO UPDATE SET value = excluded.value";

    /// Forgets a choice.
    clear_preference(user: UserId, name: str) =
        "DELETE FROM salrs_preference WHERE user_id = $1 AND name = $2";
}
