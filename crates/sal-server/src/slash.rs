//! Paths of Sal that need their trailing slash: without it the answer is 301 to the path with it.

/// Whether `path` lacks the slash that makes it one of ours.
pub(crate) fn is_missing(path: &str) -> bool {
    !path.ends_with('/') && PATHS.iter().any(|pattern| matches(pattern, path))
}

/// Whether `path` is one of API v1: `/api/`, `/api/v1/` and what is below them, unless it begins with a `v` or a `2`, as
/// the second API does. So it was written in the original.
pub(crate) fn is_of_the_first_api(path: &str) -> bool {
    ["/api/v1/", "/api/"].iter().any(|prefix| {
        let Some(rest) = path.strip_prefix(prefix) else {
            return false;
        };
        rest.is_empty()
            || rest.len() > 1 && rest.ends_with('/') && !rest.starts_with(['v', '2', '/'])
    })
}

/// Segment by segment; `*` is any segment that is not empty.
fn matches(pattern: &str, path: &str) -> bool {
    let mut wanted = pattern.split('/');
    let mut given = path.split('/');
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some("*"), Some(segment)) if !segment.is_empty() => {}
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return false,
        }
    }
}

/// Without their slashes.
const PATHS: &[&str] = &[
    "/checkin",
    "/report_broken_client",
    "/preflight-v2",
    "/preflight-v2/get-script/*/*",
    "/inventory/submit",
    "/catalog/submit",
    "/catalog/hash",
    "/profiles/submit",
    "/licenses/available/*",
    "/licenses/available/*/*",
    "/licenses/usage/*",
    "/licenses/usage/*/*",
    "/api",
    "/api/v1",
    "/healthcheck",
    "/login",
    "/logout",
    "/oidc/login",
    "/machines",
    "/machines/columns",
    "/machines/bulk",
    "/machines/export",
    "/machines/facets",
    "/machine_detail/*",
    "/machine_detail/facts/*/*",
    "/machine_detail/*/item/*",
    "/machine/new/*",
    "/machine/edit/*",
    "/machine/delete/*",
    "/database",
    "/setup/*",
    "/list/*/*",
    "/list/*/*/*",
    "/list/*/*/*/*",
    "/tableajax/*/*/*/*",
    "/csv/*/*/*/*",
    "/new-bu",
    "/new-machine-group/*",
    "/units",
    "/business_unit/edit/*",
    "/business_unit/delete/*",
    "/business_unit/really/delete/*",
    "/edit-machine-group/*",
    "/machine_group/delete/*",
    "/machine_group/really/delete/*",
    "/dashboard/*",
    "/machinegroup/*",
    "/inventory",
    "/inventory/all/*",
    "/inventory/business_unit/*",
    "/inventory/machine_group/*",
    "/inventory/machine/*",
    "/inventory/application/*/*/*",
    "/inventory/list/*/*/*",
    "/inventory/csv_export/*/*",
    "/updates",
    "/updates/item",
    "/licenses",
    "/licenses/new",
    "/licenses/edit/*",
    "/licenses/delete/*",
    "/settings",
    "/settings/all",
    "/settings/forget/*",
    "/settings/maintenance",
    "/settings/maintenance/run/*",
    "/settings/save_historical_days",
    "/settings/plugins",
    "/settings/api-keys",
    "/settings/api-keys/new",
    "/settings/api-keys/display/*",
    "/settings/api-keys/edit/*",
    "/settings/api-keys/delete/*",
    "/settings/users",
    "/settings/users/new",
    "/settings/users/edit/*",
    "/settings/users/makestaff/*",
    "/settings/users/removestaff/*",
    "/settings/users/delete/*",
    "/changepassword",
    "/changepassword/done",
    "/activity",
    "/activity/export",
    "/activity/check-ins",
    "/activity/check-ins/export",
    "/settings/senddata/enable",
    "/settings/senddata/disable",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_api_is_told_from_the_second() {
        for path in [
            "/api/",
            "/api/machines/",
            "/api/facts/C02/",
            "/api/v1/",
            "/api/v1/machines/",
        ] {
            assert!(is_of_the_first_api(path), "{path}");
        }
        for path in [
            "/api/v2/",
            "/api/v2/machines/",
            "/api/machines",
            "/api/v1/v",
            "/apis/",
            "/",
            "/api/x",
        ] {
            assert!(!is_of_the_first_api(path), "{path}");
        }
    }

    #[test]
    fn only_our_paths_without_their_slash_lack_it() {
        for path in [
            "/checkin",
            "/preflight-v2/get-script/Uptime/uptime.py",
            "/machine_detail/C02",
        ] {
            assert!(is_missing(path), "{path}");
        }
        for path in [
            "/checkin/",
            "/nope",
            "/",
            "/preflight-v2/get-script//x",
            "/machine_detail",
            "/checkin/x",
        ] {
            assert!(!is_missing(path), "{path}");
        }
    }
}
