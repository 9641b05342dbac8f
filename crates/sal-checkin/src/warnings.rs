//! What did not fit into a table, in one line of the log for each submission.

use sal_http::metric_names::CHECKIN_WARNINGS;
use tracing::warn;

use crate::submission::Warning;

/// Logs and counts the warnings of a submission about `serial`, if there are any.
pub(crate) fn report(warnings: &[Warning], serial: &str, what: &'static str) {
    if warnings.is_empty() {
        return;
    }
    let count = u64::try_from(warnings.len()).unwrap_or(u64::MAX);
    metrics::counter!(CHECKIN_WARNINGS).increment(count);
    let texts: Vec<&str> = warnings.iter().map(|warning| warning.0.as_str()).collect();
    let all = texts.join("; ");
    warn!(machine.serial = %serial, warnings = all, "{what} of {serial} held values that did not fit");
}
