-- What programs of the REST API are told when they ask what changed since their last visit.

-- The transactions that last changed parts of a machine. A cursor is the oldest transaction that was still running when
-- the answer was read (Postgres manual, 9.26.9), so that nothing is missed that committed meanwhile.
-- 0002 makes the table with them by now. The default is stable: no row is rewritten.
ALTER TABLE IF EXISTS salrs_checkin
    ADD COLUMN IF NOT EXISTS facts_changed xid8 NOT NULL DEFAULT pg_current_xact_id(),
    ADD COLUMN IF NOT EXISTS managed_items_changed xid8 NOT NULL DEFAULT pg_current_xact_id(),
    ADD COLUMN IF NOT EXISTS applications_changed xid8 NOT NULL DEFAULT pg_current_xact_id(),
    ADD COLUMN IF NOT EXISTS profiles_changed xid8 NOT NULL DEFAULT pg_current_xact_id();

-- Machines that were deleted, or left a business unit, for as long as a cursor is good.
CREATE TABLE salrs_gone (
    machine_id bigint NOT NULL,
    -- None where somebody else deleted it, and its last check-in was all that was left; nor is its unit known then.
    serial text,
    unit_id integer,
    changed xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX salrs_gone_at ON salrs_gone (at);
