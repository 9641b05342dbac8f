//! Single sign-on as the configuration asks for it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use sal_http::access::oidc::Oidc;

use crate::config::oidc::SingleSignOn;
use crate::wiring::outbound::HttpOutbound;

/// Sets up single sign-on; sends nothing.
///
/// # Errors
/// When there are no authorities to trust.
pub(crate) fn oidc(config: &SingleSignOn) -> Result<Arc<Oidc>> {
    let outbound = HttpOutbound::new(&config.roots, PATIENCE)?;
    Ok(Arc::new(Oidc::new(config.oidc.clone(), Arc::new(outbound))))
}

/// For one request, from the first byte to the last.
const PATIENCE: Duration = Duration::from_secs(10);
