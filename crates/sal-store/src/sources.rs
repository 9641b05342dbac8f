//! `server_managementsource`: who told us (Machine, Sal, Munki, Apple Software Update, …).

use uuid::Uuid;

use crate::ids::SourceId;

crate::queries! {
    /// The sources with these names.
    sources_by_name(names: Vec<String>) -> /// A management source.
    Source {
        /// Its id.
        id: SourceId,
        /// Its name, as the client sent it.
        name: String,
    } = "SELECT id, name FROM server_managementsource WHERE name = ANY($1)";

    /// Makes those of the sources that do not exist. Names must be sorted, so that two check-ins that bring the same
    /// new sources wait for each other instead of deadlocking.
    insert_sources(ids: Vec<Uuid>, names: Vec<String>) =
        "INSERT INTO server_managementsource (id, name)
         SELECT id, name FROM unnest($1::uuid[], $2::text[]) AS new (id, name)
         ON CONFLICT (name) DO NOTHING";
}
