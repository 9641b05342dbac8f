//! What AWS has to be like: IAM authentication on, the exact policy, and the limitations that apply here.

use super::{Facts, diagnosis};
use crate::{
    aws::{Answer, AwsCall, DatabaseTarget, RoleFacts, TargetKind},
    check::{Check, Status},
    policy::{Verdict, judge},
};

pub(super) fn checks(facts: &Facts) -> Vec<Check> {
    let mut checks = vec![iam_flag(facts), resource_ids(facts), policy(facts)];
    checks.extend(simulation(facts));
    checks.extend(engine(facts));
    checks.extend(master(facts));
    checks.extend(limitations(facts));
    checks.push(auth_log(facts));
    checks.push(metrics(facts));
    checks
}

fn iam_flag(facts: &Facts) -> Check {
    let title = "IAM authentication of the database";
    let Some(target) = facts.aws.flag_owner() else {
        return match &facts.aws.target {
            Answer::Known(None) => Check::problem(
                "iam-authentication",
                title,
                format!(
                    "nothing in this account and region has the endpoint {}",
                    facts.host
                ),
                "check account, region and DB_HOST; for a database in another account set SAL_IAM_ROLE_ARN",
            ),
            other => unanswered(
                "iam-authentication",
                title,
                other,
                "a login proves it, too: see above",
            ),
        };
    };
    flag(target)
}

/// A line that depends on an answer of AWS which is not there.
pub(super) fn unanswered<T>(
    id: &'static str,
    title: &str,
    answer: &Answer<T>,
    next: &str,
) -> Check {
    let check = Check::unknown(id, title, answer.why_not(), next);
    match answer {
        Answer::Denied { permission } => check.denied(permission),
        _ => check,
    }
}

fn flag(target: &DatabaseTarget) -> Check {
    const ID: &str = "iam-authentication";
    let (on, off, pending) = (
        "IAM authentication of the database is on",
        "IAM authentication of the database is OFF",
        "IAM authentication of the database is PENDING",
    );
    let (owner, word) = match target.kind {
        TargetKind::Cluster => ("cluster", "cluster"),
        TargetKind::Instance => ("instance", "instance"),
        TargetKind::Proxy => ("proxy", "instance"),
    };
    let evidence = format!(
        "{owner} {}, status {}, engine {} {}",
        target.identifier, target.status, target.engine, target.engine_version
    );
    let next = format!(
        "aws rds modify-db-{word} --db-{word}-identifier {} --enable-iam-database-authentication --apply-immediately; or `sal iam apply --aws`",
        target.identifier
    );
    match (target.iam_enabled, target.iam_pending) {
        (_, Some(true)) => {
            let what =
                "PENDING: it is in PendingModifiedValues and waits for the maintenance window";
            let next = format!("apply it at once: {next}");
            Check::problem(ID, pending, format!("{what} ({evidence})"), next)
        }
        (Some(true), Some(false)) => {
            let what = "on, but switching it OFF is pending";
            Check::problem(ID, pending, format!("{what} ({evidence})"), next)
        }
        (Some(true), None) => Check::ok(ID, on, format!("on ({evidence})")),
        (Some(false), None) => Check::problem(ID, off, format!("OFF ({evidence})"), next),
        // It needs none of the database: the line of the proxy says how it logs in.
        _ if target.kind == TargetKind::Proxy => Check::ok(ID, on, evidence),
        _ => Check::unknown(ID, on, evidence, "RDS did not say"),
    }
}

fn resource_ids(facts: &Facts) -> Check {
    let title = "Resource ids";
    let ids = facts.aws.resource_ids();
    if ids.is_empty() {
        return unanswered(
            "resource-id",
            title,
            &facts.aws.target,
            "find it under Configuration in the RDS console, as Resource ID; it is not the identifier",
        );
    }
    let replicas = facts.aws.replicas.len();
    let more = if replicas == 0 {
        String::new()
    } else {
        format!("; {replicas} of them read replicas, each with its own")
    };
    Check::ok("resource-id", title, format!("{}{more}", ids.join(", ")))
}

