//! Reads the tokens before the cursor and remembers what they make possible. Unlike the parser it refuses nothing: where
//! it does not understand, it waits for the next `and`.

use crate::{
    catalogue::{self, Column, Of, RowKind, Subject},
    expr::{CastName, Op, Takes},
    parse::{Token, TokenKind, is_number, is_unit},
};

/// Where the reading stands.
#[derive(Default)]
pub(super) struct Walk {
    pub(super) state: State,
    /// What the condition at hand is about.
    pub(super) asked: Asked,
    /// The parentheses that are open.
    pub(super) open: Vec<Open>,
}

/// What came last.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum State {
    /// Nothing, `and`, `or`, `not`, `(`.
    #[default]
    Condition,
    /// `any`, `every`, `no`.
    Quantified,
    /// A kind of rows after these.
    Counted,
    /// `has`.
    Has,
    /// A kind of rows after it.
    HasRows,
    /// A name.
    Subject,
    /// A name, and which one of it or how it is read.
    Named,
    /// `as`.
    As,
    /// The first words of an operator, which begin at this byte.
    Operator(Words, usize),
    /// An operator.
    Value(Op),
    /// `in`, before its list.
    ListOpens(Op),
    /// `(` or `,` in a list.
    Item(Op),
    /// An item of a list.
    AfterItem(Op),
    /// A condition that is complete; whether a unit may follow.
    Done {
        /// Whether its value is a number.
        is_number: bool,
    },
    /// Something that makes no sense.
    Lost,
}

/// Words that do not make an operator yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Words {
    Not,
    Older,
    Starts,
    Is,
    IsNot,
}

impl Words {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Not => "not",
            Self::Older => "older",
            Self::Starts => "starts",
            Self::Is => "is",
            Self::IsNot => "is not",
        }
    }
}

/// What a condition is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Asked {
    pub(super) about: About,
    /// Which one of many.
    pub(super) of: Option<String>,
    pub(super) cast: Option<CastName>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum About {
    Subject(Subject),
    /// A column of the rows whose parenthesis is open.
    Column(&'static RowKind, &'static Column),
    /// No name that is known: a word of the quick search, perhaps.
    #[default]
    Unknown,
}

/// A parenthesis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Open {
    /// Of these rows, or of no rows.
    pub(super) rows: Option<&'static RowKind>,
    /// Which rows, where an equation inside has said it.
    pub(super) of: Option<String>,
}

impl Asked {
    /// The row kind whose name may be followed by the name of one.
    pub(super) fn takes_name(&self) -> bool {
        match self.about {
            About::Subject(Subject::Rows(kind)) => kind.of != Of::Nothing,
            About::Subject(Subject::Widget) => true,
            _ => false,
        }
    }
}

/// What the words after a name are.
#[derive(Clone, Copy)]
enum Spelled {
    /// An operator.
    Whole(Op),
    /// The beginning of one.
    Begun(Words),
}

const DONE: State = State::Done { is_number: false };

