//! The builder's view of a filter: groups and conditions as a form has them, and the way from and to the tree.
//!
//! Each field of the form carries the place of its block: `f.0.1` is the field of the second block in the first group.
//! What a condition cannot show (rows with several columns, types) is a block of text, so that every filter has a form.

use std::collections::BTreeMap;

use sal_query::{
    Expr, FilterError,
    expr::{Compare, Op, Takes},
    parse,
};

/// A block of the builder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    Group(Match, Vec<Block>),
    Condition(Condition),
    /// Part of a filter as text.
    Text(String),
}

/// How many of a group's blocks must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    All,
    Any,
    None,
}

/// A condition on one line; empty fields are not filled in yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) field: String,
    /// Which fact, application, item.
    pub(crate) of: String,
    pub(crate) op: String,
    /// Several values have commas between them.
    pub(crate) value: String,
}

/// Where a block is: its number in the root, in the group there, and so on.
pub(crate) type Path = Vec<usize>;

impl Match {
    pub(crate) const ALL: [(Self, &'static str); 3] = [
        (Self::All, "All of these"),
        (Self::Any, "Any of these"),
        (Self::None, "None of these"),
    ];

    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Any => "any",
            Self::None => "none",
        }
    }

    fn parse(key: &str) -> Self {
        match key {
            "any" => Self::Any,
            "none" => Self::None,
            _ => Self::All,
        }
    }
}

impl Block {
    /// The builder of a filter; the outermost block is a group.
    pub(crate) fn root(expr: &Expr) -> Self {
        match Self::of(expr) {
            group @ Self::Group(..) => group,
            other => Self::Group(Match::All, vec![other]),
        }
    }

    fn of(expr: &Expr) -> Self {
        let each = |parts: &[Expr]| parts.iter().map(Self::of).collect();
        match expr {
            Expr::All { all } => Self::Group(Match::All, each(all)),
            Expr::Any { any } => Self::Group(Match::Any, each(any)),
            Expr::Not { not } => match not.as_ref() {
                Expr::Any { any } => Self::Group(Match::None, each(any)),
                other => Self::Group(Match::None, vec![Self::of(other)]),
            },
            Expr::Compare(compare) if compare.cast.is_none() => Self::condition(compare),
            other => Self::Text(other.to_string()),
        }
    }

    fn condition(compare: &Compare) -> Self {
        let values = compare.values.iter().flatten();
        // A comma in a value would be read as two values.
        if values.clone().any(|value| value.contains(',')) {
            return Self::Text(compare.to_string());
        }
        let values: Vec<&str> = values.map(String::as_str).collect();
        Self::Condition(Condition {
            field: compare.field.clone(),
            of: compare.of.clone().unwrap_or_default(),
            op: compare.op.text().to_owned(),
            value: compare.value.clone().unwrap_or_else(|| values.join(", ")),
        })
    }

    /// The filter; blocks that are not filled in are left out.
    ///
    /// # Errors
    /// When a block of text cannot be read.
    pub(crate) fn expr(&self) -> Result<Option<Expr>, FilterError> {
        match self {
            Self::Group(how, blocks) => {
                let mut parts = Vec::new();
                for block in blocks {
                    parts.extend(block.expr()?);
                }
                if parts.is_empty() {
                    return Ok(None);
                }
                Ok(Some(match how {
                    Match::All => Expr::all(parts),
                    Match::Any => Expr::any(parts),
                    Match::None => Expr::any(parts).negate(),
                }))
            }
            Self::Condition(condition) => Ok(condition.expr()),
            Self::Text(text) if text.trim().is_empty() => Ok(None),
            Self::Text(text) => parse(text).map(|parsed| Some(parsed.expr)),
        }
    }

    /// Reads a form. Blocks keep their order; a group whose field is missing is there all the same.
    pub(crate) fn from_form(fields: &[(String, String)]) -> Self {
        let mut found: BTreeMap<Path, BTreeMap<char, &str>> = BTreeMap::new();
        for (name, value) in fields {
            let mut letters = name.chars();
            let (Some(letter), Some('.') | None) = (letters.next(), letters.next()) else {
                continue;
            };
            let places = name.split('.').skip(1).map(str::parse);
            let Ok(path) = places.collect::<Result<Path, _>>() else {
                continue;
            };
            if "kfwovt".contains(letter) && path.len() <= MOST_DEEP && found.len() < MOST_BLOCKS {
                found.entry(path).or_default().insert(letter, value);
            }
        }
        Self::read(&[], &found)
    }

    fn read(path: &[usize], found: &BTreeMap<Path, BTreeMap<char, &str>>) -> Self {
        let own = found.get(path);
        let field = |letter| {
            let value = own.and_then(|own| own.get(&letter));
            value.map_or_else(String::new, |value| value.replace('\0', ""))
        };
        let has = |letter| own.is_some_and(|own| own.contains_key(&letter));
        if has('t') {
            return Self::Text(field('t'));
        }
        if has('f') {
            return Self::Condition(Condition {
                field: field('f').trim().to_owned(),
                of: field('w').trim().to_owned(),
                op: field('o'),
                value: field('v'),
            });
        }
        // The blocks directly below, those of deeper paths included.
        let mut numbers: Vec<usize> = found
            .keys()
            .filter(|other| other.starts_with(path))
            .filter_map(|other| other.get(path.len()).copied())
            .collect();
        numbers.dedup();
        let blocks = numbers.into_iter().map(|number| {
            let below: Path = path.iter().copied().chain([number]).collect();
            Self::read(&below, found)
        });
        Self::Group(Match::parse(&field('k')), blocks.collect())
    }

