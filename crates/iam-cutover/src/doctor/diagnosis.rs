//! The login that counts, and when it fails the true cause, joined from everything that is known.
//!
//! Postgres tells a client only "PAM authentication failed" or "password authentication failed"; why
//! is spread over the AWS log, the instance's flag, the role, the policy and the clock.

use jiff::SignedDuration;
use rds_iam::{LoginError, LoginFailure, LoginStatus};

use super::{Facts, database};
use crate::{
    aws::{Answer, AuthErrorLine, AwsFacts},
    check::Check,
    policy::{Verdict, judge},
    sql::identifier,
};

pub(super) fn checks(facts: &Facts) -> Vec<Check> {
    let mut checks = vec![new_login(facts)];
    checks.extend(password_login(
        facts,
        "old-login",
        "Login by password of",
        facts.old_login.as_ref(),
    ));
    checks.extend(password_login(
        facts,
        "admin-login",
        "Login of the administrator",
        facts.admin_login.as_ref(),
    ));
    checks
}

/// What stood in the way of a login with IAM.
fn not_tried(facts: &Facts) -> String {
    match (&facts.credentials, &facts.names.error) {
        (Err(error), _) => error.to_string(),
        (Ok(_), Some(error)) => error.clone(),
        (Ok(_), None) => format!("`{}` is no name of RDS and leads to none", facts.host),
    }
}

fn new_login(facts: &Facts) -> Check {
    let title = |state: &str| format!("Login of `{}` with IAM {state}", facts.wish.new_user);
    match &facts.new_login {
        None => Check::unknown(
            "iam-login",
            title("was not tried"),
            format!("it was not tried: {}", not_tried(facts)),
            "see the lines on credentials and names",
        ),
        Some(Ok(status)) => Check::ok(
            "iam-login",
            title("works"),
            format!(
                "with a token for {}, in {}",
                status.sign_name.as_deref().unwrap_or(&status.host),
                status.region.as_deref().unwrap_or("?")
            ),
        ),
        Some(Err(error)) => {
            let explanation = error.explain();
            let title = title("FAILED");
            let found = cause(error, facts).map(|(cause, next)| (format!("CAUSE: {cause}"), next));
            match found.or_else(|| not_visible(error, facts)) {
                Some((cause, next)) => Check::problem(
                    "iam-login",
                    title,
                    format!("{} {cause}", explanation.what),
                    next,
                ),
                None => Check::problem(
                    "iam-login",
                    title,
                    format!("{} Likely: {}", explanation.what, explanation.likely_cause),
                    explanation.next_step,
                ),
            }
        }
    }
}

fn password_login(
    facts: &Facts,
    id: &'static str,
    title: &str,
    login: Option<&Result<LoginStatus, Box<LoginError>>>,
) -> Option<Check> {
    Some(match login? {
        Ok(status) => {
            let title = format!("{title} `{}` works", status.user);
            Check::ok(id, title, format!("as `{}`", status.user))
        }
        Err(error) => {
            let explanation = error.explain();
            let user = &error.context.user;
            let title = format!("{title} `{user}` FAILED");
            let chain = facts
                .inventory
                .as_ref()
                .and_then(|inventory| inventory.graph.iam_chain(user));
            match chain {
                Some(chain) if refused(error, "PAM authentication failed") => Check::problem(
                    id,
                    title,
                    format!(
                        "{} CAUSE: `{user}` is in rds_iam ({}), so that RDS refuses its password",
                        explanation.what,
                        chain.join(" -> ")
                    ),
                    way_out(user, chain.get(1).map_or("", String::as_str), facts),
                ),
                _ => Check::problem(
                    id,
                    title,
                    format!("{} Likely: {}", explanation.what, explanation.likely_cause),
                    explanation.next_step,
                ),
            }
        }
    })
}

/// What gives a user its password back.
pub(super) fn way_out(user: &str, member_of: &str, facts: &Facts) -> String {
    if facts.master_is_on_iam(user) {
        return "leave SAL_ADMIN_PASS unset: this master user is meant to log in with IAM (MasterUserAuthenticationType)".to_owned();
    }
    let connect = facts.resource.as_ref().and_then(|resource| {
        let (before, _) = resource.rsplit_once('/')?;
        Some(format!("{before}/{user}"))
    });
    let revoke = format!("REVOKE {} FROM {}", identifier(member_of), identifier(user));
    let inventory = facts.inventory.as_ref();
    let is_admin = inventory.is_some_and(|inventory| inventory.admin == user);
    if user == facts.wish.old_user && !is_admin {
        return format!(
            "`sal iam apply` takes it out ({revoke}) and makes the memberships right; where it refuses to, `sal iam rollback`"
        );
    }
    format!(
        "`sal iam unlock` takes it out ({revoke}); where only a token gets in, it needs rds-db:connect on {}",
        connect.unwrap_or_else(|| format!("the user {user}"))
    )
}

