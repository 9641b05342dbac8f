DROP TABLE salrs_summary;
