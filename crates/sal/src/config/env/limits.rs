//! The variables that bound what one client, one statement or one connection may cost.

use super::declaration::{ANY, GIB, KIB, MIB, Variable, number, seconds, secret, text, word};

pub(super) const VARIABLES: &[Variable] = &[
    number(
        "SAL_BODY_LIMIT",
        5_242_880,
        (64 * KIB, GIB),
        "0.1",
        "The greatest request body in bytes.",
    ),
    number(
        "SAL_UNPACKED_LIMIT",
        33_554_432,
        (64 * KIB, GIB),
        "0.1",
        "The greatest size in bytes of an inventory, catalog or profile list after unpacking; by default an eighth of SAL_MEMORY_BUDGET where that is less.",
    ),
    number(
        "SAL_MEMORY_BUDGET",
        268_435_456,
        (32 * MIB, 1024 * GIB),
        "0.1",
        "Bytes that requests, and what is made of them, may take at once, about; by default a quarter of the container's memory where that is less. More wait for room, and are answered 503 after 3 s.",
    ),
    number(
        "SAL_MACHINE_LIMIT",
        240,
        (0, ANY),
        "0.1",
        "Submissions a minute of one machine, at most; 0 for no limit. More are answered 429.",
    ),
    number(
        "SAL_KEY_LIMIT",
        120_000,
        (0, ANY),
        "0.1",
        "Requests a minute with one machine group's key, at most; 0 for no limit.",
    ),
    number(
        "SAL_ADDRESS_LIMIT",
        120_000,
        (0, ANY),
        "0.1",
        "Requests a minute of clients at one address, at most; 0 for no limit. Behind proxies of SAL_TRUSTED_PROXIES it is the client's.",
    ),
    number(
        "SAL_JOURNAL_ROWS",
        10_000,
        (0, ANY),
        "0.1",
        "Rows of the check-in journal (`sal checkin journal`), at most; 0 for no journal.",
    ),
    number(
        "SAL_KEEP_REJECTED",
        100,
        (0, ANY),
        "0.1",
        "Bodies of refused submissions that are kept for `sal checkin replay`, at most; 0 for none.",
    ),
    seconds(
        "SAL_DB_STATEMENT_TIMEOUT",
        60,
        "0.1",
        "Seconds after which Postgres ends a statement of the pool; 0 for no limit.",
    ),
    seconds(
        "SAL_DB_LOCK_TIMEOUT",
        3,
        "0.1",
        "Seconds that a statement of the pool waits for a lock; 0 for no limit.",
    ),
    seconds(
        "SAL_DB_IDLE_TRANSACTION_TIMEOUT",
        30,
        "0.1",
        "Seconds after which Postgres ends a transaction of the pool that does nothing; 0 for no limit.",
    ),
    seconds(
        "SAL_DB_CLIENT_CHECK",
        5,
        "0.1",
        "Seconds between two looks of Postgres at whether this server is still there while a statement runs; 0 for none.",
    ),
    word(
        "SAL_KEY_MOVES",
        &["any", "same-unit", "never"],
        "0.1",
        "Where a check-in with another machine group's key moves its machine: `any` group, as in Sal, groups of the `same-unit`, or `never`; what may not move is answered 403. Inventories and profiles move nothing and are taken with any key.",
    ),
    text(
        "SAL_STATUS_LISTEN",
        "",
        "0.1",
        "Address and port of a second listener for /livez, /readyz with its reasons, and /metrics, such as 127.0.0.1:9100. Whoever reaches it may read them.",
    ),
    secret(
        "SAL_STATUS_TOKEN",
        "0.1",
        "Whoever sends it as a bearer token gets the reasons of /readyz and /metrics on the public listener; at least 16 characters.",
    ),
    number(
        "SAL_MAX_CONNECTIONS",
        4096,
        (16, 1_000_000),
        "0.1",
        "Connections of clients and browsers held at once, at most; less where the limit on open files is lower. Beyond it, those that wait without a request are closed first.",
    ),
];
