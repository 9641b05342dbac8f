//! Who the provider says somebody is: names, address, groups, and what it does not say. Pure.

use serde_json::Value;

use crate::token::Claims;

/// Which claims are looked for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The claim that holds the user name; where it is missing, `email` and then `sub` do.
    pub username_claim: String,
    /// The claim that is trusted to be a name here, if there is one.
    pub join_claim: Option<String>,
    /// The claim that holds the groups; a dot leads into an object.
    pub groups_claim: String,
    /// Whether it matters which groups there are.
    pub wants_groups: bool,
}

/// An account of the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The account's id at the provider: never another's, whatever its names become.
    pub subject: String,
    /// At most 150 characters. Only good for somebody who has no name yet.
    pub username: Result<String, NameFault>,
    /// The value of the claim that is trusted to be a name. Where it is an e-mail address, the provider verified it.
    pub trusted_name: Option<String>,
    /// May be empty.
    pub first_name: String,
    /// May be empty.
    pub last_name: String,
    /// May be empty, and need not be verified.
    pub email: String,
    /// What is known of the groups.
    pub groups: Groups,
}

/// Why there is no user name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameFault {
    /// There is nothing that could be one.
    Missing,
    /// It would be an e-mail address of which the provider does not say that it is verified.
    UnverifiedEmail,
}

/// The groups that the provider names, and whether these are all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// Those that it names.
    pub names: Vec<String>,
    /// Whether there may be others.
    pub extent: Extent,
}

/// How much of the groups is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All.
    All,
    /// Nobody said a word about groups: none, or a provider that is not set up to send them.
    Unsaid,
    /// The provider says that there are some and leaves them out (Entra ID does above 200).
    LeftOut,
}

/// Whether the claims lack something that the userinfo endpoint may know.
pub(crate) fn lacks(claims: &Claims, wish: &Wish) -> bool {
    let lacks_groups = wish.wants_groups && groups(claims, wish).extent != Extent::All;
    let lacks_name = claims.text(&wish.username_claim).is_none();
    let lacks_trusted = wish
        .join_claim
        .as_deref()
        .is_some_and(|claim| trusted(claims, claim).is_none());
    lacks_groups || lacks_name || lacks_trusted
}

impl Person {
    /// Reads what we need of the claims.
    pub(crate) fn read(claims: &Claims, wish: &Wish) -> Self {
        let text = |name| claims.text(name).unwrap_or_default();
        let trusted = wish.join_claim.as_deref();
        Self {
            subject: text("sub").to_owned(),
            username: username(claims, &wish.username_claim),
            trusted_name: trusted.and_then(|claim| trusted_name(claims, claim)),
            first_name: shown(text("given_name"), MAX_NAME),
            last_name: shown(text("family_name"), MAX_NAME),
            email: shown(text("email"), MAX_EMAIL),
            groups: groups(claims, wish),
        }
    }
}

/// The chosen claim, or else the e-mail address, or else the subject.
fn username(claims: &Claims, chosen: &str) -> Result<String, NameFault> {
    let (claim, name) = [chosen, "email", "sub"]
        .into_iter()
        .find_map(|claim| Some((claim, claims.text(claim)?.trim())))
        .ok_or(NameFault::Missing)?;
    // Anybody may write down anybody's address; only the provider's word makes it a name.
    if claim == "email" && !is_verified(claims) {
        return Err(NameFault::UnverifiedEmail);
    }
    if !fits(name) {
        return Err(NameFault::Missing);
    }
    Ok(name.to_owned())
}

/// The value of a trusted claim, as it is: a name that only nearly fits is none.
fn trusted_name(claims: &Claims, claim: &str) -> Option<String> {
    trusted(claims, claim).map(str::to_owned)
}

fn trusted<'a>(claims: &'a Claims, claim: &str) -> Option<&'a str> {
    let name = claims.text(claim).filter(|name| fits(name))?;
    (claim != "email" || is_verified(claims)).then_some(name)
}

fn fits(name: &str) -> bool {
    name.chars().count() <= MAX_NAME && !name.contains(char::is_control)
}

/// Whether the provider says so. Some write booleans as texts; silence is a no.
fn is_verified(claims: &Claims) -> bool {
    match claims.get("email_verified") {
        Some(Value::Bool(verified)) => *verified,
        Some(Value::String(verified)) => verified == "true",
        _ => false,
    }
}

fn groups(claims: &Claims, wish: &Wish) -> Groups {
    let names = match claims.get(&wish.groups_claim) {
        Some(Value::String(one)) => Some(vec![one.clone()]),
        Some(Value::Array(many)) => {
            let names = many.iter().filter_map(Value::as_str);
            Some(names.map(str::to_owned).collect())
        }
        _ => None,
    };
    let extent = match &names {
        _ if is_left_out(claims, &wish.groups_claim) => Extent::LeftOut,
        Some(_) => Extent::All,
        None => Extent::Unsaid,
    };
    Groups {
        names: names.unwrap_or_default(),
        extent,
    }
}

/// Entra ID's two ways to say that there are groups, too many for the token: `_claim_names` says where they would be
/// (a place that takes other tokens than ours), and `hasgroups` stands for the claim `groups` alone.
pub(crate) fn is_left_out(claims: &Claims, groups_claim: &str) -> bool {
    let elsewhere = claims.get("_claim_names").and_then(Value::as_object);
    let has_groups = match claims.get("hasgroups") {
        Some(Value::Bool(has)) => *has,
        Some(Value::String(has)) => has == "true",
        _ => false,
    };
    elsewhere.is_some_and(|names| names.contains_key(groups_claim))
        || (has_groups && groups_claim == "groups")
}

fn shown(text: &str, limit: usize) -> String {
    let shown = text.trim().chars().filter(|c| !c.is_control());
    shown.take(limit).collect()
}

/// The claims that say so.
pub(crate) const OVERAGE_SIGNS: [&str; 2] = ["_claim_names", "hasgroups"];
const MAX_NAME: usize = 150;
const MAX_EMAIL: usize = 254;

#[cfg(test)]
mod tests;
