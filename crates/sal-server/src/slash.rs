//! Paths of Sal that need their trailing slash: without it the answer is 301 to the path with it.

/// Whether `path` lacks the slash that makes it one of ours. `pages` are the paths of pages as the router has them.
pub(crate) fn is_missing(path: &str, pages: &[&str]) -> bool {
    let with_slash = || pages.iter().filter_map(|pattern| pattern.strip_suffix('/'));
    let mut patterns = PATHS.iter().copied().chain(with_slash());
    !path.ends_with('/') && patterns.any(|pattern| matches(pattern, path))
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
