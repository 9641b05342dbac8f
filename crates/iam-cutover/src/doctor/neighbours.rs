//! What stands before the database, and what is to take its place: proxies, and blue/green deployments.

use super::{Facts, aws_side::unanswered};
use crate::{
    aws::{Answer, BlueGreen, DatabaseTarget, ProxyFacts, ProxyMode},
    check::Check,
    inventory::RDS_IAM,
    policy::{Verdict, judge},
};

pub(super) fn checks(facts: &Facts) -> Vec<Check> {
    let mut checks = Vec::new();
    checks.extend(proxy(facts));
    checks.extend(proxies(facts));
    checks.extend(blue_green(facts));
    checks
}

/// The endpoint is a proxy's: how it logs clients in and how it logs in, and whether that fits the user.
fn proxy(facts: &Facts) -> Option<Check> {
    let endpoint = facts.endpoint.as_ref().filter(|found| found.is_proxy())?;
    const ID: &str = "proxy";
    let title = "RDS Proxy";
    let target = facts.aws.target.known().and_then(Option::as_ref);
    let Some((target, proxy)) = target.and_then(|found| Some((found, found.proxy.as_ref()?)))
    else {
        return Some(Check::attention(
            ID,
            title,
            format!(
                "`{endpoint}` is a proxy ({}): tokens are for the proxy (prx-…), and in its standard mode it logs in to the database with a secret, whose user must NOT be in rds_iam",
                why_not(&facts.aws.target)
            ),
            "look at its authentication (aws rds describe-db-proxies); the database's own endpoint needs none of it",
        ));
    };
    let evidence = format!(
        "{} ({}), {}, status {}",
        target.identifier,
        target.resource_id.as_deref().unwrap_or("prx-…"),
        proxy.mode.words(),
        target.status
    );
    Some(match wrong(target, proxy, facts) {
        Some((what, next)) => Check::problem(ID, title, format!("{evidence}: {what}"), next),
        None => Check::ok(ID, title, evidence),
    })
}

/// What is wrong with a proxy for this deployment, and what to do.
fn wrong(target: &DatabaseTarget, proxy: &ProxyFacts, facts: &Facts) -> Option<(String, String)> {
    let user = &facts.wish.new_user;
    if proxy.reads_only {
        return Some((
            "this is a reader: the endpoint leads to readers only".to_owned(),
            format!("name the proxy's own endpoint{}", of(target)),
        ));
    }
    let in_rds_iam = facts
        .inventory
        .as_ref()
        .map(|inventory| inventory.graph.path(user, RDS_IAM).is_some());
    let code = match &facts.new_login {
        Some(Err(error)) => error.explain().code,
        _ => "",
    };
    let behind = facts.aws.behind.known().and_then(Option::as_ref);
    match proxy.mode {
        ProxyMode::Standard if code == "proxy_without_secret" => Some((
            format!("it has no secret of `{user}` to log in to the database with"),
            format!(
                "let the deployment log in as the user of a secret that there is, without moving it; for `{user}`, who is made to be in rds_iam, switch the proxy to end-to-end IAM (aws rds modify-db-proxy --db-proxy-name {} --default-auth-scheme IAM_AUTH)",
                target.identifier
            ),
        )),
        ProxyMode::Standard if in_rds_iam == Some(true) || code == "proxy_refused_behind" => {
            Some((
                format!(
                    "it logs in to the database with a secret, and `{user}` is in rds_iam, whose passwords the database refuses"
                ),
                format!(
                    "switch the proxy to end-to-end IAM (aws rds modify-db-proxy --db-proxy-name {} --default-auth-scheme IAM_AUTH), or name the database's own endpoint{}",
                    target.identifier,
                    behind.map(of).unwrap_or_default()
                ),
            ))
        }
        ProxyMode::Standard if !takes_tokens(proxy) => Some((
            "it takes no tokens: IAMAuth of its secrets is DISABLED".to_owned(),
            format!(
                "aws rds modify-db-proxy --db-proxy-name {} --auth '[{{\"AuthScheme\":\"SECRETS\",\"SecretArn\":\"…\",\"IAMAuth\":\"REQUIRED\"}}]'",
                target.identifier
            ),
        )),
        ProxyMode::EndToEnd if in_rds_iam == Some(false) => Some((
            format!("it logs in to the database with a token, and `{user}` is not in rds_iam"),
            format!(
                "make the move at the database's own endpoint{} (`sal iam plan`), then come back to the proxy",
                behind.map(of).unwrap_or_default()
            ),
        )),
        _ => None,
    }
}

fn takes_tokens(proxy: &ProxyFacts) -> bool {
    proxy.secrets.is_empty() || proxy.secrets.iter().any(|secret| secret != "DISABLED")
}

