//! Regular expressions that Postgres and our library read alike.
//!
//! Neither library is asked alone: Postgres would say only at night that it cannot read a pattern, and ours reads more
//! than Postgres does. So a pattern is taken apart here: characters, classes, groups, alternatives, repetitions.

use regex::Regex;

/// Takes a pattern that Postgres will read, and in a moment.
///
/// # Errors
/// Says why the pattern cannot be used.
pub fn checked_pattern(pattern: &str) -> Result<String, String> {
    let odd = |why: &str| {
        let short: String = pattern.chars().take(60).collect();
        format!("`{short}` is no regular expression that can be used here: {why}")
    };
    let body = pattern.strip_prefix("(?i)").unwrap_or(pattern);
    let mut reader = Reader {
        rest: body,
        depth: 0,
    };
    let size = reader.alternatives().map_err(odd)?;
    if !reader.rest.is_empty() {
        return Err(odd("a parenthesis is closed that was never opened"));
    }
    if size > LARGEST {
        return Err(odd("it is too large, or repeats too much"));
    }
    Regex::new(pattern).map_err(|_unreadable| odd("it cannot be read"))?;
    Ok(pattern.to_owned())
}

struct Reader<'p> {
    rest: &'p str,
    depth: usize,
}

/// How many single characters a part stands for, repetitions written out; or why it cannot be used.
type Size = Result<usize, &'static str>;

impl Reader<'_> {
    fn alternatives(&mut self) -> Size {
        let mut size = 0_usize;
        loop {
            size = size.saturating_add(self.sequence()?);
            if !self.eat("|") {
                return Ok(size.max(1));
            }
        }
    }

    fn sequence(&mut self) -> Size {
        let mut size = 0_usize;
        while let Some(next) = self.rest.chars().next() {
            if matches!(next, '|' | ')') {
                break;
            }
            let atom = self.atom(next)?;
            size = size.saturating_add(self.repeated(next, atom)?);
        }
        Ok(size)
    }

    fn atom(&mut self, next: char) -> Size {
        self.skip(next);
        match next {
            '(' => {
                if self.rest.starts_with('?') && !self.eat("?:") {
                    return Err("of groups with `?` only (?:…) and a leading (?i)");
                }
                self.depth += 1;
                if self.depth > DEEPEST {
                    return Err("its groups lie too deep in each other");
                }
                let size = self.alternatives()?;
                self.depth -= 1;
                if !self.eat(")") {
                    return Err("a parenthesis is never closed");
                }
                Ok(size)
            }
            '[' => self.class(),
            '\\' => self.escape().map(|_is_class| 1),
            '*' | '+' | '?' => Err("there is nothing to repeat before `*`, `+` or `?`"),
            '{' | '}' => Err("a brace that repeats nothing is written \\{ or \\}"),
            _ => Ok(1),
        }
    }

    /// What follows an atom: how often it is there.
    fn repeated(&mut self, atom: char, size: usize) -> Size {
        let times = if self.eat("*") || self.eat("+") || self.eat("?") {
            1
        } else if self.rest.starts_with('{') {
            self.times()?
        } else {
            return Ok(size);
        };
        self.eat("?");
        if matches!(atom, '^' | '$') {
            return Err("a border (`^` or `$`) cannot be repeated");
        }
        if self.rest.starts_with(['*', '+', '?', '{']) {
            return Err("a repetition cannot be repeated; put it in a group");
        }
        Ok(size.saturating_mul(times))
    }

    /// `{2}`, `{2,}`, `{2,5}`.
    fn times(&mut self) -> Size {
        const BAD: &str = "a repetition is written {2}, {2,} or {2,5}, and 255 is the most";
        self.eat("{");
        let (range, rest) = self.rest.split_once('}').ok_or(BAD)?;
        let (least, most) = range.split_once(',').unwrap_or((range, range));
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let number: Option<usize> = is_number.then(|| text.parse().ok()).flatten();
            number.filter(|number| *number <= MOST_TIMES).ok_or(BAD)
        };
        let least = number(least)?;
        let most = if most.is_empty() {
            least
        } else {
            number(most)?
        };
        if most < least {
            return Err(BAD);
        }
        self.rest = rest;
        Ok(most.max(1))
    }

    /// What follows a backslash; whether it is a class.
    fn escape(&mut self) -> Result<bool, &'static str> {
        let next = self.rest.chars().next().unwrap_or_default();
        self.skip(next);
        match next {
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => Ok(true),
            'n' | 't' | 'r' => Ok(false),
            '_' | '<' | '>' => Err(PLAIN),
            _ if next.is_ascii_punctuation() => Ok(false),
            _ => Err(PLAIN),
        }
    }

    /// What follows `[`.
    fn class(&mut self) -> Size {
        const BAD: &str = "in brackets stand characters, ranges such as a-z, \\d, \\s and \\w; a `-` stands first or last";
        self.eat("^");
        let mut is_first = true;
        loop {
            let next = self
                .rest
                .chars()
                .next()
                .ok_or("a bracket is never closed")?;
            self.skip(next);
            let is_class = match next {
                ']' if !is_first => return Ok(1),
                '[' => return Err("a bracket inside of brackets is written \\["),
                '-' if !is_first && !self.rest.starts_with(']') => return Err(BAD),
                '\\' => self.escape()?,
                _ => false,
            };
            is_first = false;
            if self.rest.starts_with('-') && !self.rest.starts_with("-]") {
                self.eat("-");
                let end = self.rest.chars().next().unwrap_or_default();
                self.skip(end);
                let ends_well = match end {
                    '\\' => !self.escape()?,
                    '[' | ']' | '-' => false,
                    _ => true,
                };
                if is_class || next == '-' || !ends_well {
                    return Err(BAD);
                }
                continue;
            }
            // Of these our library makes sets.
            if matches!(next, '&' | '~') && self.rest.starts_with(next) {
                return Err(BAD);
            }
        }
    }

    fn eat(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip(&mut self, character: char) {
        self.rest = self.rest.strip_prefix(character).unwrap_or(self.rest);
    }
}

