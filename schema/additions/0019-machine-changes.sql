-- What became of each machine, a line for each change. Django Sal neither reads nor minds it.
CREATE TABLE salrs_change (
    id bigint GENERATED ALWAYS AS IDENTITY,
    -- No foreign key: deleting a machine from Django Sal must go on working. The job `leftovers` removes its lines.
    machine_id bigint NOT NULL,
    at timestamptz NOT NULL,
    -- sal-store/src/machine_changes.rs says which number is which kind.
    kind smallint NOT NULL,
    -- Of what: an application, a profile, a message's text. Empty where the kind says all.
    name text NOT NULL,
    was text,
    became text,
    -- Lines come nearly in this order, so that a check-in writes into the last page of the index.
    PRIMARY KEY (at, id)
);
CREATE INDEX salrs_change_machine ON salrs_change (machine_id, at);
