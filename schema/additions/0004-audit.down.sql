DROP TABLE IF EXISTS salrs_audit;
