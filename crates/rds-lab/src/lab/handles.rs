//! What a test or the demo may know of a running lab: addresses, names, secrets, records.
//!
//! Only reading; what changes the lab is in the parent module and in [`Faults`].

use std::net::SocketAddr;
use std::path::Path;
use std::sync::PoisonError;

use local_postgres::LocalPostgres;

use super::Lab;
use crate::LabError;
use crate::aws::{FULL_PATH, INSTANCE_ROLE, RELATIVE_PATH, Requests, TASK_ROLE};
use crate::calls::Call;
use crate::credentials::Credential;
use crate::faults::Faults;
use crate::record::{AuthEvent, Metrics};
use crate::shape::{Door, PROXY_ID, PROXY_ROLE, Shape};

impl Lab {
    /// The key of the user `sal-lab`, which never expires.
    #[must_use]
    pub fn static_credentials(&self) -> &Credential {
        &self.static_credential
    }

    /// The endpoint's name.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.options.endpoint
    }

    /// The region.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.options.region
    }

    /// Where the gate listens; what the endpoint's name would resolve to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        let first = self.doors.all.first();
        first.map_or(self.options.listen, |door| door.address)
    }

    /// Every name that clients can connect to, the writer's first.
    #[must_use]
    pub fn doors(&self) -> &[Door] {
        &self.doors.all
    }

    /// A door by its name in the lab, such as `reader`.
    ///
    /// # Errors
    /// [`LabError::NoDoor`] names those there are.
    pub fn door(&self, name: &str) -> Result<&Door, LabError> {
        let doors = &self.doors.all;
        let found = doors.iter().find(|door| door.name == name);
        found.ok_or_else(|| {
            let known: Vec<&str> = doors.iter().map(|door| door.name.as_str()).collect();
            LabError::NoDoor {
                name: name.to_owned(),
                known: known.join(", "),
            }
        })
    }

    /// Whether there is a proxy that logs in with a secret.
    #[must_use]
    pub fn proxy_needs_secret(&self) -> bool {
        self.options.shape == Shape::Proxy
    }

    /// What a policy calls a user at the proxy.
    #[must_use]
    pub fn proxy_resource(&self, user: &str) -> String {
        format!(
            "arn:aws:rds-db:{}:{}:dbuser:{PROXY_ID}/{user}",
            self.options.region, self.options.account_id
        )
    }

    /// The ARN of the role that the proxy logs in with, end to end.
    #[must_use]
    pub fn proxy_role_arn(&self) -> String {
        self.account.role_arn(PROXY_ROLE)
    }

    /// Where Postgres itself listens and asks by PAM, when that was wanted; tokens for this way
    /// must be signed for its port. Faults of the gate (slow accept, cut, reader, rotation) do
    /// not reach it.
    #[must_use]
    pub fn pam_address(&self) -> Option<SocketAddr> {
        self.pam.as_ref().map(|door| door.address)
    }

    /// The current root certificate.
    #[must_use]
    pub fn ca_pem(&self) -> String {
        let authority = self
            .doors
            .front
            .authority
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        authority.root_pem.clone()
    }

    /// A file with the current root certificate; rewritten by [`Self::rotate_ca`].
    #[must_use]
    pub fn ca_file(&self) -> &Path {
        &self.trust.path
    }

    /// The superuser's way in, over the socket behind the gate.
    #[must_use]
    pub fn admin_config(&self, database: &str) -> tokio_postgres::Config {
        self.postgres.admin_config(database)
    }

    /// The master user's name.
    #[must_use]
    pub fn master(&self) -> &str {
        &self.options.master
    }

    /// The master user's password.
    #[must_use]
    pub fn master_password(&self) -> &str {
        &self.master_password
    }

    /// The ARN of a role of the lab's account.
    #[must_use]
    pub fn role_arn(&self, name: &str) -> String {
        self.account.role_arn(name)
    }

    /// The ARN of the role that IMDS hands out.
    #[must_use]
    pub fn instance_role_arn(&self) -> String {
        self.account.role_arn(INSTANCE_ROLE)
    }

    /// The ARN of the role that the container endpoint hands out.
    #[must_use]
    pub fn task_role_arn(&self) -> String {
        self.account.role_arn(TASK_ROLE)
    }

    /// The value for `AWS_EC2_METADATA_SERVICE_ENDPOINT`.
    #[must_use]
    pub fn imds_url(&self) -> String {
        url(self.endpoints.imds, "")
    }

    /// The value for `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
    #[must_use]
    pub fn container_url(&self) -> String {
        url(self.endpoints.container, FULL_PATH)
    }

    /// The same credentials by ECS's secret path, which needs no authorization.
    #[must_use]
    pub fn container_path_url(&self) -> String {
        url(self.endpoints.container, RELATIVE_PATH)
    }

    /// The value for `AWS_CONTAINER_AUTHORIZATION_TOKEN`.
    #[must_use]
    pub fn container_authorization(&self) -> &str {
        &self.account.container_authorization
    }

    /// The value for `AWS_ENDPOINT_URL_STS`.
    #[must_use]
    pub fn sts_url(&self) -> String {
        url(self.endpoints.sts, "")
    }

    /// The value for `AWS_ENDPOINT_URL_RDS`.
    #[must_use]
    pub fn rds_url(&self) -> String {
        url(self.endpoints.rds, "")
    }

    /// The value for `AWS_ENDPOINT_URL_IAM`.
    #[must_use]
    pub fn iam_url(&self) -> String {
        url(self.endpoints.iam, "")
    }

    /// The value for `AWS_ENDPOINT_URL_CLOUDWATCH`.
    #[must_use]
    pub fn monitoring_url(&self) -> String {
        url(self.endpoints.monitoring, "")
    }

    /// The value for `AWS_ENDPOINT_URL_CLOUDWATCH_LOGS`.
    #[must_use]
    pub fn logs_url(&self) -> String {
        url(self.endpoints.logs, "")
    }

    /// The account's number.
    #[must_use]
    pub fn account_id(&self) -> &str {
        &self.account.id
    }

    /// The resource id of the database.
    #[must_use]
    pub fn resource_id(&self) -> &str {
        &self.account.site.resource_id
    }

    /// The name of the role that the container endpoint hands out.
    #[must_use]
    pub fn task_role(&self) -> &'static str {
        TASK_ROLE
    }

    /// The switches that make the lab fail.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.account.faults
    }

    /// Every IAM login so far, accepted and refused.
    #[must_use]
    pub fn log(&self) -> Vec<AuthEvent> {
        self.doors.front.auth.record.events()
    }

    /// The metrics RDS would publish.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.doors.front.auth.record.metrics()
    }

    /// The most IAM logins there were within any second.
    #[must_use]
    pub fn peak_logins_per_second(&self) -> usize {
        self.doors.front.auth.rate.peak()
    }

    /// How often the credential services were asked.
    #[must_use]
    pub fn requests(&self) -> Requests {
        self.account.requests()
    }

    /// Every action that was asked of the AWS stand-ins since the last [`Self::forget_calls`].
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.account.calls.all()
    }

    /// Forgets them.
    pub fn forget_calls(&self) {
        self.account.calls.forget();
    }

    /// The private Postgres behind the gate.
    #[must_use]
    pub fn postgres(&self) -> &LocalPostgres {
        &self.postgres
    }
}

fn url(address: SocketAddr, path: &str) -> String {
    format!("http://{address}{path}")
}
