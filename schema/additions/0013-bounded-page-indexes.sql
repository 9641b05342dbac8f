-- 0010 once put whole names into its indexes: a fact or a row with a name over 2,704 bytes was refused, and with it the
-- check-in that brought it, Django Sal's too. Where such an index is, the one over the beginning takes its place.
DO $$
BEGIN
    IF to_regclass('salrs_pluginscriptrow_name') IS NOT NULL THEN
        DROP INDEX salrs_pluginscriptrow_name;
        CREATE INDEX IF NOT EXISTS salrs_pluginscriptrow_name_start ON server_pluginscriptrow (left(submission_and_script_name, 200));
    END IF;
    IF to_regclass('salrs_fact_name') IS NOT NULL THEN
        DROP INDEX salrs_fact_name;
        CREATE INDEX IF NOT EXISTS salrs_fact_name_start ON server_fact (left(fact_name, 200), management_source_id);
    END IF;
END $$;
