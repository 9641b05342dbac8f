//! `sal iam roots`: the certificate authorities inside the program as PEM, for programs that want a file.

use rds_iam::RdsEndpoint;

use crate::config::Environment;
use crate::config::host::Host;
use crate::exit::Exit;
use crate::output;

/// Prints them; remarks where the deployment's own endpoint needs others.
pub(crate) fn run() -> Exit {
    output::data(rds_iam::embedded_roots_pem().trim_end());
    let host = Environment::read().given("DB_HOST");
    let host = host.and_then(|text| Host::parse(&text).ok());
    let endpoint = host.and_then(|host| RdsEndpoint::parse(&host.name).ok());
    if let Some(missing) = endpoint.as_ref().and_then(rds_iam::missing_roots) {
        output::note(&format!(
            "warning: the roots of {}, where DB_HOST is, are not among these: {}",
            missing.region,
            missing.next_step()
        ));
    }
    Exit::Done
}