fn policy(facts: &Facts) -> Check {
    let title = "The role's policy for rds-db:connect";
    let Some(resource) = &facts.resource else {
        return match &facts.aws.target {
            Answer::Known(_) => {
                let why = "the resource id is not known";
                Check::unknown("policy", title, why, "a login proves it, too")
            }
            other => unanswered("policy", title, other, "a login proves it, too"),
        };
    };
    let role = match &facts.aws.role {
        Answer::Known(Some(role)) => role,
        Answer::Known(None) => {
            return Check::problem(
                "policy",
                title,
                "there is no such role",
                "name the deployment's role with --role",
            );
        }
        other => {
            let next = format!(
                "the policy has to allow rds-db:connect on {resource}; a login proves it, too"
            );
            return unanswered("policy", title, other, &next);
        }
    };
    granted(role, resource, facts)
}

/// What the role's policies say, one by one.
fn granted(role: &RoleFacts, resource: &str, facts: &Facts) -> Check {
    const ID: &str = "policy";
    let title = "The role's policy for rds-db:connect";
    let mut mistakes = Vec::new();
    let (mut allowed, mut uncertain) = (None, None);
    for policy in &role.policies {
        match judge(&policy.document, resource, Some(facts.now)) {
            Verdict::Allows => allowed = Some(&policy.name),
            Verdict::Denies => {
                let evidence = format!("the policy {} of {} denies it", policy.name, role.name);
                let next = "take the Deny out: it wins over every Allow";
                let title = "A policy DENIES rds-db:connect";
                return Check::problem(ID, title, evidence, next);
            }
            Verdict::Mistaken(why) => mistakes.push(format!("{}: {why}", policy.name)),
            Verdict::Uncertain(why) => uncertain = Some(format!("{}: {why}", policy.name)),
            Verdict::Silent => {}
        }
    }
    if let Some(why) = uncertain {
        if matches!(facts.new_login, Some(Ok(_))) {
            return Check::ok(ID, title, format!("{why}; the login shows that it does"));
        }
        let next = format!("compare it with {resource}; a login proves it");
        return Check::unknown(
            ID,
            title,
            format!("{why}: that cannot be judged here"),
            next,
        );
    }
    if let Some(name) = allowed {
        let boundary = role.boundary.as_ref().map_or_else(String::new, |boundary| {
            format!("; but the permissions boundary {boundary} has to allow it, too")
        });
        let evidence = format!("{name} of {} allows {resource}{boundary}", role.name);
        return Check::ok(ID, title, evidence);
    }
    let next = format!(
        "run `sal iam apply --aws --role {role}`, or attach what `sal iam policy` prints to {role}: it allows rds-db:connect on exactly {resource}",
        role = role.name
    );
    if mistakes.is_empty() {
        let count = role.policies.len();
        mistakes.push(match count {
            1 => format!("the one policy of {} does not allow it", role.name),
            _ => format!("none of the {count} policies of {} allows it", role.name),
        });
    }
    let title = "The role's policy does NOT allow rds-db:connect";
    Check::problem(ID, title, mistakes.join("; "), next)
}

/// Advice only: the simulator is known to err for rds-db:connect.
fn simulation(facts: &Facts) -> Option<Check> {
    let title = "IAM's policy simulator (advice only; a login is the proof)";
    let found = match &facts.aws.simulation {
        Answer::Known(found) => found,
        Answer::NotAsked(_) => return None,
        other => return Some(unanswered("simulation", title, other, "")),
    };
    if found.organizations == Some(false) {
        return Some(Check::attention(
            "simulation",
            title,
            "an organization's service control policy denies it",
            "ask whoever runs the AWS organization to allow rds-db:connect",
        ));
    }
    if found.boundary == Some(false) {
        return Some(Check::attention(
            "simulation",
            title,
            "the role's permissions boundary denies it",
            "allow rds-db:connect in the boundary",
        ));
    }
    Some(if found.decision == "allowed" {
        Check::ok("simulation", title, "allowed")
    } else if policy(facts).status == Status::Problem {
        // It says the same, and less of why.
        return None;
    } else {
        Check::attention(
            "simulation",
            title,
            format!("it says {}", found.decision),
            "compare with the policy above and with a real login",
        )
    })
}

