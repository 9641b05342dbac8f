-- What people chose about how the pages of this server look to them. Django Sal neither reads nor minds it.
-- No foreign key to auth_user: deleting a user from Django Sal must go on working; ids are never given twice.
CREATE TABLE salrs_preference (
    user_id integer NOT NULL,
    name text NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (user_id, name)
);