    /// Does what a button of the form says: `add.0`, `group.0`, `text.0`, `remove.0.1`.
    pub(crate) fn act(&mut self, button: &str) {
        let mut parts = button.split('.');
        let what = parts.next().unwrap_or_default();
        let Ok(path) = parts.map(str::parse).collect::<Result<Path, _>>() else {
            return;
        };
        let new = match what {
            "add" => Self::Condition(Condition::default()),
            "text" => Self::Text(String::new()),
            "group" => Self::Group(Match::Any, vec![Self::Condition(Condition::default())]),
            "remove" => {
                if let Some((last, above)) = path.split_last()
                    && let Some(blocks) = self.group_at(above)
                    && *last < blocks.len()
                {
                    blocks.remove(*last);
                }
                return;
            }
            _ => return,
        };
        if path.len() < MOST_DEEP
            && let Some(blocks) = self.group_at(&path)
            && blocks.len() < MOST_BLOCKS
        {
            blocks.push(new);
        }
    }

    fn group_at(&mut self, path: &[usize]) -> Option<&mut Vec<Self>> {
        let Self::Group(_, blocks) = self else {
            return None;
        };
        match path.split_first() {
            None => Some(blocks),
            Some((first, rest)) => blocks.get_mut(*first)?.group_at(rest),
        }
    }
}

impl Condition {
    fn expr(&self) -> Option<Expr> {
        let op = Op::ALL
            .iter()
            .copied()
            .find(|op| op.text() == self.op)
            .unwrap_or(Op::Equal);
        let value = self.value.trim();
        if self.field.is_empty() || (op.takes() != Takes::Nothing && value.is_empty()) {
            return None;
        }
        let mut compare = Compare::new(&self.field.to_ascii_lowercase(), op);
        if !self.of.is_empty() {
            compare = compare.of(&self.of);
        }
        Some(Expr::Compare(match op.takes() {
            Takes::Nothing => compare,
            Takes::One | Takes::Age => compare.value(value),
            Takes::Many => {
                let values = value
                    .split(',')
                    .map(str::trim)
                    .filter(|value| !value.is_empty());
                compare.values(values.map(str::to_owned).collect())
            }
        }))
    }
}

/// Groups may lie in each other so deep in the builder; text may go deeper.
const MOST_DEEP: usize = 6;
/// So many blocks a form may have.
const MOST_BLOCKS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn block(filter: &str) -> Block {
        Block::root(&parse(filter).unwrap().expr)
    }

    /// What a browser sends for a block.
    fn form(block: &Block, path: &str, fields: &mut Vec<(String, String)>) {
        let mut push = |letter: &str, value: &str| {
            fields.push((format!("{letter}{path}"), value.to_owned()));
        };
        match block {
            Block::Text(text) => push("t", text),
            Block::Condition(condition) => {
                push("f", &condition.field);
                push("w", &condition.of);
                push("o", &condition.op);
                push("v", &condition.value);
            }
            Block::Group(how, blocks) => {
                push("k", how.key());
                for (number, block) in blocks.iter().enumerate() {
                    form(block, &format!("{path}.{number}"), fields);
                }
            }
        }
    }

    #[test]
    fn a_filter_is_the_same_after_the_form() {
        for filter in [
            "os_version < 15.1 and last_checkin older than 30d",
            "not (group = \"Labs\" or fact \"Puppet/role\" = \"kiosk\")",
            "(a or hostname ~ \"b\") and has application \"Firefox\"",
            "application(name = \"Firefox\" and version < 130) and serial in (\"a\", \"b\")",
            "serial in (\"a,b\", \"c\")",
            "manifest is empty or not deployed = yes",
        ] {
            let built = block(filter);
            let mut fields = Vec::new();
            form(&built, "", &mut fields);
            // The order in which a form's fields come does not matter.
            fields.reverse();
            let read = Block::from_form(&fields);
            assert_eq!(read, built, "{filter}");
            assert_eq!(read.expr().unwrap().unwrap().to_string(), filter);
        }
    }

    #[test]
    fn buttons_add_and_remove() {
        let mut root = block("hostname = a");
        root.act("group");
        root.act("add.1");
        root.act("text.1");
        assert_eq!(
            root.expr().unwrap().unwrap().to_string(),
            "hostname = \"a\""
        );
        let Block::Group(_, blocks) = &root else {
            panic!("{root:?}")
        };
        assert!(matches!(&blocks[1], Block::Group(Match::Any, inner) if inner.len() == 3));
        root.act("remove.1.0");
        root.act("remove.0");
        assert_eq!(root.expr().unwrap(), None);
        for nonsense in [
            "",
            "remove",
            "remove.9",
            "add.x",
            "add.0.0.0.0.0.0.0",
            "delete.0",
        ] {
            let before = root.clone();
            root.act(nonsense);
            assert_eq!(root, before, "{nonsense}");
        }
    }

    #[test]
    fn hostile_forms_are_small_blocks() {
        let deep = format!("f{}", ".0".repeat(50));
        let fields = [
            ("f.99999999999999999999", "a"),
            (deep.as_str(), "a"),
            ("f.0.x", "a"),
            ("ff.0", "a"),
            ("", "a"),
            ("t.0", "a\0b ("),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let root = Block::from_form(&fields);
        assert_eq!(
            root,
            Block::Group(Match::All, vec![Block::Text("ab (".to_owned())])
        );
        assert!(root.expr().is_err());
    }
}
