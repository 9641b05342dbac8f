//! Names the files that sources of credentials read and cannot: their own errors have no path in them.

use std::{fs::File, io::Read};

use aws_types::os_shim_internal::Env;

/// What a source said, and which file it names is missing, unreadable or empty.
pub(super) fn with_paths(source: &str, said: String, environment: &Env) -> String {
    let unread: Vec<String> = VARIABLES
        .iter()
        .filter(|(of, _)| *of == source)
        .filter_map(|(_, variable)| unread(variable, environment))
        .filter(|unread| !said.contains(unread.as_str()))
        .collect();
    if unread.is_empty() {
        return said;
    }
    format!("{}: {said}", unread.join("; "))
}

fn unread(variable: &str, environment: &Env) -> Option<String> {
    let path = environment.get(variable).ok()?;
    let mut first = [0; 1];
    let why = match File::open(&path).and_then(|mut file| file.read(&mut first)) {
        Ok(0) => "it is empty".to_owned(),
        Ok(_) => return None,
        Err(error) => error.to_string(),
    };
    Some(format!(
        "the file `{path}` that {variable} names cannot be used ({why})"
    ))
}

/// Which source reads the file of which variable.
const VARIABLES: &[(&str, &str)] = &[
    ("profile", "AWS_CONFIG_FILE"),
    ("profile", "AWS_SHARED_CREDENTIALS_FILE"),
    ("web identity", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    ("container", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_cannot_be_read_are_named_with_variable_and_path() {
        let folder = std::env::temp_dir();
        let empty = folder.join(format!("sal-empty-token-{}", std::process::id()));
        std::fs::write(&empty, "").unwrap();
        let empty_path = empty.to_str().unwrap().to_owned();
        for (source, variable, path, why) in [
            (
                "web identity",
                "AWS_WEB_IDENTITY_TOKEN_FILE",
                "/nonexistent/token",
                "No such file",
            ),
            (
                "container",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                "/nonexistent/t2",
                "No such file",
            ),
            (
                "container",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                &empty_path,
                "it is empty",
            ),
            (
                "profile",
                "AWS_SHARED_CREDENTIALS_FILE",
                "/",
                "Is a directory",
            ),
        ] {
            let environment = Env::from_slice(&[(variable, path)]);
            let said = with_paths(source, "it failed".to_owned(), &environment);
            let named = format!("the file `{path}` that {variable} names cannot be used (");
            assert!(said.starts_with(&named), "{said}");
            assert!(
                said.contains(why) && said.ends_with(": it failed"),
                "{said}"
            );
        }
        std::fs::remove_file(&empty).unwrap();
        let other = Env::from_slice(&[("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent/token")]);
        assert_eq!(
            with_paths("container", "it failed".to_owned(), &other),
            "it failed"
        );
    }
}
