//! Paths of Sal that need their trailing slash: without it the answer is 301 to the path with it.

/// Whether `path` lacks the slash that makes it one of ours. `pages` are the paths of pages as the router has them.
pub(crate) fn is_missing(path: &str, pages: &[&str]) -> bool {
    let with_slash = || pages.iter().filter_map(|pattern| pattern.strip_suffix('/'));
    let mut patterns = PATHS.iter().copied().chain(with_slash());
    !path.ends_with('/') && patterns.any(|pattern| matches(pattern, path))
}

/// Segment by segment; `{name}` is any segment that is not empty.
fn matches(pattern: &str, path: &str) -> bool {
    let mut wanted = pattern.split('/');
    let mut given = path.split('/');
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(segment)) if wanted.starts_with('{') && !segment.is_empty() => {}
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return false,
        }
    }
}

/// Those of machines, programs and orchestrators, without their slashes; pages are listed by their own routes.
const PATHS: &[&str] = &[
    "/checkin",
    "/report_broken_client",
    "/preflight-v2",
    "/preflight-v2/get-script/{plugin}/{script}",
    "/inventory/submit",
    "/catalog/submit",
    "/catalog/hash",
    "/profiles/submit",
    "/licenses/available/{key}",
    "/licenses/available/{key}/{unit}",
    "/licenses/usage/{key}",
    "/licenses/usage/{key}/{unit}",
    "/api",
    "/api/v1",
    "/healthcheck",
];

#[cfg(test)]
mod tests {
    use super::*;

    const PAGES: &[&str] = &["/machine_detail/{key}/", "/livez", "/"];

    #[test]
    fn only_our_paths_without_their_slash_lack_it() {
        for path in [
            "/checkin",
            "/preflight-v2/get-script/Uptime/uptime.py",
            "/machine_detail/C02",
        ] {
            assert!(is_missing(path, PAGES), "{path}");
        }
        for path in [
            "/checkin/",
            "/nope",
            "/",
            "/preflight-v2/get-script//x",
            "/machine_detail",
            "/checkin/x",
        ] {
            assert!(!is_missing(path, PAGES), "{path}");
        }
    }
}
