//! Paths of Sal that need their trailing slash: without it the answer is 301 to the path with it.

/// Whether `path` lacks the slash that makes it one of ours.
pub(crate) fn is_missing(path: &str) -> bool {
    !path.ends_with('/') && PATHS.iter().any(|pattern| matches(pattern, path))
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
    "/healthcheck",
    "/login",
    "/logout",
    "/machines",
    "/machine_detail/*",
    "/database",
    "/setup/*",
    "/list/*/*",
    "/list/*/*/*",
    "/list/*/*/*/*",
    "/new-bu",
    "/new-machine-group/*",
    "/dashboard/*",
    "/machinegroup/*",
    "/settings",
    "/settings/plugins",
    "/settings/api-keys",
    "/settings/api-keys/new",
    "/settings/api-keys/display/*",
    "/settings/senddata/enable",
    "/settings/senddata/disable",
];

#[cfg(test)]
mod tests {
    use super::*;

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
