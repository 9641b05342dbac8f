//! Requirements 1, 2 and 5 of the wiki page: a container, a version, a role with fresh credentials.

use jiff::SignedDuration;
use rds_iam::CredentialError;

use super::{Facts, Platform};
use crate::{aws::Answer, check::Check};

pub(super) fn checks(facts: &Facts) -> Vec<Check> {
    vec![
        container(facts),
        version(facts),
        credentials(facts),
        caller(facts),
        clock(facts),
    ]
}

fn container(facts: &Facts) -> Check {
    let name = match facts.surroundings.platform {
        Platform::Fargate => "ECS on Fargate",
        Platform::Ecs => "ECS on EC2",
        Platform::Eks => "Kubernetes with an AWS role (EKS)",
        Platform::Container => "a container, neither of ECS nor of EKS",
        Platform::Plain => {
            return Check::attention(
                "container",
                "Not in a container (requirement 1)",
                "this process runs in no container",
                "nothing, if this is the administrator's machine; the login that counts is the deployment's: run the doctor there too",
            );
        }
    };
    Check::ok("container", "Runs in a container (requirement 1)", name)
}

fn version(facts: &Facts) -> Check {
    let program = &facts.surroundings.program;
    Check::ok(
        "version",
        "Server version (requirement 2: Sal 4.3.0 or newer)",
        format!("{program}, which does what Sal 4.4.1 does"),
    )
}

fn credentials(facts: &Facts) -> Check {
    let title = "AWS credentials (requirement 5)";
    match &facts.credentials {
        Ok(found) => {
            let (source, now) = (&found.source, facts.now);
            let Some(end) = found.expires_at else {
                return Check::attention(
                    "credentials",
                    title,
                    format!("long-term keys from {source}"),
                    "give the deployment a role instead: its credentials are temporary and nobody has to rotate them",
                );
            };
            let left = end.duration_since(now);
            let evidence = format!("from {source}, until {end} ({} min)", left.as_mins());
            if left < SignedDuration::from_secs(60) {
                return Check::problem("credentials", title, evidence, ENDING);
            }
            Check::ok("credentials", title, evidence)
        }
        Err(error) => {
            let title = "No usable AWS credentials (requirement 5)";
            Check::problem("credentials", title, error.to_string(), hint(error, facts))
        }
    }
}

const ENDING: &str =
    "the source hands out credentials that end at once: look at it, and at the clock";

fn hint(error: &CredentialError, facts: &Facts) -> String {
    let text = error.to_string();
    let metadata = text.contains("instance metadata") && !text.contains("turned off");
    if metadata && facts.surroundings.platform != Platform::Plain {
        return "the instance's metadata service did not answer from this container: raise the hop limit (aws ec2 modify-instance-metadata-options --http-put-response-hop-limit 2), or give the task or the pod a role of its own".to_owned();
    }
    if text.contains("StatusCode(400)")
        || text.contains("AccessDenied")
        || text.contains("InvalidIdentityToken")
    {
        return "the platform could not assume the role: its trust policy has to name it (ecs-tasks.amazonaws.com for ECS, pods.eks.amazonaws.com for EKS Pod Identity, the cluster's OIDC provider for IRSA); `sal iam policy --format trust` writes it".to_owned();
    }
    match error {
        CredentialError::Failed { .. } | CredentialError::TimedOut { .. } => {
            return "this source is configured and gives no usable answer: look whether it runs (on ECS the agent, on EKS the Pod Identity agent, else what AWS_PROFILE or AWS_CONTAINER_CREDENTIALS_* names), and whether this container reaches it".to_owned();
        }
        CredentialError::Expiring { .. } => return ENDING.to_owned(),
        CredentialError::NotFound { .. } => {}
    }
    match facts.surroundings.platform {
        Platform::Fargate | Platform::Ecs => "give the task definition a task role (taskRoleArn), not only an execution role".to_owned(),
        Platform::Eks => "annotate the service account with eks.amazonaws.com/role-arn, or associate a role with it (EKS Pod Identity), and start the pod anew".to_owned(),
        _ => "give this machine a role, or set AWS_PROFILE".to_owned(),
    }
}

fn caller(facts: &Facts) -> Check {
    let title = "Who AWS says this is";
    match &facts.aws.caller {
        Answer::Known(caller) => Check::ok(
            "caller",
            title,
            format!("{} in account {}", caller.arn, caller.account),
        ),
        other => {
            let why = other.why_not();
            let next = if why.contains("ExpiredToken")
                || why.contains("InvalidClientTokenId")
                || why.contains("SignatureDoesNotMatch")
            {
                "the credentials are expired, wrong, or this machine's clock is off"
            } else {
                "AWS's API cannot be reached from here (a closed network needs a VPC endpoint for STS); logins do not need it"
            };
            Check::unknown("caller", title, why, next)
        }
    }
}

fn clock(facts: &Facts) -> Check {
    let title = "The clock";
    let Some(skew) = &facts.skew else {
        return Check::unknown(
            "clock",
            title,
            "no answer with a time was seen",
            "compare `date -u` with another machine",
        );
    };
    let seconds = skew.offset.as_secs();
    let evidence = format!(
        "{} is {} s {} ours",
        skew.against,
        seconds.unsigned_abs(),
        if seconds < 0 { "behind" } else { "ahead of" }
    );
    match seconds.unsigned_abs() {
        0..=60 => Check::ok("clock", title, evidence),
        61..=240 => Check::attention(
            "clock",
            title,
            evidence,
            "set the clock (NTP, chrony): from some minutes on AWS refuses every signature",
        ),
        _ => Check::problem(
            "clock",
            title,
            evidence,
            "set the clock (NTP, chrony): AWS refuses signatures that are older than 15 minutes or made in the future",
        ),
    }
}
