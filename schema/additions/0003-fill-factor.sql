-- Munki stamps every managed item with a new date at each check-in, and the results of plugin scripts get the time of
-- the check-in. No index covers those columns, so with room left in the page the new version of a row stays beside the
-- old one and no index is touched (Postgres manual, 73.7 heap-only tuples). Only pages that are written from now on
-- leave that room; nothing is rewritten now.
ALTER TABLE server_manageditem SET (fillfactor = 60);
ALTER TABLE server_pluginscriptsubmission SET (fillfactor = 70);
-- Of these only few change at a time.
ALTER TABLE server_fact SET (fillfactor = 85);
ALTER TABLE server_pluginscriptrow SET (fillfactor = 85);
