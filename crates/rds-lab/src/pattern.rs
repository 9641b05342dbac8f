//! IAM's wildcards: `*` stands for any text, `?` for one character.
//!
//! Used for principals and for resource names in the policy table.

/// Whether `text` fits `pattern`; case matters, as in IAM.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    fits_from(&pattern, &text)
}

fn fits_from(mut pattern: &[char], mut text: &[char]) -> bool {
    // Where to resume when the last star has to swallow one character more.
    let mut resume: Option<(&[char], &[char])> = None;
    loop {
        match (pattern.split_first(), text.split_first()) {
            (Some(('*', after)), _) => {
                resume = Some((after, text));
                pattern = after;
            }
            (Some((wanted, after)), Some((found, rest))) if *wanted == '?' || wanted == found => {
                pattern = after;
                text = rest;
            }
            (None, None) => return true,
            _ => {
                let Some((after_star, [_, swallowed @ ..])) = resume else {
                    return false;
                };
                resume = Some((after_star, swallowed));
                pattern = after_star;
                text = swallowed;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn wildcards_fit_as_in_iam() {
        let cases = [
            ("*", "", true),
            ("*", "anything", true),
            ("sal*", "salawsiam", true),
            ("sal*", "sa", false),
            ("*iam", "salawsiam", true),
            ("s*w*m", "salawsiam", true),
            ("s*x*m", "salawsiam", false),
            ("s?l", "sal", true),
            ("s?l", "sl", false),
            ("Sal", "sal", false),
            ("a*b*c", "aXbYbZc", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
