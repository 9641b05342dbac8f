//! `search_searchfieldcache` and `search_searchcache`: what a Django Sal on the same database offers in the drop-downs
//! of its searches, and what its quick search looks through beside the machines.
//!
//! Sal empties and refills both every five minutes. Here one statement for each writes only what differs, so that the
//! tables are never empty for a reader and cost nothing to keep when nothing changed.

use sal_query::Field;

/// The fields of a machine by which a Django Sal searches.
#[must_use]
pub fn machine_fields() -> Vec<String> {
    let names = Field::ALL.iter().map(|field| field.sals_name());
    names.map(str::to_owned).collect()
}

crate::queries! {
    /// Keeps other writers away from both tables until the end of the transaction; readers go on.
    lock_caches() = "LOCK TABLE search_searchfieldcache, search_searchcache IN SHARE ROW EXCLUSIVE MODE";

    /// Makes the drop-downs equal to what there is. What is longer than the column is left out.
    refresh_fields(machine_fields: Vec<String>, application_fields: Vec<String>, profile_fields: Vec<String>, payload_fields: Vec<String>) ->
    /// What was changed.
    Refreshed {
        /// Rows that were missing.
        made: i64,
        /// Rows that were too many.
        gone: i64,
    } = "WITH wanted (model, field) AS MATERIALIZED (
             SELECT 'Machine', field FROM unnest($1::text[]) AS own (field)
             UNION SELECT 'Facter', fact_name FROM (SELECT DISTINCT fact_name FROM server_fact) AS facts
             UNION SELECT 'External Script', plugin || '=>' || pluginscript_name FROM (
                 SELECT DISTINCT s.plugin, r.pluginscript_name FROM server_pluginscriptrow r
                 JOIN server_pluginscriptsubmission s ON s.id = r.submission_id) AS scripts
             UNION SELECT 'Application Inventory', field FROM unnest($2::text[]) AS own (field)
             UNION SELECT 'Application Version', name || '=>' || bundleid FROM inventory_application
             UNION SELECT 'Profile', field FROM unnest($3::text[]) AS own (field)
             UNION SELECT 'Profile Payload', field FROM unnest($4::text[]) AS own (field)),
         kept AS MATERIALIZED (
             SELECT min(c.id) AS id, c.search_model AS model, c.search_field AS field
             FROM search_searchfieldcache c JOIN wanted w ON w.model = c.search_model AND w.field = c.search_field
             GROUP BY c.search_model, c.search_field),
         gone AS (
             DELETE FROM search_searchfieldcache c WHERE NOT EXISTS (SELECT FROM kept WHERE kept.id = c.id) RETURNING 1),
         made AS (
             INSERT INTO search_searchfieldcache (search_model, search_field)
             SELECT w.model, w.field FROM wanted w
             WHERE length(w.field) <= 254 AND NOT EXISTS (SELECT FROM kept WHERE kept.model = w.model AND kept.field = w.field)
             ORDER BY w.model, w.field
             RETURNING 1)
         SELECT (SELECT count(*) FROM made) AS made, (SELECT count(*) FROM gone) AS gone";

    /// What the drop-down of a kind of condition offers; the kind in lower case.
    search_fields(model: String) -> /// A field.
    SearchField {
        /// Its name.
        field: String,
    } = "SELECT search_field AS field FROM search_searchfieldcache WHERE lower(search_model) = $1";

    /// Makes what quick search looks through equal to the values of these facts.
    refresh_values(facts: Vec<String>) -> /// What was changed.
    RefreshedValues {
        /// Rows that were missing.
        made: i64,
        /// Rows that were too many.
        gone: i64,
    } = "WITH wanted AS MATERIALIZED (
             SELECT DISTINCT machine_id, fact_data AS item FROM server_fact
             WHERE left(fact_name, 200) IN (SELECT left(name, 200) FROM unnest($1::text[]) AS facts (name))
               AND fact_name = ANY($1) AND length(fact_data) <= 254),
         kept AS MATERIALIZED (
             SELECT min(c.id) AS id, c.machine_id, c.search_item AS item
             FROM search_searchcache c JOIN wanted w ON w.machine_id = c.machine_id AND w.item = c.search_item
             GROUP BY c.machine_id, c.search_item),
         gone AS (
             DELETE FROM search_searchcache c WHERE NOT EXISTS (SELECT FROM kept WHERE kept.id = c.id) RETURNING 1),
         made AS (
             INSERT INTO search_searchcache (machine_id, search_item)
             SELECT w.machine_id, w.item FROM wanted w
             WHERE NOT EXISTS (SELECT FROM kept WHERE kept.machine_id = w.machine_id AND kept.item = w.item)
             ORDER BY w.machine_id, w.item
             RETURNING 1)
         SELECT (SELECT count(*) FROM made) AS made, (SELECT count(*) FROM gone) AS gone";
}
