//! A report of checks for a person on call: what is wrong first, nothing twice, and of what is right the number.

use std::cmp::Reverse;

use crate::{
    check::{Check, Status},
    visible::visible,
};

/// How much of a report is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What is not as it should be, and how much is.
    Faults,
    /// Every line.
    All,
}

/// The report: problems, what to look at, what is not known, what is right; with what to do under each.
#[must_use]
pub fn checks_text(checks: &[Check], detail: Detail) -> String {
    let shown = worth_showing(checks);
    let mut text = String::new();
    for group in &shown {
        let is_ok = group
            .first()
            .is_some_and(|check| check.status == Status::Ok);
        if !is_ok || detail == Detail::All {
            text.push_str(&lines(group, checks));
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let all = || shown.iter().flatten();
    let count = |status| all().filter(|check| check.status == status).count();
    text.push_str(&format!(
        "{} ok, {} attention, {} problem{}, {} unknown",
        count(Status::Ok),
        count(Status::Attention),
        count(Status::Problem),
        if count(Status::Problem) == 1 { "" } else { "s" },
        count(Status::Unknown)
    ));
    if detail == Detail::Faults && count(Status::Ok) > 0 {
        text.push_str("; --all shows every line");
    }
    text
}

/// The worst first; unknown lines with the same reason are one, and what a line before has said is left out.
fn worth_showing(checks: &[Check]) -> Vec<Vec<&Check>> {
    let mut sorted: Vec<&Check> = checks.iter().collect();
    sorted.sort_by_key(|check| Reverse(check.status));
    let mut groups: Vec<Vec<&Check>> = Vec::new();
    for check in sorted {
        // The line on what may not be looked at speaks for all of these.
        if check.permission.is_some() {
            continue;
        }
        let said = |before: &&Check| before.evidence.contains(&check.evidence);
        let bad = matches!(check.status, Status::Problem | Status::Attention);
        if bad && !check.evidence.is_empty() && groups.iter().flatten().any(said) {
            continue;
        }
        let same = |group: &&mut Vec<&Check>| {
            let first = group.first();
            first.is_some_and(|first| {
                first.status == Status::Unknown
                    && check.status == Status::Unknown
                    && (first.evidence == check.evidence
                        || (follows(first, checks) && follows(check, checks)))
            })
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(check),
            None => groups.push(vec![check]),
        }
    }
    groups
}

/// Whether a line is not known for a reason that a problem of the same report is about.
fn follows(check: &Check, all: &[Check]) -> bool {
    let mut problems = all.iter().filter(|one| one.status == Status::Problem);
    !check.evidence.is_empty()
        && problems.any(|problem| {
            let (why, here) = (&problem.evidence, &check.evidence);
            !why.is_empty() && (here.contains(why.as_str()) || why.contains(here.as_str()))
        })
}

fn lines(group: &[&Check], all: &[Check]) -> String {
    let Some(first) = group.first() else {
        return String::new();
    };
    let titles: Vec<_> = group.iter().map(|check| visible(&check.title)).collect();
    let mut text = format!("{:<9}  {}\n", word(first.status), titles.join("; "));
    let mut under = |label: &str, what: &str| {
        if !what.is_empty() {
            text.push_str(&format!("           {label}{}\n", visible(what)));
        }
    };
    if first.status == Status::Unknown && follows(first, all) {
        under("", "not asked, or not answered, for a reason above");
        return text;
    }
    under("", &first.evidence);
    let next = group.iter().find(|check| !check.next.is_empty());
    under("Next: ", next.map_or("", |check| check.next.as_str()));
    text
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Unknown => "unknown",
        Status::Attention => "attention",
        Status::Problem => "PROBLEM",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Vec<Check> {
        vec![
            Check::ok("a", "The clock", "3 s ahead"),
            Check::unknown("b", "Roles", "nobody could log in to look", ""),
            Check::attention("c", "Log", "2 lines", "look at it"),
            Check::problem(
                "d",
                "Login FAILED",
                "CAUSE: the policy x: wrong id",
                "fix it",
            ),
            Check::unknown("e", "Version", "nobody could log in to look", "log in"),
            Check::problem("f", "The policy", "x: wrong id", "fix it, too"),
            Check::unknown("g", "The flag", "not permitted", "").denied("rds:Describe"),
        ]
    }

    #[test]
    fn the_worst_is_first_nothing_is_said_twice_and_what_is_right_is_a_number() {
        let text = checks_text(&report(), Detail::Faults);
        let order = [
            "PROBLEM    Login FAILED",
            "attention  Log",
            "unknown    Roles; Version",
        ];
        let places: Vec<usize> = order.iter().map(|part| text.find(part).unwrap()).collect();
        assert!(places.is_sorted(), "{text}");
        assert_eq!(text.matches("nobody could log in").count(), 1, "{text}");
        assert_eq!(text.matches("wrong id").count(), 1, "{text}");
        assert!(text.contains("Next: log in"), "{text}");
        assert!(
            !text.contains("The clock") && !text.contains("The flag"),
            "{text}"
        );
        assert!(text.ends_with("1 ok, 1 attention, 1 problem, 2 unknown; --all shows every line"));
    }

    #[test]
    fn what_was_not_asked_because_of_a_problem_is_one_line_without_its_words() {
        let why = "no AWS credentials were found";
        let report = [
            Check::unknown(
                "a",
                "Login",
                format!("it was not tried: {why}"),
                "see below",
            ),
            Check::problem("b", "Credentials", why, "give it a role"),
            Check::unknown("c", "The flag", why, ""),
            Check::unknown("d", "The log", why, ""),
        ];
        let text = checks_text(&report, Detail::Faults);
        assert_eq!(text.matches(why).count(), 1, "{text}");
        assert!(
            text.contains("unknown    Login; The flag; The log\n"),
            "{text}"
        );
    }

    #[test]
    fn all_lines_are_shown_on_request_and_an_empty_report_is_a_number() {
        let text = checks_text(&report(), Detail::All);
        assert!(text.contains("ok         The clock"), "{text}");
        assert_eq!(
            checks_text(&[Check::ok("a", "x", "y")], Detail::Faults),
            "1 ok, 0 attention, 0 problems, 0 unknown; --all shows every line"
        );
    }
}
