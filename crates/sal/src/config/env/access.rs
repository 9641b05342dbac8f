//! The variables of who is let in: proxies in front, sessions.

use super::declaration::{ANY, Variable, flag, number, text};

pub(super) const VARIABLES: &[Variable] = &[
    number(
        "SAL_SESSION_IDLE_MINUTES",
        720,
        (0, ANY),
        "0.1",
        "Minutes without a request after which somebody has to log in again; 0 for never. After 14 days everybody has to, as in Sal.",
    ),
    flag(
        "SAL_API_SHOW_GROUP_KEYS",
        false,
        "0.1",
        "Whether API keys that may only read see the keys of machine groups, as in Sal (Q-189). Keys that may also write, and tokens that may see them, always do.",
    ),
    number(
        "SAL_API_TOKEN_MAX_DAYS",
        0,
        (0, 3650),
        "0.1",
        "Days that a new token of the REST API lasts at most; 0 for no limit, so that tokens without an end can be made.",
    ),
    number(
        "SAL_API_REQUESTS_PER_MINUTE",
        60_000,
        (0, ANY),
        "0.1",
        "Requests a minute of one token or API key at the REST API and at /mcp, at most; 0 for no limit. More are answered 429. Each server counts for itself; people with a session are not counted.",
    ),
    flag(
        "SAL_MCP",
        false,
        "0.1",
        "Whether assistants may ask about machines at /mcp, with an API token, by the Model Context Protocol; they can change nothing (docs/guides/assistants.md).",
    ),
    text(
        "SAL_TRUSTED_PROXIES",
        "",
        "0.1",
        "Addresses and networks of your proxies and load balancers, separated by commas, as `10.0.0.7,2001:db8::/32`; `private` stands for all private networks. Only their X-Forwarded-For and X-Forwarded-Proto are believed (docs/guides/behind-a-proxy.md).",
    ),
];
