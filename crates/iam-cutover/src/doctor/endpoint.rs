//! The host's name, what it leads to, the certificate behind it.

use jiff::Timestamp;
use rds_iam::{
    LoginError, LoginFailure, LoginStatus, RdsEndpoint, TlsMode, endpoint::EndpointKind,
};

use super::Facts;
use crate::{
    check::Check,
    plan::{Finding, target},
};

pub(super) fn checks(facts: &Facts) -> Vec<Check> {
    let mut checks = vec![name(facts), region(facts), certificate(facts)];
    checks.extend(roots(facts));
    checks.extend(kind(facts));
    checks
}

fn name(facts: &Facts) -> Check {
    let title = format!("DB_HOST {}", facts.host);
    if let Some(error) = &facts.names.error {
        return Check::problem(
            "dns",
            title,
            error.clone(),
            "compare it with the endpoint in the RDS console, and resolve it in this container",
        );
    }
    if facts.host.starts_with('/') && facts.endpoint.is_none() {
        return Check::attention(
            "dns",
            title,
            "a folder of unix sockets: whoever listens there logs in to RDS, such as `sal relay`",
            "ask the doctor with the environment of the relay, or set SAL_DB_SIGN_HOST to the endpoint behind it",
        );
    }
    let chain = facts.names.chain.join(" -> ");
    let Some(endpoint) = &facts.endpoint else {
        return Check::problem(
            "dns",
            title,
            format!("none of these names is an RDS endpoint: {chain}"),
            "set DB_HOST to the endpoint; behind a tunnel set SAL_DB_SIGN_HOST to it",
        );
    };
    let evidence = format!("{chain} ({})", facts.names.addresses.join(", "));
    if endpoint.name == rds_iam::endpoint::canonical(&facts.host) {
        return Check::ok("dns", title, evidence);
    }
    Check::ok(
        "dns",
        title,
        format!(
            "an alias: {evidence}; tokens are signed for and the certificate is checked against {}",
            endpoint.name
        ),
    )
}

fn region(facts: &Facts) -> Check {
    let title = "The region";
    let named = facts
        .endpoint
        .as_ref()
        .and_then(|endpoint| endpoint.region.clone());
    match (&facts.surroundings.region, named) {
        (Some(set), Some(named)) if *set != named => Check::problem(
            "region",
            title,
            format!(
                "AWS_RDS_REGION is {set}, but the endpoint is in {named}: tokens signed for {set} are refused"
            ),
            format!("set AWS_RDS_REGION={named}, or leave it out"),
        ),
        (Some(set), _) => Check::ok("region", title, format!("AWS_RDS_REGION is {set}")),
        (None, Some(named)) => Check::ok(
            "region",
            title,
            format!("{named}, from the endpoint's name"),
        ),
        (None, None) => Check::problem(
            "region",
            title,
            "neither AWS_RDS_REGION nor the endpoint's name says it",
            "set AWS_RDS_REGION to the database's region",
        ),
    }
}

/// Regions whose roots the program does not have need a file, before any login can work.
fn roots(facts: &Facts) -> Option<Check> {
    let missing = rds_iam::missing_roots(facts.endpoint.as_ref()?)?;
    let title = "The certificate authorities";
    if !facts.embedded_roots {
        return Some(Check::ok(
            "authorities",
            title,
            format!("those of DB_SSLROOTCERT; {} needs a file", missing.region),
        ));
    }
    Some(Check::problem(
        "authorities",
        title,
        format!(
            "the roots of {} are not inside this program",
            missing.region
        ),
        missing.next_step(),
    ))
}

/// The same findings that a plan has: what it refuses is a problem, what it warns of wants attention.
fn kind(facts: &Facts) -> Vec<Check> {
    let Some(endpoint) = &facts.endpoint else {
        return Vec::new();
    };
    // Proxies have lines of their own; the two other findings are lines of the report on AWS.
    let elsewhere = ["blue_green", "standard_proxy", "global_region"];
    let title = "Kind of endpoint";
    let told = |found: &Finding| !elsewhere.contains(&found.code) && !endpoint.is_proxy();
    let aws = Some(&facts.aws);
    let refusals = target::refusals(endpoint, aws).into_iter().filter(told);
    let problems =
        refusals.map(|found| Check::problem("endpoint-kind", title, found.what, found.next));
    let warnings = target::warnings(endpoint, aws).into_iter().filter(told);
    let notes =
        warnings.map(|found| Check::attention("endpoint-kind", title, found.what, found.next));
    let custom = custom(facts).filter(|_| endpoint.kind == EndpointKind::Custom);
    problems
        .chain(notes)
        .chain(custom)
        .chain(global(endpoint, facts))
        .collect()
}