/// The server's word alone: what it can be, and what would tell.
fn not_visible(error: &LoginError, facts: &Facts) -> Cause {
    if !refused(error, "PAM authentication failed") {
        return None;
    }
    let AwsFacts {
        target,
        auth_errors,
        role,
        ..
    } = &facts.aws;
    let log = match denied(target) {
        // Without it nobody knows which log it is.
        Some(permission) => Some(("the database and its log", permission)),
        None => denied(auth_errors).map(|permission| ("the log iam-db-auth-error", permission)),
    };
    let role = denied(role).map(|permission| ("the role and its policies", permission));
    let blind: Vec<String> = [log, role]
        .into_iter()
        .flatten()
        .map(|(what, permission)| format!("{what} ({permission})"))
        .collect();
    (!blind.is_empty()).then(|| {
        (
            format!(
                "The cause is NOT VISIBLE from here: no policy allows the login, it names something else, too many log in at once, or the service that checks tokens fails. Not permitted to look at: {}",
                blind.join(", ")
            ),
            "`sal iam policy --for doctor` prints the policy that shows the cause; `sal iam policy --for server` prints the one that allows the login".to_owned(),
        )
    })
}

fn denied<T>(answer: &Answer<T>) -> Option<&String> {
    match answer {
        Answer::Denied { permission } => Some(permission),
        _ => None,
    }
}

fn refused(error: &LoginError, text: &str) -> bool {
    matches!(&error.failure, LoginFailure::Refused { message, .. } if message.contains(text))
}

type Cause = Option<(String, String)>;

/// The true cause, as far as anything proves it.
fn cause(error: &LoginError, facts: &Facts) -> Cause {
    match &error.failure {
        LoginFailure::Refused { sqlstate, message } if sqlstate == "28P01" => {
            token_for_password(message, facts)
        }
        LoginFailure::Refused { message, .. } if message.contains("PAM authentication failed") => {
            token_refused(facts)
        }
        LoginFailure::Refused { message, .. } if message.contains("not permitted to log in") => {
            let role = facts.inventory.as_ref();
            let role = role.and_then(|inventory| inventory.role(&facts.wish.new_user));
            let next = role.map_or_else(
                || "`sal iam apply`".to_owned(),
                |role| database::opened_by(role, "LOGIN"),
            );
            Some((format!("`{}` has NOLOGIN", facts.wish.new_user), next))
        }
        _ => None,
    }
}

/// The token was taken for a password: the flag, or the role.
fn token_for_password(message: &str, facts: &Facts) -> Cause {
    if !message.contains("password authentication failed") {
        return None;
    }
    let user = &facts.wish.new_user;
    if let Some(target) = facts.aws.flag_owner() {
        if target.iam_pending == Some(true) {
            return Some(("IAM authentication is pending: it waits for the maintenance window".to_owned(), "apply it at once: `sal iam apply --aws`, or modify-db-instance … --apply-immediately".to_owned()));
        }
        if target.iam_enabled == Some(false) {
            return Some(("IAM authentication is off".to_owned(), "`sal iam apply --aws`, or modify-db-instance --enable-iam-database-authentication --apply-immediately".to_owned()));
        }
    }
    let inventory = facts.inventory.as_ref()?;
    if inventory.role(user).is_none() {
        return Some((
            format!("there is no role `{user}` that can log in"),
            "`sal iam apply` makes it; names are case-sensitive".to_owned(),
        ));
    }
    inventory.graph.iam_chain(user).is_none().then(|| {
        (
            format!(
                "`{user}` is not a member of rds_iam, so that RDS takes the token for a password"
            ),
            format!("GRANT rds_iam TO {}, or `sal iam apply`", identifier(user)),
        )
    })
}

/// PAM said no: the log knows best, then the clock, the region, the policy, the service.
fn token_refused(facts: &Facts) -> Cause {
    if let Some(found) = logged(facts) {
        return Some(found);
    }
    if let Some(skew) = &facts.skew
        && skew.offset.abs() > SignedDuration::from_mins(5)
    {
        return Some((
            format!(
                "the clock of this machine is off by {} s",
                skew.offset.as_secs()
            ),
            "set the clock (NTP, chrony)".to_owned(),
        ));
    }
    if let Some(found) = wrong_region(facts) {
        return Some(found);
    }
    policy_denies(facts)
}

