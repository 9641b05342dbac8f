DROP TABLE IF EXISTS salrs_checkin, salrs_journal, salrs_rejected_body;
