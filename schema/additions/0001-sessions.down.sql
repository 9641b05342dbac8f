DROP TABLE IF EXISTS salrs_session, salrs_setup_link;
