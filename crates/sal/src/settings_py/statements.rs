//! The statements of a settings file that set something, and those of which nobody knows what they do.

use super::lexer::{Line, Token};
use super::literal::{self, Value};

/// A statement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Statement {
    /// `NAME = …`, `NAME["key"] = …`, `NAME += …`.
    Assigned(Assigned),
    /// `from MODULE import *`.
    Everything { module: String, line: usize },
    /// Something that is done, such as a call; with the name it begins with.
    Done { what: String, line: usize },
}

/// An assignment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Assigned {
    pub(super) name: String,
    /// Keys behind the name.
    pub(super) path: Vec<String>,
    pub(super) value: Value,
    pub(super) line: usize,
    /// `+=`.
    pub(super) is_addition: bool,
    /// Whether it happens only sometimes: in a block.
    pub(super) is_conditional: bool,
}

/// All statements at the level of the module, those within `if` and the like marked.
pub(super) fn statements(lines: &[Line]) -> Vec<Statement> {
    let mut found = Vec::new();
    // The indent of a function or class, whose lines set nothing here.
    let mut inside_of = None;
    for line in lines {
        if inside_of.is_some_and(|indent| line.indent > indent) {
            continue;
        }
        inside_of = None;
        let word = line
            .tokens
            .first()
            .and_then(Token::name)
            .unwrap_or_default();
        let is_block = BLOCKS.contains(&word) && ends_a_header(&line.tokens).is_some();
        if DEFINITIONS.contains(&word) || line.tokens.first().is_some_and(|t| t.is_sign("@")) {
            inside_of = Some(line.indent);
            continue;
        }
        let rest = match ends_a_header(&line.tokens) {
            Some(colon) if is_block => line.tokens.get(colon + 1..).unwrap_or_default(),
            _ => &line.tokens,
        };
        let is_conditional = is_block || line.indent > 0;
        let simple = rest.split(|token| token.is_sign(";"));
        for statement in simple.filter(|statement| !statement.is_empty()) {
            read(statement, is_conditional, &mut found);
        }
    }
    found
}

const BLOCKS: &[&str] = &[
    "if", "elif", "else", "for", "while", "try", "except", "finally", "with", "match", "case",
    "async",
];
const DEFINITIONS: &[&str] = &["def", "class"];
/// What does nothing to a setting.
const IDLE: &[&str] = &[
    "pass", "import", "global", "nonlocal", "assert", "raise", "return", "break", "continue",
];

/// Where the colon of a header is.
fn ends_a_header(tokens: &[Token]) -> Option<usize> {
    let (mut open, mut lambdas) = (0_usize, 0_usize);
    for (place, token) in tokens.iter().enumerate() {
        open += usize::from(is_opening(token));
        open = open.saturating_sub(usize::from(is_closing(token)));
        lambdas += usize::from(open == 0 && token.name() == Some("lambda"));
        if open == 0 && token.is_sign(":") {
            if lambdas == 0 {
                return Some(place);
            }
            lambdas -= 1;
        }
    }
    None
}

fn is_opening(token: &Token) -> bool {
    ["(", "[", "{"].iter().any(|sign| token.is_sign(sign))
}

fn is_closing(token: &Token) -> bool {
    [")", "]", "}"].iter().any(|sign| token.is_sign(sign))
}

fn read(tokens: &[Token], is_conditional: bool, found: &mut Vec<Statement>) {
    let (word, line) = tokens.first().map_or(("", 0), |token| {
        (token.name().unwrap_or_default(), token.line)
    });
    if word == "from" {
        found.extend(everything(tokens, line));
        return;
    }
    if IDLE.contains(&word) {
        return;
    }
    if word == "del" {
        let settings = tokens.iter().skip(1).filter_map(Token::name);
        found.extend(settings.filter(|name| is_setting(name)).map(|name| {
            let what = format!("del {name}");
            Statement::Done { what, line }
        }));
        return;
    }
    let parts = parts(tokens);
    let Some((value, targets)) = parts
        .split_last()
        .filter(|(_, targets)| !targets.is_empty())
    else {
        found.extend(done(tokens, line, is_conditional));
        return;
    };
    let is_addition = targets.iter().any(|(_, sign)| *sign == Some("+="));
    let is_other = targets
        .iter()
        .any(|(_, sign)| !matches!(sign, Some("=" | "+=")));
    let value = match is_other {
        true => Value::Dynamic {
            line,
            of_environment: false,
        },
        false => literal::value(value.0, line),
    };
    for (target, _sign) in targets {
        for (name, path) in names(target) {
            let is_whole = path.is_some() && target_is_one(target);
            let value = match is_whole {
                true => value.clone(),
                false => Value::Dynamic {
                    line,
                    of_environment: false,
                },
            };
            found.push(Statement::Assigned(Assigned {
                name,
                path: path.unwrap_or_default(),
                value,
                line,
                is_addition,
                is_conditional,
            }));
        }
    }
}