/// Those that may lead to readers only are refused already.
fn custom(facts: &Facts) -> Option<Check> {
    let kind = facts.aws.custom_endpoint.known().and_then(Option::as_deref);
    (kind != Some("READER")).then(|| {
        Check::attention(
            "endpoint-kind",
            "Kind of endpoint",
            "a custom endpoint leads to any of the instances chosen for it, and to readers when the writer is not, or no longer, among them",
            "use the cluster's writer endpoint",
        )
    })
}

fn global(endpoint: &RdsEndpoint, facts: &Facts) -> Option<Check> {
    if endpoint.kind != EndpointKind::GlobalWriter {
        return None;
    }
    let title = "The writer of the global database";
    let Some(region) = facts.aws.region() else {
        return Some(Check::attention(
            "global-writer",
            title,
            "a global endpoint carries no region",
            "set AWS_RDS_REGION to the region of the current writer, and change it when that changes",
        ));
    };
    let cluster = facts.aws.flag_owner()?;
    let evidence = format!("cluster {} in {region}", cluster.identifier);
    let set = facts.surroundings.region.as_deref();
    if set == Some(region) {
        return Some(Check::ok("global-writer", title, evidence));
    }
    Some(Check::problem(
        "global-writer",
        title,
        format!(
            "{evidence}; tokens are signed for {}",
            set.unwrap_or("no region")
        ),
        format!("set AWS_RDS_REGION={region}"),
    ))
}

/// From whichever login saw it.
/// The server speaks of users and databases only after its certificate was accepted.
fn is_refused_after_tls(login: &Option<Result<LoginStatus, Box<LoginError>>>) -> bool {
    let Some(Err(error)) = login else {
        return false;
    };
    let is_after = matches!(
        error.failure,
        LoginFailure::Refused { .. }
            | LoginFailure::NotWritable { .. }
            | LoginFailure::WrongRole { .. }
            | LoginFailure::SearchPath { .. }
    );
    is_after && error.context.tls == TlsMode::VerifyFull
}

fn certificate(facts: &Facts) -> Check {
    let title = "The server's certificate";
    let logins = [&facts.new_login, &facts.admin_login, &facts.old_login];
    let refused = logins.iter().find_map(|login| match login {
        Some(Err(error)) if matches!(error.failure, LoginFailure::Certificate { .. }) => {
            Some(error.explain())
        }
        _ => None,
    });
    if let Some(explanation) = refused {
        return Check::problem(
            "certificate",
            title,
            format!("{} {}", explanation.what, explanation.likely_cause),
            explanation.next_step,
        );
    }
    let seen = logins.iter().find_map(|login| match login {
        Some(Ok(status)) => Some((status.certificate.as_ref()?, status.authority.as_ref())),
        _ => None,
    });
    if seen.is_none() && logins.iter().any(|login| is_refused_after_tls(login)) {
        let evidence = "it was verified before the login was refused; a login that works shows how long it is valid";
        return Check::ok("certificate", title, evidence);
    }
    let Some((certificate, authority)) = seen else {
        return Check::unknown(
            "certificate",
            title,
            "no login came as far as TLS",
            "fix the login first",
        );
    };
    let days = |end: Timestamp| end.duration_since(facts.now).as_hours() / 24;
    let mut evidence = format!(
        "{} by {}, until {} ({} days)",
        certificate.subject,
        certificate.issuer,
        certificate.not_after,
        days(certificate.not_after)
    );
    if let Some(authority) = authority {
        evidence.push_str(&format!(
            "; its CA is {}, until {} ({} days)",
            authority.subject,
            authority.not_after,
            days(authority.not_after)
        ));
    }
    let first_end = authority.map_or(certificate.not_after, |authority| {
        authority.not_after.min(certificate.not_after)
    });
    if days(first_end) < 30 {
        return Check::attention(
            "certificate",
            title,
            evidence,
            "RDS renews a server's certificate by itself; if it does not, or the CA ends, choose a new CA for the instance (rds-ca-rsa2048-g1), apply it, and give every client the new bundle first",
        );
    }
    Check::ok("certificate", title, evidence)
}
