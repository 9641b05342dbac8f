DROP TABLE IF EXISTS salrs_preference;
