//! Who may assume the deployment's role: the trust policies of the usual platforms.

use rds_iam::Partition;
use serde_json::{Value, json};
use thiserror::Error;

/// A platform whose containers assume the role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Tasks of ECS, on Fargate or EC2.
    Ecs,
    /// EKS with IAM roles for service accounts.
    EksIrsa {
        /// The ARN of the cluster's OIDC provider.
        provider: String,
        /// `NAMESPACE:SERVICE-ACCOUNT`.
        service_account: String,
    },
    /// EKS Pod Identity.
    EksPodIdentity,
    /// EC2 instances.
    Ec2,
}

/// A trust policy cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TrustError {
    /// The provider is not the ARN of an OIDC provider.
    #[error(
        "`{0}` is not the ARN of an OIDC provider, such as arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-west-2.amazonaws.com/id/EXAMPLE"
    )]
    Provider(String),
    /// The service account is not a namespace and a name.
    #[error("`{0}` is not NAMESPACE:SERVICE-ACCOUNT")]
    ServiceAccount(String),
}

impl Trust {
    /// The trust policy, as the role's partition has it.
    ///
    /// # Errors
    /// [`TrustError`], for IRSA only.
    pub fn document(&self, partition: Partition) -> Result<Value, TrustError> {
        let service = |name: &str, actions: &[&str]| {
            json!({
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Principal": {"Service": name}, "Action": actions}],
            })
        };
        Ok(match self {
            Self::Ecs => service("ecs-tasks.amazonaws.com", &["sts:AssumeRole"]),
            // The one service here whose name has the partition's domain: ec2.amazonaws.com.cn.
            Self::Ec2 => service(&format!("ec2.{}", partition.domain()), &["sts:AssumeRole"]),
            Self::EksPodIdentity => service(
                "pods.eks.amazonaws.com",
                &["sts:AssumeRole", "sts:TagSession"],
            ),
            Self::EksIrsa {
                provider,
                service_account,
            } => irsa(provider, service_account)?,
        })
    }
}

fn irsa(provider: &str, account: &str) -> Result<Value, TrustError> {
    let issuer = provider
        .split_once(":oidc-provider/")
        .map(|(_, issuer)| issuer)
        .filter(|issuer| !issuer.is_empty())
        .ok_or_else(|| TrustError::Provider(provider.to_owned()))?;
    let (namespace, name) = account
        .split_once(':')
        .filter(|(namespace, name)| {
            !namespace.is_empty() && !name.is_empty() && !name.contains(':')
        })
        .ok_or_else(|| TrustError::ServiceAccount(account.to_owned()))?;
    let subject = format!("system:serviceaccount:{namespace}:{name}");
    Ok(json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"Federated": provider},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {
                (format!("{issuer}:sub")): subject,
                (format!("{issuer}:aud")): "sts.amazonaws.com",
            }},
        }],
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_has_its_principal() {
        let text = |trust: Trust| trust.document(Partition::Aws).unwrap().to_string();
        assert!(text(Trust::Ecs).contains("ecs-tasks.amazonaws.com"));
        assert!(text(Trust::Ec2).contains("\"ec2.amazonaws.com\""));
        assert!(text(Trust::EksPodIdentity).contains("sts:TagSession"));
        let irsa = text(Trust::EksIrsa {
            provider: "arn:aws:iam::1:oidc-provider/oidc.eks.us-west-2.amazonaws.com/id/X"
                .to_owned(),
            service_account: "sal:server".to_owned(),
        });
        assert!(irsa.contains("oidc.eks.us-west-2.amazonaws.com/id/X:sub"));
        assert!(irsa.contains("system:serviceaccount:sal:server"));
    }

    #[test]
    fn ec2_has_the_name_that_its_partition_gives_it_and_ecs_one_name_everywhere() {
        for (region, ec2) in [
            ("us-west-2", "ec2.amazonaws.com"),
            ("us-gov-west-1", "ec2.amazonaws.com"),
            ("cn-north-1", "ec2.amazonaws.com.cn"),
            ("us-iso-east-1", "ec2.c2s.ic.gov"),
            ("us-isob-east-1", "ec2.sc2s.sgov.gov"),
        ] {
            let partition = Partition::of_region(region);
            let document = Trust::Ec2.document(partition).unwrap();
            assert_eq!(document["Statement"][0]["Principal"]["Service"], ec2);
            let ecs = Trust::Ecs.document(partition).unwrap().to_string();
            assert!(ecs.contains("\"ecs-tasks.amazonaws.com\""), "{ecs}");
        }
    }

    #[test]
    fn irsa_needs_a_provider_and_an_account() {
        let irsa = |provider: &str, account: &str| {
            let trust = Trust::EksIrsa {
                provider: provider.to_owned(),
                service_account: account.to_owned(),
            };
            trust.document(Partition::Aws).unwrap_err()
        };
        assert!(matches!(irsa("https://x", "a:b"), TrustError::Provider(_)));
        let provider = "arn:aws:iam::1:oidc-provider/x";
        assert!(matches!(
            irsa(provider, "server"),
            TrustError::ServiceAccount(_)
        ));
    }
}