/// The parts between the signs of assignment, each with the sign behind it.
fn parts(tokens: &[Token]) -> Vec<(&[Token], Option<&'static str>)> {
    let mut parts = Vec::new();
    let (mut begin, mut open) = (0, 0_usize);
    for (place, token) in tokens.iter().enumerate() {
        open += usize::from(is_opening(token));
        open = open.saturating_sub(usize::from(is_closing(token)));
        let sign = ASSIGNING.iter().find(|sign| token.is_sign(sign));
        if let (0, Some(sign)) = (open, sign) {
            parts.push((tokens.get(begin..place).unwrap_or_default(), Some(*sign)));
            begin = place + 1;
        }
    }
    parts.push((tokens.get(begin..).unwrap_or_default(), None));
    parts
}

const ASSIGNING: &[&str] = &[
    "=", "+=", "-=", "*=", "/=", "//=", "%=", "**=", "|=", "&=", "^=", "@=", ">>=", "<<=",
];

/// Whether a target is not several with commas.
fn target_is_one(target: &[Token]) -> bool {
    let typed = ends_a_header(target).unwrap_or(target.len());
    let target = target.get(..typed).unwrap_or_default();
    !target.iter().any(|token| token.is_sign(","))
}

/// The names that a target sets, with the keys behind each; no keys where they cannot be known.
fn names(target: &[Token]) -> Vec<(String, Option<Vec<String>>)> {
    let typed = ends_a_header(target).unwrap_or(target.len());
    let target = target.get(..typed).unwrap_or_default();
    let of_one = |part: &[Token]| {
        let part: Vec<_> = part
            .iter()
            .skip_while(|token| is_opening(token) || token.is_sign("*"))
            .collect();
        let (first, rest) = part.split_first()?;
        Some((first.name()?.to_owned(), path(rest)))
    };
    match target_is_one(target) {
        true => of_one(target).into_iter().collect(),
        false => target
            .split(|token| token.is_sign(","))
            .filter_map(of_one)
            .collect(),
    }
}

/// Keys in brackets, which are all strings.
fn path(tokens: &[&Token]) -> Option<Vec<String>> {
    let text = |token: &Token| match &token.kind {
        super::lexer::Kind::Text(text) => text.clone(),
        _ => None,
    };
    tokens
        .chunks(3)
        .map(|chunk| match chunk {
            [open, key, close] if open.is_sign("[") && close.is_sign("]") => text(key),
            _ => None,
        })
        .collect()
}

/// `from MODULE import *`, or of a setting by its name, of another module than Sal's own.
fn everything(tokens: &[Token], line: usize) -> Option<Statement> {
    let is_star = tokens.last().is_some_and(|token| token.is_sign("*"));
    let parts = tokens.iter().skip(1);
    let module: String = parts
        .take_while(|token| token.name() != Some("import"))
        .filter_map(|token| match &token.kind {
            super::lexer::Kind::Name(name) | super::lexer::Kind::Sign(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    let is_sals = SALS_MODULES.contains(&module.as_str());
    // A name that is a setting may hold anything there, just as all of them may.
    let names_a_setting = tokens
        .iter()
        .skip_while(|token| token.name() != Some("import"))
        .any(|token| token.name().is_some_and(is_setting));
    ((is_star || names_a_setting) && !is_sals).then_some(Statement::Everything { module, line })
}

const SALS_MODULES: &[&str] = &[
    "sal.system_settings",
    "sal.settings_import",
    "system_settings",
    "settings_import",
    ".system_settings",
    ".settings_import",
];

/// Something that is done; nothing for a text that stands there by itself, nor for what changes no setting.
fn done(tokens: &[Token], line: usize, is_conditional: bool) -> Option<Statement> {
    let mut what = String::new();
    for token in tokens {
        match &token.kind {
            super::lexer::Kind::Name(name) if what.is_empty() || what.ends_with('.') => {
                what.push_str(name);
            }
            super::lexer::Kind::Sign(sign) if sign == "." => what.push('.'),
            _ => break,
        }
    }
    let first = what.split('.').next().unwrap_or_default();
    let may_set_anything = is_setting(first) || SETTERS.contains(&first);
    let is_harmless = what.is_empty() || HARMLESS.contains(&first);
    let counts = may_set_anything || !(is_conditional || is_harmless);
    counts.then_some(Statement::Done { what, line })
}

/// Django takes names in capitals for settings, and no others.
pub(super) fn is_setting(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase()) && !name.contains(|c: char| c.is_lowercase())
}

/// What can set any name.
const SETTERS: &[&str] = &[
    "exec", "execfile", "eval", "globals", "locals", "vars", "setattr",
];
const HARMLESS: &[&str] = &["update_sal_logging_config", "print", "logging", "warnings"];