fn engine(facts: &Facts) -> Option<Check> {
    let title = "The engine version, as RDS sees it";
    match &facts.aws.engine {
        Answer::Known(Some(found)) if found.status == "deprecated" => Some(Check::attention(
            "engine",
            title,
            format!("{} is deprecated", found.version),
            "plan an upgrade",
        )),
        Answer::Known(Some(found)) => Some(Check::ok(
            "engine",
            title,
            format!("{} is {}", found.version, found.status),
        )),
        Answer::Known(None) => Some(Check::attention(
            "engine",
            title,
            "RDS does not offer this version any more",
            "plan an upgrade",
        )),
        Answer::NotAsked(_) => None,
        other => Some(unanswered("engine", title, other, "")),
    }
}

fn master(facts: &Facts) -> Option<Check> {
    let owner = facts.aws.flag_owner();
    let owner = owner.filter(|owner| owner.kind != TargetKind::Proxy);
    let target = owner.or(facts.aws.database())?;
    let title = "How the master user logs in";
    let user = target.master_username.as_deref().unwrap_or("?");
    match target.master_authentication.as_deref() {
        Some("iam-db-auth") => Some(Check::attention(
            "master",
            title,
            format!("`{user}` logs in with IAM (MasterUserAuthenticationType): it has no password"),
            "leave SAL_ADMIN_PASS unset; the way back to a password needs a user that has one",
        )),
        Some(other) => Some(Check::ok("master", title, format!("`{user}`: {other}"))),
        None => Some(Check::ok(
            "master",
            title,
            format!("`{user}`, with a password as far as RDS says"),
        )),
    }
}

/// AWS, "Limitations for IAM database authentication" (requirement 4).
fn limitations(facts: &Facts) -> Vec<Check> {
    let title = "Limitations of IAM authentication (requirement 4)";
    let Some(target) = facts.aws.database() else {
        return vec![unanswered(
            "limitations",
            title,
            &facts.aws.target,
            "read AWS's list: login rate below 200/s, memory, Kerberos, CNAME, replication, Outposts and RDS Custom",
        )];
    };
    let mut checks = Vec::new();
    if target.kerberos {
        checks.push(Check::problem(
            "kerberos",
            title,
            "the instance is joined to a Kerberos domain; IAM and Kerberos exclude each other",
            "leave the domain, or stay with the password",
        ));
    }
    if target.engine.starts_with("custom-") {
        checks.push(Check::problem(
            "custom",
            title,
            "RDS Custom has no IAM authentication",
            "stay with the password",
        ));
    }
    if target.outpost {
        checks.push(Check::problem(
            "outpost",
            title,
            "RDS on Outposts has no IAM authentication",
            "stay with the password, or move the instance into the region",
        ));
    }
    if target.is_small() {
        checks.push(Check::attention("memory", title, format!("{} has little memory; RDS wants 300 to 1000 MiB for IAM logins, and answers 503 at random when it lacks them", target.instance_class.as_deref().unwrap_or_default()), "watch FreeableMemory while the deployment starts; take a larger class, or keep connections open (a pool that does not shrink)"));
    }
    checks.extend(serverless(facts));
    checks.extend(replication(facts, target));
    if checks.is_empty() {
        checks.push(Check::ok("limitations", title, "none applies: no Kerberos, no RDS Custom, no Outpost, no small burstable class, no replication by IAM; this server opens at most 50 logins a second (SAL_DB_LOGINS_PER_SECOND), RDS takes 200 from all"));
    }
    checks
}

