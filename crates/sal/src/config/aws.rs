//! What all calls to AWS share, as the environment says it. Credentials are not among it: the libraries look for them.

use std::path::PathBuf;

use super::Environment;

/// How AWS is reached.
#[derive(Debug, Clone, Default)]
pub(crate) struct AwsConfig {
    /// The authorities to trust instead of the system's and Amazon's.
    pub(crate) ca_bundle: Option<PathBuf>,
}

impl AwsConfig {
    /// Reads it.
    pub(crate) fn read(environment: &mut Environment) -> Self {
        Self {
            ca_bundle: environment.text("AWS_CA_BUNDLE").map(PathBuf::from),
        }
    }
}