fn of(target: &DatabaseTarget) -> String {
    let endpoint = target.endpoint.as_ref();
    endpoint.map_or_else(String::new, |endpoint| format!(", DB_HOST={endpoint}"))
}

/// The endpoint is the database's own: which proxies stand before it, for whoever goes through them.
fn proxies(facts: &Facts) -> Option<Check> {
    let title = "RDS Proxy before the database";
    match &facts.aws.proxies {
        Answer::Known(proxies) if proxies.is_empty() => None,
        Answer::Known(proxies) => {
            let texts: Vec<String> = proxies.iter().map(in_words).collect();
            let evidence = texts.join("; ");
            let standard = |proxy: &DatabaseTarget| {
                let mode = proxy.proxy.as_ref().map(|facts| facts.mode);
                mode == Some(ProxyMode::Standard)
            };
            if !proxies.iter().any(standard) {
                return Some(Check::ok("proxies", title, evidence));
            }
            Some(Check::attention(
                "proxies",
                title,
                evidence,
                "who comes through a proxy needs rds-db:connect on its prx-… instead; one in standard mode logs in with a secret, and cannot for a user in rds_iam",
            ))
        }
        Answer::NotAsked(_) => None,
        other => Some(unanswered("proxies", title, other, "")),
    }
}

fn in_words(proxy: &DatabaseTarget) -> String {
    let mode = proxy.proxy.as_ref().map_or("", |facts| facts.mode.words());
    let id = proxy.resource_id.as_deref().unwrap_or("prx-…");
    format!("{} ({id}), {mode}", proxy.identifier)
}

/// Until the switch the role's policy has to name both sides, or logins end with it.
fn blue_green(facts: &Facts) -> Option<Check> {
    let title = "The blue/green deployment";
    let deployment = match &facts.aws.blue_green {
        Answer::Known(found) => found.as_ref()?,
        Answer::NotAsked(_) => return None,
        other => {
            let next = "look for one in the RDS console: its green side has resource ids of its own, and the policy has to name them before the switch";
            return Some(unanswered("blue-green", title, other, next));
        }
    };
    if deployment.asked_of_green {
        // The kind of the endpoint says it.
        return None;
    }
    Some(judged(deployment, facts))
}

fn judged(deployment: &BlueGreen, facts: &Facts) -> Check {
    const ID: &str = "blue-green";
    let title = "The blue/green deployment";
    let ids: Vec<&str> = deployment
        .green
        .iter()
        .filter_map(|green| green.resource_id.as_deref())
        .collect();
    let evidence = format!(
        "{}, {}: the green side is {}",
        deployment.name,
        deployment.status,
        match ids.as_slice() {
            [] => "not there yet".to_owned(),
            ids => ids.join(", "),
        }
    );
    let (Some(resource), Some(role)) = (&facts.resource, facts.aws.role.known()) else {
        let next = "the policy has to name the green side's resource ids, too, before the switch: `sal iam policy` prints both";
        return Check::attention(ID, title, evidence, next);
    };
    let policies = role.iter().flat_map(|role| &role.policies);
    let documents: Vec<&str> = policies.map(|policy| policy.document.as_str()).collect();
    let missing: Vec<String> = ids
        .iter()
        .filter_map(|id| side(resource, id))
        .filter(|arn| {
            let mut verdicts = documents
                .iter()
                .map(|document| judge(document, arn, Some(facts.now)));
            !verdicts.any(|verdict| verdict == Verdict::Allows)
        })
        .collect();
    if missing.is_empty() && !ids.is_empty() {
        return Check::ok(
            ID,
            title,
            format!("{evidence}; the policy names both sides"),
        );
    }
    if ids.is_empty() {
        let next = "ask again when it is there: the policy has to name it before the switch";
        return Check::attention(ID, title, evidence, next);
    }
    Check::problem(
        ID,
        title,
        format!(
            "{evidence}; the role's policy does not name it: at the switch every login would end"
        ),
        format!(
            "before the switch allow rds-db:connect on {}, too: `sal iam policy` prints both sides",
            missing.join(", ")
        ),
    )
}

/// The resource of another id, for the same user.
fn side(resource: &str, id: &str) -> Option<String> {
    let (before, after) = resource.split_once(":dbuser:")?;
    let (_, user) = after.split_once('/')?;
    Some(format!("{before}:dbuser:{id}/{user}"))
}

fn why_not<T>(answer: &Answer<T>) -> String {
    match answer {
        Answer::Known(_) => "nothing in this account and region has it".to_owned(),
        other => other.why_not(),
    }
}