impl Walk {
    /// The rows whose columns can be asked here.
    pub(super) fn rows(&self) -> Option<&'static RowKind> {
        self.open.iter().rev().find_map(|open| open.rows)
    }

    /// Reads a token.
    pub(super) fn step(&mut self, token: &Token) {
        self.state = match (self.state, &token.kind) {
            (State::Value(_) | State::ListOpens(_) | State::Item(_) | State::AfterItem(_), _) => {
                self.value(token)
            }
            (State::Done { is_number: true }, TokenKind::Word(unit)) if is_unit(unit) => DONE,
            (State::Operator(words, begin), TokenKind::Word(word)) => {
                self.operator(&format!("{} {word}", words.text()), begin, token)
            }
            (State::As, TokenKind::Word(word)) => {
                let cast = |cast: &&CastName| cast.text().eq_ignore_ascii_case(word);
                self.asked.cast = CastName::ALL.iter().find(cast).copied();
                match self.asked.cast {
                    Some(_) => State::Named,
                    None => State::Lost,
                }
            }
            (State::Subject, _) => self.after_subject(token),
            (State::Named, _) => self.after_name(token),
            (State::Quantified | State::Counted | State::Has | State::HasRows, _) => {
                self.counted(token)
            }
            _ => self.begin(token),
        };
    }

    /// After an operator, and in its list.
    fn value(&mut self, token: &Token) -> State {
        match (self.state, &token.kind) {
            (State::Value(op), TokenKind::Word(text) | TokenKind::Text(text)) => {
                self.remember(op, text);
                State::Done {
                    is_number: is_number(text),
                }
            }
            (State::Item(op), TokenKind::Word(_) | TokenKind::Text(_)) => State::AfterItem(op),
            (State::ListOpens(op), TokenKind::Sign("(")) => State::Item(op),
            (State::AfterItem(op), TokenKind::Sign(",")) => State::Item(op),
            (State::AfterItem(op), TokenKind::Word(unit)) if is_unit(unit) => State::AfterItem(op),
            (State::AfterItem(_), TokenKind::Sign(")")) => DONE,
            _ => State::Lost,
        }
    }

    /// After `any`, `every`, `no` and `has`.
    fn counted(&mut self, token: &Token) -> State {
        match (self.state, &token.kind) {
            (State::Quantified, TokenKind::Word(word)) => match catalogue::row_kind(word) {
                Some(kind) => {
                    self.ask(About::Subject(Subject::Rows(kind)));
                    State::Counted
                }
                None => self.begin(token),
            },
            (State::Counted, TokenKind::Sign("(")) => self.open_rows(),
            (State::Has, TokenKind::Word(word)) => match catalogue::find(word) {
                Some(subject) => {
                    self.ask(About::Subject(subject));
                    if self.asked.takes_name() {
                        State::HasRows
                    } else {
                        DONE
                    }
                }
                None => self.begin(token),
            },
            (State::HasRows, TokenKind::Text(_)) => DONE,
            (State::HasRows, TokenKind::Word(word)) if !is_joint(word) => DONE,
            _ => self.begin(token),
        }
    }

    fn after_subject(&mut self, token: &Token) -> State {
        match &token.kind {
            TokenKind::Sign("(")
                if matches!(self.asked.about, About::Subject(Subject::Rows(_))) =>
            {
                self.open_rows()
            }
            TokenKind::Text(text) if self.asked.takes_name() => {
                self.asked.of = Some(text.clone());
                State::Named
            }
            TokenKind::Word(word)
                if self.asked.takes_name() && spelled(word).is_none() && !is_joint(word) =>
            {
                self.asked.of = Some(word.clone());
                State::Named
            }
            _ => self.after_name(token),
        }
    }

    fn after_name(&mut self, token: &Token) -> State {
        match &token.kind {
            TokenKind::Sign(sign) => match Op::ALL.iter().find(|op| op.text() == *sign) {
                Some(op) => State::Value(*op),
                None => self.begin(token),
            },
            TokenKind::Word(word) if word.eq_ignore_ascii_case("as") => State::As,
            TokenKind::Word(word) => self.operator(word, token.at.start, token),
            TokenKind::Text(_) => self.begin(token),
        }
    }

    /// Words after a name that are an operator, begin one, or neither.
    fn operator(&mut self, words: &str, begin: usize, token: &Token) -> State {
        match spelled(words) {
            Some(Spelled::Whole(op)) => match op.takes() {
                Takes::Nothing => DONE,
                Takes::One | Takes::Age => State::Value(op),
                Takes::Many => State::ListOpens(op),
            },
            Some(Spelled::Begun(words)) => State::Operator(words, begin),
            None => self.begin(token),
        }
    }

    /// A token where a condition or what joins two of them may stand.
    fn begin(&mut self, token: &Token) -> State {
        let is_complete = matches!(self.state, State::Done { .. } | State::HasRows);
        match &token.kind {
            TokenKind::Sign("(") => {
                self.open.push(Open {
                    rows: None,
                    of: None,
                });
                State::Condition
            }
            TokenKind::Sign(")") => {
                self.open.pop();
                DONE
            }
            TokenKind::Sign("and" | "or" | "not") => State::Condition,
            TokenKind::Sign(_) => State::Lost,
            TokenKind::Text(_) if self.state == State::Lost => State::Lost,
            TokenKind::Text(_) => DONE,
            TokenKind::Word(word) => match word.to_ascii_lowercase().as_str() {
                "and" | "or" | "not" => State::Condition,
                _ if self.state == State::Lost => State::Lost,
                "any" | "every" | "no" if self.rows().is_none() => State::Quantified,
                "has" if self.rows().is_none() => State::Has,
                "everything" | "nothing" if !is_complete => DONE,
                _ => {
                    self.ask(self.about(word));
                    State::Subject
                }
            },
        }
    }

    fn about(&self, word: &str) -> About {
        match self.rows() {
            Some(kind) => kind
                .column(word)
                .map_or(About::Unknown, |column| About::Column(kind, column)),
            None => catalogue::find(word).map_or(About::Unknown, About::Subject),
        }
    }

    fn ask(&mut self, about: About) {
        self.asked = Asked {
            about,
            ..Asked::default()
        };
    }

    fn open_rows(&mut self) -> State {
        let rows = match self.asked.about {
            About::Subject(Subject::Rows(kind)) => Some(kind),
            _ => None,
        };
        self.open.push(Open { rows, of: None });
        State::Condition
    }

    /// `application(name = "Firefox" and …` is about Firefox.
    fn remember(&mut self, op: Op, value: &str) {
        let About::Column(kind, column) = self.asked.about else {
            return;
        };
        let tells = match kind.of {
            Of::Column(name) => column.name == name,
            Of::NameOrBundle => matches!(column.name, "name" | "bundle_id"),
            Of::SourceAndName => column.name == "name",
            Of::PluginAndRow | Of::Nothing => false,
        };
        if tells
            && matches!(op, Op::Equal | Op::Exactly)
            && let Some(open) = self.open.iter_mut().rev().find(|open| open.rows.is_some())
        {
            open.of = Some(value.to_owned());
        }
    }
}

/// Whether a word joins conditions.
fn is_joint(word: &str) -> bool {
    ["and", "or", "as"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(word))
}

/// What words are, as an operator; in any letter case.
fn spelled(words: &str) -> Option<Spelled> {
    let words = words.to_ascii_lowercase();
    Some(match words.as_str() {
        "contains" => Spelled::Whole(Op::Contains),
        "is not empty" => Spelled::Whole(Op::Set),
        "is not set" => Spelled::Whole(Op::Empty),
        "not" => Spelled::Begun(Words::Not),
        "older" => Spelled::Begun(Words::Older),
        "starts" => Spelled::Begun(Words::Starts),
        "is" => Spelled::Begun(Words::Is),
        "is not" => Spelled::Begun(Words::IsNot),
        _ => Spelled::Whole(*Op::ALL.iter().find(|op| op.text() == words)?),
    })
}
