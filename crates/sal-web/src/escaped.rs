//! HTML inside JSON, as Sal's scripts for tables have it.

/// As Django escapes HTML.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#x27;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_escaped_as_django_does() {
        assert_eq!(
            escaped("<a b=\"c'&\">"),
            "&lt;a b=&quot;c&#x27;&amp;&quot;&gt;"
        );
    }
}
