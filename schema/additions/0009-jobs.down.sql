DROP TABLE salrs_job;
