//! What an administrator decides about single sign-on.

pub use oidc_login::config::{ClientSecret, Issuer};
use oidc_login::{ClientConfig, Wish};

use super::mapping::{Groups, Levels, Units};

/// The provider, who we are to it, and what its groups mean here.
#[derive(Debug, Clone)]
pub struct OidcConfig {
    /// The provider's name for itself, an address (`SAL_OIDC_ISSUER`).
    pub issuer: Issuer,
    /// Our name at the provider.
    pub client_id: String,
    /// Our secret at the provider; a public client has none.
    pub client_secret: Option<ClientSecret>,
    /// Where the provider sends browsers back to; registered there exactly so.
    pub redirect_uri: String,
    /// What we ask for, separated by blanks; `openid` is among it.
    pub scopes: String,
    /// The claim that holds a new user's name; where it is missing, `email` and then `sub` do.
    pub username_claim: String,
    /// The claim that is trusted to be the name of the user here whose account it is; none joins nobody.
    pub join_claim: Option<String>,
    /// The claim that holds the groups; a dot leads into an object.
    pub groups_claim: String,
    /// Which groups give which level. Without it levels stay as they are, and nobody new gets in.
    pub levels: Option<Levels>,
    /// Whose members may manage users. Without it that stays as it is.
    pub staff: Option<Groups>,
    /// Which groups belong to which business units. Without it memberships stay as they are.
    pub units: Option<Units>,
    /// Text of the button.
    pub label: String,
    /// Whether the login page hides the form for local passwords.
    pub only: bool,
}

impl OidcConfig {
    /// What the protocol has to know.
    pub(super) fn client(&self) -> ClientConfig {
        ClientConfig {
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
            redirect_uri: self.redirect_uri.clone(),
            scopes: self.scopes.clone(),
        }
    }

    /// What we have to know of somebody.
    pub(super) fn wish(&self) -> Wish {
        Wish {
            username_claim: self.username_claim.clone(),
            join_claim: self.join_claim.clone(),
            groups_claim: self.groups_claim.clone(),
            wants_groups: self.names_groups(),
        }
    }

    /// Whether any right hangs on a group, and not on being anybody.
    pub(super) fn names_groups(&self) -> bool {
        self.levels.as_ref().is_some_and(Levels::names_groups)
            || self.staff.as_ref().is_some_and(Groups::names_groups)
            || self.units.as_ref().is_some_and(Units::names_groups)
    }
}
