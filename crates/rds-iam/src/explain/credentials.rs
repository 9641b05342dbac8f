//! Explanations of missing, refused and dying credentials.
//!
//! The texts of the credential services are matched on their error codes only.

use super::Explanation;
use crate::{
    credentials::{CredentialError, command_in},
    failure::LoginContext,
};

pub(super) fn explain(error: &CredentialError, context: &LoginContext) -> Explanation {
    match error {
        CredentialError::NotFound { tried } => not_found(tried),
        CredentialError::Failed { origin, message } => failed(origin, message, context),
        CredentialError::TimedOut { after } => Explanation::new(
            "credentials_timed_out",
            format!("No AWS credentials came within {} s.", after.as_secs()),
            "the credential service does not answer; in a container on EC2 the usual reason is a metadata hop limit of 1.",
            "raise the instance's HttpPutResponseHopLimit to 2, or give the task or pod its own role.",
        ),
        CredentialError::Expiring {
            origin,
            expires_at,
            refresh,
        } => Explanation::new(
            "credentials_expired",
            format!("The AWS credentials from {origin} end at {expires_at}; nothing is signed with them any more."),
            match refresh {
                Some(reason) => format!("they could not be refreshed: {reason}."),
                None => "the source hands out credentials at the end of their life, or this machine's clock is ahead."
                    .to_owned(),
            },
            "repair the source; logins resume by themselves. Sessions that are open go on.",
        ),
    }
}

fn not_found(tried: &[String]) -> Explanation {
    Explanation::new(
        "credentials_missing",
        format!(
            "There are no AWS credentials to sign a token with; looked at {}.",
            tried.join("; ")
        ),
        "no role is attached to the instance, task or pod, or its variables did not reach this process; in a container on EC2 the metadata hop limit may be 1.",
        "attach a role that may call rds-db:connect, or set AWS_PROFILE or the AWS_… keys.",
    )
}

/// Error codes of the credential services with cause and advice.
const CODES: [(&[&str], &str, &str, &str); 4] = [
    (
        &[
            "SignatureDoesNotMatch",
            "RequestExpired",
            "RequestTimeTooSkewed",
        ],
        "clock_skew",
        "this machine's clock is wrong, or the secret key does not belong to the key id.",
        "synchronize the clock (chrony, NTP), then check the keys.",
    ),
    (
        &[
            "ExpiredToken",
            "InvalidClientTokenId",
            "InvalidIdentityToken",
            "IDPCommunicationError",
        ],
        "credentials_refused",
        "the keys or the identity token behind the role have expired, were deleted, or belong to another provider.",
        "renew the keys, or check the pod's service account and the OIDC provider of the cluster.",
    ),
    (
        &["AccessDenied"],
        "role_not_assumable",
        "the role's trust policy does not admit this caller.",
        "add the caller (or the service account and audience) to the role's trust policy.",
    ),
    (
        &[
            "Throttling",
            "429",
            "TooManyRequests",
            "RequestLimitExceeded",
        ],
        "credentials_throttled",
        "too many processes ask for credentials at the same time.",
        "wait; it is asked again with growing pauses.",
    ),
];

fn failed(origin: &str, message: &str, context: &LoginContext) -> Explanation {
    let what = format!("AWS credentials were refused by {origin}: {message}.");
    if let Some(command) = command_in(message) {
        return Explanation::new(
            "login_ended",
            what,
            "the login of this person at AWS's portal has ended, or was never made on this machine.",
            format!("log in again: `{command}`, and start this once more."),
        );
    }
    let known = CODES
        .iter()
        .find(|(codes, ..)| codes.iter().any(|code| message.contains(code)));
    let Some((_, code, cause, step)) = known else {
        return Explanation::new(
            "credentials_failed",
            what,
            "the source is configured but does not work: down, unreachable, or answering something else.",
            "try it with `aws sts get-caller-identity` in the same environment.",
        );
    };
    let measured = super::server::skew_sentence(context).unwrap_or_default();
    Explanation::new(code, what, format!("{cause}{measured}"), *step)
}
