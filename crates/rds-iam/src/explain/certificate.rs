//! Explanations of refused certificates: unknown authority, wrong name, wrong time.
//!
//! The issuer is named, because the remedy is to trust it or to notice that it is somebody else's.

use rustls::CertificateError;

use super::Explanation;
use crate::{
    certificate::CertificateDetails, endpoint::RdsEndpoint, failure::LoginContext, roots::missing,
};

pub(super) fn explain(
    refusal: &CertificateError,
    presented: Option<&CertificateDetails>,
    top_issuer: Option<&str>,
    context: &LoginContext,
) -> Explanation {
    let subject = presented.map_or("a certificate", |details| details.subject.as_str());
    match refusal {
        CertificateError::UnknownIssuer => unknown_issuer(subject, top_issuer, context),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let names = presented
                .map(|details| details.names.join(", "))
                .unwrap_or_default();
            let wanted = context.sign_name.as_deref().unwrap_or(&context.host);
            Explanation::new(
                "wrong_name",
                format!("The certificate is for {names}, not for `{wanted}`."),
                "the name leads to another server, or an alias could not be followed to the endpoint.",
                "use the endpoint's own name as host, or name it as the host to sign for.",
            )
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => time(
            "certificate_expired",
            format!(
                "The certificate `{subject}` ended at {}.",
                presented.map_or_else(String::new, |details| details.not_after.to_string())
            ),
            context,
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => time(
            "certificate_not_yet_valid",
            format!(
                "The certificate `{subject}` begins at {}.",
                presented.map_or_else(String::new, |details| details.not_before.to_string())
            ),
            context,
        ),
        other => Explanation::new(
            "certificate_refused",
            format!("The certificate `{subject}` was refused: {other}."),
            "the certificate is damaged or made for another purpose.",
            "check what answers at this host and port.",
        ),
    }
}

fn unknown_issuer(subject: &str, top_issuer: Option<&str>, context: &LoginContext) -> Explanation {
    let issuer = top_issuer.unwrap_or("an unnamed authority");
    let name = context.sign_name.as_deref().unwrap_or(&context.host);
    let endpoint = RdsEndpoint::parse(name).ok();
    let (cause, next) = match endpoint.and_then(|endpoint| missing(&endpoint)) {
        Some(missing) => (
            format!(
                "the roots of {} are not inside this program, and the configured CA file, if there is one, does not hold them.",
                missing.region
            ),
            format!("{}.", missing.next_step()),
        ),
        None => (
            "the server has moved to an authority younger than the trusted set, the configured CA file is not RDS's, or somebody is in between.".to_owned(),
            "get the current bundle from truststore.pki.rds.amazonaws.com, check that it holds this issuer, and configure it as the CA file.".to_owned(),
        ),
    };
    Explanation::new(
        "unknown_authority",
        format!("The certificate `{subject}` was issued by `{issuer}`, which is not trusted."),
        cause,
        next,
    )
}

fn time(code: &'static str, what: String, context: &LoginContext) -> Explanation {
    let measured = super::server::skew_sentence(context).unwrap_or_default();
    Explanation::new(
        code,
        what,
        format!(
            "the server was not restarted after its certificate was renewed, or this machine's clock is wrong (it says {}).{measured}",
            context.at
        ),
        "check the clock, then the instance's certificate authority in the RDS console.",
    )
}
