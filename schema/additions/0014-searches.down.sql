DROP TABLE IF EXISTS salrs_search;
