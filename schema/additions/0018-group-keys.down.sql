DROP TABLE IF EXISTS salrs_group_key;
ALTER TABLE IF EXISTS salrs_checkin DROP COLUMN IF EXISTS by_former_key;