/// Serverless v2 has the memory that its cluster's capacity gives it, whatever `db.serverless` is.
fn serverless(facts: &Facts) -> Option<Check> {
    let least = facts.aws.flag_owner()?.least_memory_mib?;
    // As much as the largest class that counts as small.
    if least > 2_048 {
        return None;
    }
    let paused = match least {
        0 => " (at 0 ACU it pauses, and the first login after that waits some 15 s)",
        _ => "",
    };
    Some(Check::attention(
        "memory",
        "Limitations of IAM authentication (requirement 4)",
        format!(
            "Aurora Serverless v2 may scale down to {least} MiB{paused}; RDS wants 300 to 1000 MiB for IAM logins, and answers 503 at random when it lacks them"
        ),
        "raise MinCapacity of the cluster to 1.5 ACU or more, or keep connections open (a pool that does not shrink)",
    ))
}

fn replication(facts: &Facts, target: &DatabaseTarget) -> Option<Check> {
    let title = "Logical replication with IAM";
    match &facts.aws.replication {
        Answer::Known(Some(value)) if value == "1" => Some(Check::attention(
            "replication",
            title,
            format!(
                "rds.iam_auth_for_replication is 1 in {}: users in rds_iam and rds_replication must replicate with IAM",
                target
                    .parameter_group
                    .as_deref()
                    .unwrap_or("its parameter group")
            ),
            "check replication slots that use the new user",
        )),
        _ => None,
    }
}

fn auth_log(facts: &Facts) -> Check {
    let title = "The log iam-db-auth-error of the last hour";
    match &facts.aws.auth_errors {
        Answer::Known(Some(lines)) if lines.is_empty() => Check::ok("auth-log", title, "no line"),
        Answer::Known(Some(lines)) => {
            let last = lines
                .last()
                .map(|line| format!("{} {}", line.at, line.message))
                .unwrap_or_default();
            let (last, next) = match diagnosis::logged(facts).is_some() {
                true => ("the login above quotes the last".to_owned(), ""),
                false => (
                    format!("the last: {last}"),
                    "these logins were refused; compare user and caller with yours",
                ),
            };
            let evidence = format!("{} lines; {last}", lines.len());
            Check::attention("auth-log", title, evidence, next)
        }
        Answer::Known(None) => Check::attention(
            "auth-log",
            title,
            "it is not exported, so nobody can tell why a login was refused",
            export_log(facts),
        ),
        other => unanswered("auth-log", title, other, ""),
    }
}

/// The whole line that exports it.
fn export_log(facts: &Facts) -> String {
    let target = facts.aws.flag_owner();
    let call = AwsCall::ExportAuthLog {
        kind: target.map_or(TargetKind::Instance, |target| target.kind),
        identifier: target.map_or_else(|| "NAME".to_owned(), |target| target.identifier.clone()),
        enabled: true,
    };
    call.cli()
}

fn metrics(facts: &Facts) -> Check {
    let title = "IAM logins of the last 15 minutes, as RDS counts them";
    match &facts.aws.metrics {
        Answer::Known(metrics) => {
            let texts: Vec<String> = metrics
                .iter()
                .filter_map(|metric| {
                    Some(format!(
                        "{} {}",
                        metric.name.trim_start_matches("IamDbAuthConnection"),
                        metric.sum?
                    ))
                })
                .collect();
            let failed = metrics
                .iter()
                .filter(|metric| metric.name.contains("Failure"))
                .filter_map(|metric| metric.sum)
                .any(|sum| sum > 0.0);
            let evidence = if texts.is_empty() {
                "no data yet".to_owned()
            } else {
                texts.join(", ")
            };
            if failed {
                Check::attention("metrics", title, evidence, "")
            } else {
                Check::ok("metrics", title, evidence)
            }
        }
        other => unanswered("metrics", title, other, ""),
    }
}
