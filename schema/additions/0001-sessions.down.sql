DROP TABLE salrs_session, salrs_setup_link;
