//! The variables of who is let in: proxies in front, sessions.

use super::declaration::{ANY, Variable, number, text};

pub(super) const VARIABLES: &[Variable] = &[
    number(
        "SAL_SESSION_IDLE_MINUTES",
        720,
        (0, ANY),
        "0.1",
        "Minutes without a request after which somebody has to log in again; 0 for never. After 14 days everybody has to, as in Sal.",
    ),
    text(
        "SAL_TRUSTED_PROXIES",
        "",
        "0.1",
        "Addresses and networks of your proxies and load balancers, separated by commas, as `10.0.0.7,2001:db8::/32`; `private` stands for all private networks. Only their X-Forwarded-For and X-Forwarded-Proto are believed (docs/guides/behind-a-proxy.md).",
    ),
];
