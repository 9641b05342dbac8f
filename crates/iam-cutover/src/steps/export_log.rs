//! Has RDS write to CloudWatch why it refuses a token: a client is told nothing but "PAM authentication failed".

use crate::{
    aws::{AUTH_LOG, AwsCall, TargetKind},
    steps::{Action, Context, Part, Step},
};

pub(super) struct ExportLog;

impl Part for ExportLog {
    fn apply(&self, context: &Context<'_>) -> Vec<Step> {
        let Some(side) = context.aws else {
            return Vec::new();
        };
        let target = &side.target;
        let is_exported = target.log_exports.iter().any(|log| log == AUTH_LOG);
        if is_exported || !side.exports_auth_log || target.kind == TargetKind::Proxy {
            return Vec::new();
        }
        let call = AwsCall::ExportAuthLog {
            kind: target.kind,
            identifier: target.identifier.clone(),
            enabled: true,
        };
        let undo = call.inverse("").iter().map(AwsCall::cli).collect();
        vec![
            Step::new(
                "export-auth-log",
                format!("Export {AUTH_LOG} of {} to CloudWatch", target.identifier),
                Action::Aws(call),
            )
            .because("A refused token is told to the client as `PAM authentication failed` and nothing else; this log has the reason, and `sal iam doctor` reads it. CloudWatch charges for what is written, which is a line for each refusal. Rolling back leaves it, as it harms nobody.")
            .verified_by("the database says that it exports it")
            .undone_by(undo),
        ]
    }
}
