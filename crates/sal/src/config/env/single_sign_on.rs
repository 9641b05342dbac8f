//! The variables of single sign-on.

use super::declaration::{Variable, flag, secret, text};

pub(super) const VARIABLES: &[Variable] = &[
    text(
        "SAL_OIDC_ISSUER",
        "",
        "0.1",
        "Issuer of the OpenID Connect provider, as its description spells it; switches single sign-on on. Needs SAL_PUBLIC_URL.",
    ),
    text(
        "SAL_OIDC_CLIENT_ID",
        "",
        "0.1",
        "Our client id at the provider, where `<SAL_PUBLIC_URL>/oidc/callback/` is registered as redirect URI.",
    ),
    secret(
        "SAL_OIDC_CLIENT_SECRET",
        "0.1",
        "Our client secret at the provider; none for a public client.",
    ),
    text(
        "SAL_OIDC_SCOPES",
        "openid profile email",
        "0.1",
        "Scopes to ask for, separated by blanks.",
    ),
    text(
        "SAL_OIDC_USERNAME_CLAIM",
        "preferred_username",
        "0.1",
        "Claim with the name of a new user; where it is missing, `email`, if verified, and then `sub` are taken.",
    ),
    text(
        "SAL_OIDC_GROUPS_CLAIM",
        "groups",
        "0.1",
        "Claim with the groups; a dot leads into an object, as in realm_access.roles.",
    ),
    text(
        "SAL_OIDC_LEVELS",
        "",
        "0.1",
        "Levels by group, as `sal-admins=GA,helpdesk=RW,*=RO`; the highest counts, `*` is everybody, no match is no login. Without it levels stay and no users are made.",
    ),
    text(
        "SAL_OIDC_STAFF_GROUPS",
        "",
        "0.1",
        "Groups whose members may manage users if they are global admins, separated by commas.",
    ),
    text(
        "SAL_OIDC_UNITS",
        "",
        "0.1",
        "Business units by group, as `lab=Science,lab=Arts`. Without it memberships stay.",
    ),
    text(
        "SAL_OIDC_LABEL",
        "Log in with single sign-on",
        "0.1",
        "Text of the button on the login page.",
    ),
    flag(
        "SAL_OIDC_ONLY",
        false,
        "0.1",
        "Hide the form for local passwords; `/login/?local=1` always shows it.",
    ),
    text(
        "SAL_OIDC_JOIN_CLAIM",
        "",
        "0.1",
        "Claim that is trusted to be the name of a user here: an account that has it is that user from its first login on. `email` counts only when verified. Name none that people can choose; without it an administrator links accounts (`sal user link`).",
    ),
    text(
        "SAL_OIDC_ROOT_CA",
        "",
        "0.1",
        "PEM file of authorities to trust for the provider, beside those of the system.",
    ),
];
