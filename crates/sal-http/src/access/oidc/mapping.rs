//! What groups of the provider mean here: levels, staff, business units. Pure.
//!
//! Mappings are written `group=GA,other group=RO`. A comma, an equals sign or a backslash of a name has a backslash
//! before it. `*` stands for everybody.

use crate::access::Level;

/// Which groups give which level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Levels(Vec<(String, Level)>);

/// Which groups belong to which business units, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Units(Vec<(String, String)>);

/// A list of groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups(Vec<String>);

impl Levels {
    /// Reads `group=GA,other=RW`.
    ///
    /// # Errors
    /// A sentence for each part that is wrong.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let level = |(group, code): (String, String)| {
            LEVELS
                .into_iter()
                .find(|level| level.code() == code)
                .map(|level| (group, level))
                .ok_or_else(|| format!("`{code}` is no level; write GA, RW, RO or SO"))
        };
        pairs(text, "group=GA", level).map(Self)
    }

    /// Whether it matters which groups there are.
    pub(super) fn names_groups(&self) -> bool {
        self.0.iter().any(|(group, _)| group != EVERYBODY)
    }

    /// The highest level that the groups give.
    pub(super) fn of(&self, groups: &[String]) -> Option<Level> {
        let mine = self.0.iter().filter(|(group, _)| fits(group, groups));
        mine.map(|(_, level)| *level).max()
    }
}

impl Units {
    /// Reads `group=Name of a unit,group=Name of another`.
    ///
    /// # Errors
    /// A sentence for each part that is wrong.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        pairs(text, "group=Name of the unit", Ok).map(Self)
    }

    /// Whether it matters which groups there are.
    pub(super) fn names_groups(&self) -> bool {
        self.0.iter().any(|(group, _)| group != EVERYBODY)
    }

    /// The names of the units that the groups belong to, each once.
    pub(super) fn of(&self, groups: &[String]) -> Vec<String> {
        let mine = self.0.iter().filter(|(group, _)| fits(group, groups));
        let mut names: Vec<_> = mine.map(|(_, unit)| unit.clone()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl Groups {
    /// Reads `group,other group`.
    ///
    /// # Errors
    /// A sentence for each part that is wrong.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let group = |part: &Part| match &part.value {
            None => Ok(part.name.clone()),
            Some(_) => Err(format!(
                "`{}` holds `=`; write `\\=` where it belongs to the name",
                part.text
            )),
        };
        all(parts(text).iter().map(group)).map(Self)
    }

    /// Whether it matters which groups there are.
    pub(super) fn names_groups(&self) -> bool {
        self.0.iter().any(|group| group != EVERYBODY)
    }

    pub(super) fn has_any(&self, groups: &[String]) -> bool {
        self.0.iter().any(|group| fits(group, groups))
    }
}

fn fits(group: &str, groups: &[String]) -> bool {
    group == EVERYBODY || groups.iter().any(|mine| mine == group)
}

fn pairs<T>(
    text: &str,
    form: &str,
    read: impl Fn((String, String)) -> Result<T, String>,
) -> Result<Vec<T>, Vec<String>> {
    let pair = |part: &Part| match &part.value {
        Some(value) if !part.name.is_empty() && !value.is_empty() => {
            read((part.name.clone(), value.clone()))
                .map_err(|why| format!("`{}`: {why}", part.text))
        }
        _ => Err(format!("`{}` is not of the form `{form}`", part.text)),
    };
    all(parts(text).iter().map(pair))
}

/// All values, or all mistakes.
fn all<T>(results: impl Iterator<Item = Result<T, String>>) -> Result<Vec<T>, Vec<String>> {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => good.push(value),
            Err(mistake) => bad.push(mistake),
        }
    }
    if bad.is_empty() { Ok(good) } else { Err(bad) }
}

/// What stands between two commas.
#[derive(Default)]
struct Part {
    /// As it was written.
    text: String,
    name: String,
    /// What stands after the first equals sign.
    value: Option<String>,
}

impl Part {
    fn push(&mut self, character: char) {
        self.value
            .as_mut()
            .unwrap_or(&mut self.name)
            .push(character);
    }

    fn trimmed(self) -> Self {
        Self {
            text: self.text.trim().to_owned(),
            name: self.name.trim().to_owned(),
            value: self.value.map(|value| value.trim().to_owned()),
        }
    }
}

