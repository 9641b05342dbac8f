DROP TABLE IF EXISTS salrs_summary;
