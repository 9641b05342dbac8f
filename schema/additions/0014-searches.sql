-- What a saved search is beside Sal's own row of search_savedsearch, which stays the one that says name, owner and when it
-- was made. A search without a row here is Sal's own: its groups and rows say what it means, and everybody sees it.
-- Django Sal neither reads nor minds this table. No foreign keys: deleting a search, a user or a unit from Django Sal must
-- go on working.
CREATE TABLE salrs_search (
    -- The id of the row of search_savedsearch.
    search_id bigint PRIMARY KEY,
    -- The filter, as it was typed.
    filter text NOT NULL,
    description text NOT NULL DEFAULT '',
    -- `private`, `unit` or `everybody`.
    sharing text NOT NULL DEFAULT 'private',
    -- The unit that it is shared with.
    unit_id integer,
    -- `no`, `tile` or `list`.
    overview text NOT NULL DEFAULT 'no',
    updated timestamptz NOT NULL,
    -- Sal's groups and rows as they were written with this filter. When they are others now, somebody changed the search in
    -- a Django Sal since, and its rows say what it means.
    mirror text NOT NULL,
    CHECK (sharing IN ('private', 'unit', 'everybody')),
    CHECK (sharing <> 'unit' OR unit_id IS NOT NULL),
    CHECK (overview IN ('no', 'tile', 'list'))
);
