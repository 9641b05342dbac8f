//! Which name was meant: slips of a finger, another beginning (`SAL_TZ` for `DOCKER_SAL_TZ`), words left out or added.

use strsim::osa_distance;

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
        is_near && osa_distance(&plain, &of_known) <= allowed
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
    let apart = osa_distance(&own, &of_known);
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
