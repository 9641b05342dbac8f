DROP TABLE IF EXISTS salrs_gone;
ALTER TABLE IF EXISTS salrs_checkin DROP COLUMN IF EXISTS facts_changed, DROP COLUMN IF EXISTS managed_items_changed,
    DROP COLUMN IF EXISTS applications_changed, DROP COLUMN IF EXISTS profiles_changed;