/// The newest line of iam-db-auth-error that is about this user.
pub(super) fn logged(facts: &Facts) -> Cause {
    let Answer::Known(Some(lines)) = &facts.aws.auth_errors else {
        return None;
    };
    let user = &facts.wish.new_user;
    let recent = facts
        .now
        .saturating_sub(SignedDuration::from_mins(10))
        .unwrap_or(facts.now);
    let about = |line: &&AuthErrorLine| {
        let near =
            line.at >= recent && line.at.duration_since(facts.now) < SignedDuration::from_mins(10);
        near && line.message.contains(user.as_str())
    };
    let line = lines.iter().filter(about).max_by_key(|line| line.at)?;
    let text = &line.message;
    let said = |cause: &str| format!("{cause} (iam-db-auth-error: {text})");
    let found = if text.contains("NotAuthorized") || text.contains("not authorized") {
        let (cause, next) = policy_denies(facts).unwrap_or_else(|| {
            let caller = facts.caller().map_or_else(|| "the caller".to_owned(), |caller| caller.arn.clone());
            (format!("no policy allows {caller} to connect"), "`sal iam policy` writes the policy; also look at service control policies and boundaries".to_owned())
        });
        (said(&cause), next)
    } else if text.contains("ExpiredToken") {
        let skew = facts.skew.as_ref().map_or(0, |skew| skew.offset.as_secs());
        (
            said(&format!(
                "the token or its credentials had expired when AWS looked; this machine's clock differs by {skew} s"
            )),
            "set the clock (NTP, chrony), and look at the end of the credentials above".to_owned(),
        )
    } else if text.contains("Throttling") {
        (said("too many IAM logins at once; RDS takes fewer than 200 a second"), "use a pool that keeps its connections; limit SAL_DB_LOGINS_PER_SECOND of every program".to_owned())
    } else if text.contains("InternalError") {
        (
            said(
                "the service that checks tokens failed, most often for lack of memory on the instance",
            ),
            "look at FreeableMemory; IAM wants 300 to 1000 MiB. Passing failures are tried again"
                .to_owned(),
        )
    } else if text.contains("InvalidToken") {
        wrong_region(facts).map_or_else(
            || (said("the token is not for this host, port, user or region, or was cut on its way"), "compare host, port, region and user with the endpoint; behind a tunnel set SAL_DB_SIGN_HOST and SAL_DB_SIGN_PORT".to_owned()),
            |(cause, next)| (said(&cause), next),
        )
    } else {
        return None;
    };
    Some(found)
}

fn wrong_region(facts: &Facts) -> Cause {
    let (set, named) = (
        facts.surroundings.region.as_ref()?,
        facts.endpoint.as_ref()?.region.as_ref()?,
    );
    (set != named).then(|| {
        (
            format!("tokens are signed for {set}, but the database is in {named}"),
            format!("set AWS_RDS_REGION={named}, or leave it out"),
        )
    })
}

fn policy_denies(facts: &Facts) -> Cause {
    let resource = facts.resource.as_ref()?;
    let role = facts.aws.role.known()?.as_ref()?;
    let verdicts: Vec<(&String, Verdict)> = role
        .policies
        .iter()
        .map(|policy| {
            let verdict = judge(&policy.document, resource, Some(facts.now));
            (&policy.name, verdict)
        })
        .collect();
    let next = format!(
        "run `sal iam apply --aws --role {role}`, or attach what `sal iam policy` prints to {role}: it allows rds-db:connect on {resource}",
        role = role.name
    );
    for (name, verdict) in &verdicts {
        match verdict {
            Verdict::Denies => {
                return Some((
                    format!("the policy {name} of {} denies it", role.name),
                    "take the Deny out".to_owned(),
                ));
            }
            Verdict::Mistaken(why) => return Some((format!("the policy {name}: {why}"), next)),
            Verdict::Allows | Verdict::Uncertain(_) | Verdict::Silent => {}
        }
    }
    let uncertain = verdicts.iter().find_map(|(name, verdict)| match verdict {
        Verdict::Uncertain(why) => Some((name, why)),
        _ => None,
    });
    if let Some((name, why)) = uncertain {
        return Some((
            format!("as far as can be seen the policy {name}, which cannot be judged here: {why}"),
            format!("compare it with {resource}, the resource that has to be allowed"),
        ));
    }
    if verdicts
        .iter()
        .any(|(_, verdict)| *verdict == Verdict::Allows)
    {
        let denied = facts
            .aws
            .simulation
            .known()
            .is_some_and(|found| found.organizations == Some(false));
        return denied.then(|| {
            (
                "a service control policy of the organization denies it".to_owned(),
                "ask whoever runs the AWS organization to allow rds-db:connect".to_owned(),
            )
        });
    }
    Some((
        format!("no policy of {} allows rds-db:connect", role.name),
        next,
    ))
}
