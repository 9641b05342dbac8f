DROP TABLE salrs_preference;
