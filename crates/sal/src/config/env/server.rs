//! The variables of the server as a whole: pages, check-ins, maintenance, the log.

use super::declaration::{ANY, Variable, flag, number, secret, text, word};

pub(super) const VARIABLES: &[Variable] = &[
    text(
        "SAL_LISTEN",
        "0.0.0.0:8000",
        "0.1",
        "Address and port that `sal serve` listens on and `sal healthcheck` asks; `--listen` wins.",
    ),
    text(
        "DOCKER_SAL_TZ",
        "Europe/London",
        "Sal",
        "Time zone of pages and of clients' times without one, as an IANA name.",
    ),
    text(
        "DOCKER_SAL_DISPLAY_NAME",
        "Sal",
        "Sal",
        "Name in the title of the pages.",
    ),
    flag("DOCKER_SAL_DEBUG", false, "Sal", "Log at level debug."),
    flag(
        "DOCKER_SAL_BASIC_AUTH",
        true,
        "Sal",
        "Clients must authenticate with a machine group's key.",
    ),
    flag(
        "DOCKER_SAL_DEPLOYED_ON_CHECKIN",
        false,
        "Sal",
        "A check-in marks its machine as deployed.",
    ),
    text(
        "DOCKER_SAL_CSRF_TRUSTED_ORIGINS",
        "",
        "Sal",
        "Further origins whose forms are taken, with scheme, separated by commas.",
    ),
    secret(
        "ADMIN_PASS",
        "Sal",
        "Password of `admin`, who is made, or made a superuser and given it, at a start at which no user is a superuser; without it the log shows a one-time set-up link while there is no user. A common password, or one shorter than 8 characters, stops the start.",
    ),
    text(
        "SAL_PUBLIC_URL",
        "",
        "0.1",
        "Address that browsers use, as https://sal.example.org; with https, cookies are sent over https only and browsers are told to come by nothing else (HSTS).",
    ),
    flag(
        "SAL_ADD_NEW_MACHINES",
        true,
        "0.1",
        "A check-in of an unknown serial number makes a machine (settings.py: ADD_NEW_MACHINES).",
    ),
    text(
        "SAL_HISTORICAL_FACTS",
        "",
        "0.1",
        "Facts whose every value is kept, separated by commas (settings.py: HISTORICAL_FACTS).",
    ),
    text(
        "SAL_IGNORE_FACTS",
        "",
        "0.1",
        "Regular expressions; facts whose names begin with a match are dropped, separated by commas (settings.py: IGNORE_FACTS).",
    ),
    flag(
        "SAL_JOBS",
        true,
        "0.1",
        "This server may do the maintenance; of all servers on a database that may, one does. `false` on a replica.",
    ),
    number(
        "MAINT_FREQUENCY",
        300,
        (0, ANY),
        "Sal",
        "How often to refresh the caches of a Django Sal's searches, in seconds; at least 60. The other jobs have periods of their own.",
    ),
    number(
        "DOCKER_SAL_INACTIVE_UNDEPLOYED",
        0,
        (0, 36_500),
        "Sal",
        "Days without a check-in after which a machine is marked as undeployed; 0 for never.",
    ),
    number(
        "SAL_CHANGES_DAYS",
        730,
        (1, 36_500),
        "0.1",
        "Days for which changes of machines (host name, user, versions, errors, applications, profiles, moves) are kept.",
    ),
    text(
        "SAL_SEARCH_FACTS",
        "",
        "0.1",
        "Facts whose values quick search finds, separated by commas (settings.py: SEARCH_FACTS).",
    ),
    text(
        "SAL_LOG",
        "info",
        "0.1",
        "Log filter: error, warn, info, debug or trace, or directives such as sal_checkin=debug.",
    ),
    word(
        "SAL_LOG_FORMAT",
        &["human", "json"],
        "0.1",
        "human or json.",
    ),
    secret(
        "SAL_COMPARE_PASS",
        "0.1",
        "For `sal compare`: the password of its `--user`, at both servers.",
    ),
    secret(
        "SAL_COMPARE_KEY",
        "0.1",
        "For `sal compare`: a machine group's key that both servers know.",
    ),
    text(
        "SAL_URL",
        "",
        "0.1",
        "For `sal api` and `sal export`: the server's address, such as https://sal.example.org.",
    ),
    secret(
        "SAL_API_TOKEN",
        "0.1",
        "For `sal api` and `sal export`: an API token.",
    ),
    secret(
        "SAL_API_PUBLIC_KEY",
        "0.1",
        "For `sal api` and `sal export`, without a token: the public part of an API key.",
    ),
    secret(
        "SAL_API_PRIVATE_KEY",
        "0.1",
        "For `sal api` and `sal export`, without a token: the private part of an API key.",
    ),
    number(
        "SAL_DRAIN_SECONDS",
        20,
        (0, 86_400),
        "0.1",
        "Seconds that open requests may take after SIGTERM.",
    ),
];
