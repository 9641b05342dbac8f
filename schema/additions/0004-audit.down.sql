DROP TABLE salrs_audit;
