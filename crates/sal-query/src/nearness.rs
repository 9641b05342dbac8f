//! What was probably meant by a name that is not known.

/// The known name next to this one, when it is near enough to be a slip.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let name = name.to_lowercase();
    let most = match name.chars().count() {
        0..=2 => return None,
        3..=5 => 1,
        6..=40 => 2,
        _ => return None,
    };
    known
        .map(|known| {
            (
                strsim::damerau_levenshtein(&name, &known.to_lowercase()),
                known,
            )
        })
        .filter(|(distance, known)| *distance <= most || begins(known, &name))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

fn begins(known: &str, name: &str) -> bool {
    name.len() >= 4 && known.to_lowercase().starts_with(name)
}
