ALTER TABLE server_manageditem RESET (fillfactor);
ALTER TABLE server_pluginscriptsubmission RESET (fillfactor);
ALTER TABLE server_fact RESET (fillfactor);
ALTER TABLE server_pluginscriptrow RESET (fillfactor);
