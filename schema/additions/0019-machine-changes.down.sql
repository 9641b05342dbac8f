DROP TABLE IF EXISTS salrs_change;