const PLAIN: &str = "use only plain characters, classes, groups, and \\d \\s \\w";
/// What Postgres allows.
const MOST_TIMES: usize = 255;
/// Written out, a pattern is not longer: Postgres would take long to prepare it.
const LARGEST: usize = 1_000;
const DEEPEST: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_read_is_taken() {
        for pattern in [
            "",
            "a",
            "^mac-[0-9]+$",
            "(?i)a|b",
            "(?:a|b)c",
            "\\d+\\.\\d*",
            "[^a-z]",
            "[]a]",
            "[a-]",
            "[-a]",
            "a{1,255}",
            "a{3,}?",
            "[\\w.-]",
            "\\{1\\}",
            "(a*)*",
            "é+",
            "[\\]\\[]",
            "(|a)",
        ] {
            assert_eq!(checked_pattern(pattern).as_deref(), Ok(pattern));
        }
    }

    #[test]
    fn what_one_of_them_does_not_read_is_refused_with_the_reason() {
        for (pattern, reason) in [
            ("a**", "cannot be repeated"),
            ("*a", "nothing to repeat"),
            ("^*", "border"),
            ("a{256}", "255"),
            ("a{2,1}", "255"),
            ("a{", "is written"),
            ("{", "brace"),
            ("(a{200}){200}", "repeats too much"),
            ("a(?i)b", "groups with"),
            ("(?=a)", "groups with"),
            ("(?P<n>a)", "groups with"),
            ("\\1", "plain characters"),
            ("\\Qa\\E", "plain characters"),
            ("\\b", "plain characters"),
            ("\\", "plain characters"),
            ("[[:alpha:]]", "inside of brackets"),
            ("[a&&b]", "in brackets"),
            ("[a--b]", "in brackets"),
            ("[a-\\d]", "in brackets"),
            ("[\\d-z]", "in brackets"),
            ("[z-a]", "cannot be read"),
            ("[a", "bracket is never closed"),
            ("(a", "parenthesis is never closed"),
            ("a)", "never opened"),
        ] {
            let refused = checked_pattern(pattern).expect_err(pattern);
            assert!(refused.contains(reason), "{pattern}: {refused}");
        }
        assert!(checked_pattern(&"x".repeat(1_001)).is_err());
        assert!(checked_pattern(&"(".repeat(100)).is_err());
    }
}