/// Splits at commas; parts without any text are left out.
fn parts(text: &str) -> Vec<Part> {
    let mut done = Vec::new();
    let mut part = Part::default();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == ',' {
            done.push(std::mem::take(&mut part));
            continue;
        }
        part.text.push(character);
        match character {
            '\\' => {
                let escaped = characters.next().unwrap_or('\\');
                part.text.push(escaped);
                part.push(escaped);
            }
            '=' if part.value.is_none() => part.value = Some(String::new()),
            other => part.push(other),
        }
    }
    done.push(part);
    done.into_iter()
        .map(Part::trimmed)
        .filter(|part| !part.text.is_empty())
        .collect()
}

const EVERYBODY: &str = "*";
const LEVELS: [Level; 4] = [
    Level::StatsOnly,
    Level::ReadOnly,
    Level::ReadWrite,
    Level::GlobalAdmin,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn the_highest_level_wins_and_a_star_is_everybody() {
        let levels = Levels::parse("helpdesk=RW, sal admins = GA ,guests=SO").unwrap();
        let of = |names: &[&str]| levels.of(&groups(names));
        assert_eq!(of(&["guests", "sal admins", "x"]), Some(Level::GlobalAdmin));
        assert_eq!(of(&["guests", "helpdesk"]), Some(Level::ReadWrite));
        assert_eq!(of(&["Helpdesk"]), None);
        assert_eq!(of(&[]), None);
        let open = Levels::parse("*=RO,admins=GA").unwrap();
        assert_eq!(open.of(&[]), Some(Level::ReadOnly));
        assert_eq!(open.of(&groups(&["admins"])), Some(Level::GlobalAdmin));
    }

    #[test]
    fn a_literal_star_from_the_provider_is_no_wildcard() {
        let levels = Levels::parse("admins=GA").unwrap();
        assert_eq!(levels.of(&groups(&["*"])), None);
    }

    #[test]
    fn every_wrong_part_is_named() {
        let wrong = Levels::parse("a=GA,b=XX,c,=RO,d=,,e=ga").unwrap_err();
        assert_eq!(wrong.len(), 5, "{wrong:?}");
        for (sentence, part) in wrong
            .iter()
            .zip(["`b=XX`", "`c`", "`=RO`", "`d=`", "`e=ga`"])
        {
            assert!(sentence.contains(part), "{sentence}");
        }
        assert!(
            Units::parse("a")
                .unwrap_err()
                .first()
                .unwrap()
                .contains("`a`")
        );
        assert!(
            Groups::parse("a,b=c")
                .unwrap_err()
                .first()
                .unwrap()
                .contains("`b=c`")
        );
    }

    #[test]
    fn units_repeat_for_several_and_their_names_may_hold_an_equals_sign() {
        let units = Units::parse("lab=Science,lab=Arts,art=Arts,x=a=b").unwrap();
        assert_eq!(units.of(&groups(&["lab", "art"])), ["Arts", "Science"]);
        assert_eq!(units.of(&groups(&["x"])), ["a=b"]);
        assert!(units.of(&groups(&["nobody"])).is_empty());
    }

    #[test]
    fn names_of_a_directory_are_written_with_backslashes() {
        let levels = Levels::parse(r"CN\=Sal\, Admins\,DC\=org=GA,back\\slash=RO").unwrap();
        assert_eq!(
            levels.of(&groups(&["CN=Sal, Admins,DC=org"])),
            Some(Level::GlobalAdmin)
        );
        assert_eq!(levels.of(&groups(&[r"back\slash"])), Some(Level::ReadOnly));
    }

    #[test]
    fn a_mapping_of_nothing_but_everybody_names_no_group() {
        let levels = |text| Levels::parse(text).unwrap().names_groups();
        assert!(!levels("*=RO") && !levels("*=RO,*=SO") && levels("*=RO,admins=GA"));
        assert!(!Units::parse("*=Science").unwrap().names_groups());
        assert!(
            Groups::parse("*,a").unwrap().names_groups()
                && !Groups::parse("*").unwrap().names_groups()
        );
    }

    #[test]
    fn staff_are_the_members_of_any_group() {
        let staff = Groups::parse(" a , b ").unwrap();
        assert!(staff.has_any(&groups(&["b"])));
        assert!(!staff.has_any(&groups(&["c"])));
    }
}
