//! Blue/green deployments as RDS describes them: one that is about to take the database's place.

use super::super::Account;
use super::super::xml::element;
use super::clusters;

/// What the green side is called.
pub(super) fn green(account: &Account) -> String {
    format!("{}-green-ab12cd", account.site.identifier)
}

/// What policies call the green side: another resource id than the blue side's.
pub(super) fn green_id(account: &Account) -> String {
    match account.site.shape.is_cluster() {
        true => "cluster-GREENGREENGREENGREEN01234".to_owned(),
        false => "db-GREENGREENGREENGREEN01234".to_owned(),
    }
}

/// `DescribeBlueGreenDeployments`.
pub(super) fn describe(account: &Account) -> String {
    let facts = account.instance.facts();
    let Some(status) = &facts.blue_green else {
        return "<BlueGreenDeployments></BlueGreenDeployments>".to_owned();
    };
    let (blue, green) = match account.site.shape.is_cluster() {
        true => {
            let blue = clusters::arn(account);
            let green = format!("{blue}-green-ab12cd");
            (blue, green)
        }
        false => (
            super::arn(account, &account.site.identifier),
            super::arn(account, &green(account)),
        ),
    };
    let member = format!(
        "<member>{}{}{}</member>",
        element("SourceMember", &blue),
        element("TargetMember", &green),
        element("Status", status)
    );
    let parts = [
        element("BlueGreenDeploymentIdentifier", "bgd-0123456789abcdef"),
        element("BlueGreenDeploymentName", "sal-upgrade"),
        element("Source", &blue),
        element("Target", &green),
        format!("<SwitchoverDetails>{member}</SwitchoverDetails>"),
        element("Status", status),
    ];
    format!(
        "<BlueGreenDeployments><member>{}</member></BlueGreenDeployments>",
        parts.concat()
    )
}
