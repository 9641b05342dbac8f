DROP INDEX IF EXISTS salrs_pluginscriptrow_name, salrs_fact_name;
