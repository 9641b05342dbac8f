//! Which name was meant: slips of a finger, another beginning (`SAL_TZ` for `DOCKER_SAL_TZ`), words left out or added.

/// The name that a name with one of our beginnings was meant to be, if one is near.
pub(super) fn meant(
    name: &str,
    known: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    let scored = known
        .into_iter()
        .filter_map(|known| score(name, known).map(|score| (score, known)));
    scored.min().map(|(_score, known)| known)
}

/// The name that any other name is a slip of. Most variables of a machine are none, so that little may differ.
pub(super) fn slip_of(
    name: &str,
    known: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    let plain = plain(name);
    known.into_iter().find(|known| {
        let of_known = self::plain(known);
        let allowed = match known.len() {
            14.. => 2,
            10.. => 1,
            _ if *known == "AWS_IAM" => 1,
            _ => 0,
        };
        let is_near = plain.len().abs_diff(of_known.len()) <= allowed;
        is_near && distance(&plain, &of_known) <= allowed
    })
}

/// How far a known name is: the kind of difference, then its size. Lower is nearer.
fn score(name: &str, known: &str) -> Option<(u8, usize)> {
    let (own, of_known) = (plain(name), plain(known));
    if own == of_known {
        return Some((0, 0));
    }
    let tails = tails(name);
    let known_tails = self::tails(known);
    let shared = tails.iter().find(|tail| known_tails.contains(tail));
    if let Some(shared) = shared.filter(|tail| tail.len() > 1) {
        return Some((1, own.len().saturating_sub(shared.len())));
    }
    let apart = distance(&own, &of_known);
    let shortest = |tails: &[String]| tails.last().map_or(0, String::len);
    let allowed = (shortest(&tails).min(shortest(&known_tails)) / 4).max(1);
    if apart <= allowed {
        return Some((2, apart));
    }
    let (words, known_words) = (words(name), words(known));
    let holds_all = |few: &[String], many: &[String]| few.iter().all(|word| many.contains(word));
    if holds_all(&words, &known_words) || holds_all(&known_words, &words) {
        return Some((3, words.len().abs_diff(known_words.len())));
    }
    own.starts_with(&of_known)
        .then(|| (4, own.len().saturating_sub(of_known.len())))
}

/// A name without what is often mistaken: case and what stands between words.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_uppercase()).take(200).collect()
}

/// A name, and what stays of it without one beginning after the other.
fn tails(name: &str) -> Vec<String> {
    let mut rest = name.to_ascii_uppercase().replace(['-', '.'], "_");
    let mut tails = vec![plain(&rest)];
    while let Some(tail) = BEGINNINGS
        .iter()
        .find_map(|beginning| rest.strip_prefix(beginning))
    {
        rest = tail.to_owned();
        tails.push(plain(&rest));
    }
    tails
}

const BEGINNINGS: &[&str] = &["DOCKER_", "SAL_", "DB_", "AWS_"];

/// The words of a name behind its beginnings.
fn words(name: &str) -> Vec<String> {
    let name = name.to_ascii_uppercase();
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .filter(|word| !["", "DOCKER", "SAL"].contains(word))
        .map(str::to_owned)
        .collect()
}

/// How many letters have to be added, removed, replaced, or swapped with their neighbour.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<_>, Vec<_>) = (one.bytes().collect(), other.bytes().collect());
    // Rows of the table: the last but one, and the last.
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, wanted) in other.iter().enumerate() {
            let at =
                |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&last, j) + usize::from(letter != wanted);
            let mut least = replaced.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let is_swap = i > 0
                && j > 0
                && one.get(i - 1) == Some(wanted)
                && other.get(j - 1) == Some(letter);
            if is_swap {
                least = least.min(at(&before_last, j - 1) + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_are_swapped_are_one_difference() {
        for (one, other, apart) in [
            ("", "", 0),
            ("abc", "", 3),
            ("", "ab", 2),
            ("AWSIMA", "AWSIAM", 1),
            ("kitten", "sitting", 3),
            ("DOKCER", "DOCKER", 1),
        ] {
            assert_eq!(distance(one, other), apart, "{one} {other}");
        }
    }
}
