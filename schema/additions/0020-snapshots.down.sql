DROP TABLE IF EXISTS salrs_snapshot;
