//! What maintenance removes: rows older than the retention, sessions that expired, sources that nothing names, and
//! machines' mark of being in use.
//!
//! Rows to remove are looked for once and removed by their ids in small batches, each a transaction of its own whose
//! conditions are asked again: a check-in may have renewed the row meanwhile. Whatever a check-in holds is skipped.

pub mod applications;
pub mod changes;

use jiff::Timestamp;
use uuid::Uuid;

crate::queries! {
    /// Plugin results recorded before a moment.
    old_submissions(before: Timestamp, limit: i64) -> /// A row's id.
    OldSubmission {
        /// The submission.
        id: i64,
    } = "SELECT id FROM server_pluginscriptsubmission WHERE recorded < $1 LIMIT $2";

    /// Removes plugin results with their rows. A machine that is checking in keeps its own until the next run: the
    /// machine's row is what its check-in locks first, and is locked here before anything is removed. It is written, too:
    /// a check-in that waits for the lock read before, and finds by the row's version that it has to read again.
    delete_submissions(ids: Vec<i64>, before: Timestamp) -> /// How much was removed.
    DeletedSubmissions {
        /// Submissions.
        submissions: i64,
        /// Their rows.
        rows: i64,
    } = "WITH old AS MATERIALIZED (
             SELECT s.id, s.machine_id FROM server_pluginscriptsubmission s JOIN server_machine m ON m.id = s.machine_id
             WHERE s.id = ANY($1) AND s.recorded < $2
             FOR NO KEY UPDATE OF m SKIP LOCKED FOR UPDATE OF s SKIP LOCKED),
         touched AS (UPDATE server_machine m SET deployed = m.deployed FROM old WHERE m.id = old.machine_id),
         lines AS (DELETE FROM server_pluginscriptrow r USING old WHERE r.submission_id = old.id RETURNING 1),
         gone AS (DELETE FROM server_pluginscriptsubmission s USING old WHERE s.id = old.id RETURNING 1)
         SELECT (SELECT count(*) FROM gone) AS submissions, (SELECT count(*) FROM lines) AS rows";

    /// Lines of managed items' history recorded before a moment.
    old_history(before: Timestamp, limit: i64) -> /// A row's id.
    OldHistory {
        /// The line.
        id: Uuid,
    } = "SELECT id FROM server_manageditemhistory WHERE recorded < $1 LIMIT $2";

    /// Removes lines of history.
    delete_history(ids: Vec<Uuid>, before: Timestamp) =
        "DELETE FROM server_manageditemhistory WHERE id = ANY($1) AND recorded < $2";

    /// Historical facts recorded before a moment.
    old_facts(before: Timestamp, limit: i64) -> /// A row's id.
    OldFact {
        /// The fact.
        id: i64,
    } = "SELECT id FROM server_historicalfact WHERE fact_recorded < $1 LIMIT $2";

    /// Removes historical facts.
    delete_facts(ids: Vec<i64>, before: Timestamp) =
        "DELETE FROM server_historicalfact WHERE id = ANY($1) AND fact_recorded < $2";

    /// How much is older than a moment.
    count_old(before: Timestamp) -> /// Counts of what retention would remove.
    OldCounts {
        /// Plugin results.
        submissions: i64,
        /// Lines of history.
        history: i64,
        /// Historical facts.
        facts: i64,
        /// Plugin results, old or not.
        all_submissions: i64,
        /// Lines of history, old or not.
        all_history: i64,
        /// Historical facts, old or not.
        all_facts: i64,
    } = "SELECT submissions, history, facts, all_submissions, all_history, all_facts FROM
           (SELECT count(*) FILTER (WHERE recorded < $1) AS submissions, count(*) AS all_submissions FROM server_pluginscriptsubmission) s,
           (SELECT count(*) FILTER (WHERE recorded < $1) AS history, count(*) AS all_history FROM server_manageditemhistory) h,
           (SELECT count(*) FILTER (WHERE fact_recorded < $1) AS facts, count(*) AS all_facts FROM server_historicalfact) f";

    /// Sources that no row names. Their ids begin with the time they were made: one that is younger than
    /// `made_before` belongs to a check-in that is about to use it.
    unused_sources(made_before: Uuid) -> /// A source nobody uses.
    UnusedSource {
        /// Its id.
        id: Uuid,
        /// Its name.
        name: String,
    } = "SELECT s.id, s.name FROM server_managementsource s
         WHERE s.name NOT IN ('Machine', 'Sal') AND s.id < $1
           AND NOT EXISTS (SELECT FROM server_fact x WHERE x.management_source_id = s.id)
           AND NOT EXISTS (SELECT FROM server_manageditem x WHERE x.management_source_id = s.id)
           AND NOT EXISTS (SELECT FROM server_manageditemhistory x WHERE x.management_source_id = s.id)
           AND NOT EXISTS (SELECT FROM server_historicalfact x WHERE x.management_source_id = s.id)
           AND NOT EXISTS (SELECT FROM server_message x WHERE x.management_source_id = s.id)
         ORDER BY s.name";

    /// Removes a source. A row that names it since then makes this statement fail, not the check-in that brought it.
    delete_source(id: Uuid) = "DELETE FROM server_managementsource WHERE id = $1";

    /// How many machines in use were last seen at a moment or before.
    count_inactive(before: Timestamp) -> /// A count.
    InactiveCount {
        /// Machines.
        machines: i64,
        /// Machines in use, silent or not.
        deployed: i64,
    } = "SELECT count(*) FILTER (WHERE last_checkin <= $1) AS machines, count(*) AS deployed FROM server_machine WHERE deployed";

    /// Takes the mark of being in use from machines that were last seen at a moment or before, and says which.
    undeploy(before: Timestamp, limit: i64) -> /// A machine that is no longer in use.
    Undeployed {
        /// Its serial number.
        serial: String,
    } = "WITH silent AS (
             SELECT id FROM server_machine WHERE deployed AND last_checkin <= $1 ORDER BY id LIMIT $2
             FOR NO KEY UPDATE SKIP LOCKED)
         UPDATE server_machine m SET deployed = false FROM silent WHERE m.id = silent.id RETURNING m.serial";

    /// Removes browser sessions that expired.
    delete_sessions(now: Timestamp, limit: i64) = "
        DELETE FROM salrs_session WHERE expires <= $1 AND token_hash IN (
            SELECT token_hash FROM salrs_session WHERE expires <= $1 ORDER BY expires LIMIT $2)";

    /// Removes set-up links that expired.
    delete_setup_links(now: Timestamp) = "DELETE FROM salrs_setup_link WHERE expires <= $1";

    /// Ends the sessions of users who are not active: they must not come to life again with the account.
    delete_sessions_of_inactive() = "
        DELETE FROM salrs_session s USING auth_user u WHERE u.id = s.user_id AND NOT u.is_active";

    /// How many sessions there are of users who are not active.
    count_sessions_of_inactive() -> /// A count of sessions.
    InactiveSessions {
        /// How many.
        sessions: i64,
    } = "SELECT count(*) AS sessions FROM salrs_session s JOIN auth_user u ON u.id = s.user_id WHERE NOT u.is_active";

    /// How much is kept of machines and users that are gone.
    count_leftovers() -> /// Counts of what would be removed.
    LeftoverCounts {
        /// Last check-ins.
        checkins: i64,
        /// Sessions.
        sessions: i64,
        /// Accounts of single sign-on.
        identities: i64,
        /// Accounts, whoever's.
        all_identities: i64,
        /// Preferences.
        preferences: i64,
        /// Preferences, whoever's.
        all_preferences: i64,
        /// Filters of searches.
        searches: i64,
        /// Filters of searches, gone or not.
        all_searches: i64,
        /// Searches that are shared with a unit that is gone.
        shared: i64,
    } = "SELECT checkins, sessions, identities, all_identities, preferences, all_preferences, searches, all_searches, shared FROM
           (SELECT count(*) AS checkins FROM salrs_checkin x WHERE NOT EXISTS (SELECT FROM server_machine m WHERE m.id = x.machine_id)) c,
           (SELECT count(*) AS sessions FROM salrs_session x WHERE NOT EXISTS (SELECT FROM auth_user u WHERE u.id = x.user_id)) s,
           (SELECT count(*) FILTER (WHERE NOT EXISTS (SELECT FROM auth_user u WHERE u.id = x.user_id)) AS identities,
                   count(*) AS all_identities FROM salrs_identity x) i,
           (SELECT count(*) FILTER (WHERE NOT EXISTS (SELECT FROM auth_user u WHERE u.id = x.user_id)) AS preferences,
                   count(*) AS all_preferences FROM salrs_preference x) p,
           (SELECT count(*) FILTER (WHERE NOT EXISTS (SELECT FROM search_savedsearch s WHERE s.id = x.search_id)) AS searches,
                   count(*) AS all_searches,
                   count(*) FILTER (WHERE x.unit_id IS NOT NULL AND NOT EXISTS (SELECT FROM server_businessunit u WHERE u.id = x.unit_id)
                                      AND EXISTS (SELECT FROM search_savedsearch s WHERE s.id = x.search_id)) AS shared
            FROM salrs_search x) f";

    /// Removes the last check-ins of machines that are gone, and notes that these are. A check-in makes its machine and this row at once, so that
    /// none is seen without the other.
    delete_checkins_of_gone(limit: i64) = "
        WITH gone AS (
            DELETE FROM salrs_checkin WHERE machine_id IN (
                SELECT x.machine_id FROM salrs_checkin x
                WHERE NOT EXISTS (SELECT FROM server_machine m WHERE m.id = x.machine_id) LIMIT $1)
            RETURNING machine_id)
        INSERT INTO salrs_gone (machine_id) SELECT machine_id FROM gone";

    /// Removes the sessions of users who are gone.
    delete_sessions_of_gone() = "
        DELETE FROM salrs_session x WHERE NOT EXISTS (SELECT FROM auth_user u WHERE u.id = x.user_id)";

    /// Removes the accounts of single sign-on of users who are gone.
    delete_identities_of_gone() = "
        DELETE FROM salrs_identity x WHERE NOT EXISTS (SELECT FROM auth_user u WHERE u.id = x.user_id)";

    /// Removes the preferences of users who are gone.
    delete_preferences_of_gone() = "
        DELETE FROM salrs_preference x WHERE NOT EXISTS (SELECT FROM auth_user u WHERE u.id = x.user_id)";

    /// Removes the filters of searches that are gone.
    delete_filters_of_gone() = "
        DELETE FROM salrs_search x WHERE NOT EXISTS (SELECT FROM search_savedsearch s WHERE s.id = x.search_id)";

    /// Makes searches private that were shared with a unit that is gone.
    unshare_with_gone() = "
        UPDATE salrs_search x SET sharing = CASE sharing WHEN 'unit' THEN 'private' ELSE sharing END, unit_id = NULL
        WHERE x.unit_id IS NOT NULL AND NOT EXISTS (SELECT FROM server_businessunit u WHERE u.id = x.unit_id)";

    /// Removes sessions of Django that expired; Django itself never does.
    delete_django_sessions(now: Timestamp, limit: i64) = "
        DELETE FROM django_session WHERE expire_date <= $1 AND session_key IN (
            SELECT session_key FROM django_session WHERE expire_date <= $1 ORDER BY expire_date LIMIT $2)";

    /// How many sessions expired.
    count_expired(now: Timestamp) -> /// Counts of what would be removed.
    ExpiredCounts {
        /// Our sessions.
        sessions: i64,
        /// Set-up links.
        links: i64,
        /// Django's sessions.
        django: i64,
        /// Notes of machines that are gone.
        gone: i64,
    } = "SELECT (SELECT count(*) FROM salrs_session WHERE expires <= $1) AS sessions,
                (SELECT count(*) FROM salrs_setup_link WHERE expires <= $1) AS links,
                (SELECT count(*) FROM django_session WHERE expire_date <= $1) AS django,
                (SELECT count(*) FROM salrs_gone WHERE at < $1::timestamptz - interval '37 days') AS gone";

    /// How many searches nobody saved were made before a moment.
    count_unsaved_searches(before: Timestamp) -> /// A count.
    UnsavedSearches {
        /// Searches.
        searches: i64,
    } = "SELECT count(*) AS searches FROM search_savedsearch WHERE NOT save_search AND created < $1";

    /// Removes searches that nobody saved, with their groups and rows.
    delete_unsaved_searches(before: Timestamp, limit: i64) -> /// How many were removed.
    DeletedSearches {
        /// Searches.
        searches: i64,
    } = "WITH old AS MATERIALIZED (
             SELECT id FROM search_savedsearch WHERE NOT save_search AND created < $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED),
         parts AS MATERIALIZED (SELECT g.id FROM search_searchgroup g JOIN old ON old.id = g.saved_search_id),
         lines AS (DELETE FROM search_searchrow r USING parts WHERE r.search_group_id = parts.id),
         gone_parts AS (DELETE FROM search_searchgroup g USING parts WHERE g.id = parts.id),
         gone AS (DELETE FROM search_savedsearch s USING old WHERE s.id = old.id RETURNING 1)
         SELECT count(*) AS searches FROM gone";
}

/// The least id of `server_managementsource` that was made at `moment` or after: 48 bits of milliseconds, then zeros.
pub fn first_id_of(moment: Timestamp) -> Uuid {
    let milliseconds = u128::try_from(moment.as_millisecond()).unwrap_or(0);
    Uuid::from_u128(milliseconds << 80)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::time_ordered_uuid;

    #[test]
    fn ids_made_before_a_moment_sort_before_its_first_one() {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let first = first_id_of(at(1_700_000_000_000));
        let mut rng = rand::rng();
        assert!(time_ordered_uuid(at(1_699_999_999_999), &mut rng) < first);
        assert!(time_ordered_uuid(at(1_700_000_000_000), &mut rng) >= first);
        assert_eq!(first_id_of(at(-5)), Uuid::nil());
    }
}
