//! What the next tokens are: which words are operators, and which begin a condition, depends on those behind them.

use super::{Parser, tokens::TokenKind};
use crate::{
    catalogue::{self, Of, Subject},
    expr::{CastName, Op},
};

impl Parser {
    /// Whether the word here is a subject: an operator follows, after which one it is and how it is read.
    pub(super) fn begins_condition(&self, word: &str) -> bool {
        if self.operator_follows(1).is_some()
            || self.keyword_at(1, "as") && self.cast_at(2).is_some()
        {
            return true;
        }
        let is_named = matches!(self.kind_at(1), Some(TokenKind::Text(_)));
        if is_named && self.operator_follows(2).is_some() && catalogue::find(word).is_some() {
            return true;
        }
        let names_many = !self.columns
            && matches!(catalogue::find(word), Some(Subject::Rows(kind)) if kind.of != Of::Nothing)
            || matches!(catalogue::find(word), Some(Subject::Widget));
        names_many
            && match self.kind_at(1) {
                Some(TokenKind::Text(_)) => true,
                Some(TokenKind::Word(_)) => {
                    self.operator_follows(2).is_some() || self.keyword_at(2, "as")
                }
                _ => false,
            }
    }

    /// The operator at so many tokens from here, and how many tokens it is.
    pub(super) fn operator_follows(&self, ahead: usize) -> Option<(Op, usize)> {
        let word = |at: usize, word: &str| self.keyword_at(ahead + at, word);
        if let Some(TokenKind::Sign(sign)) = self.kind_at(ahead) {
            let op = Op::ALL.iter().find(|op| op.text() == *sign)?;
            return Some((*op, 1));
        }
        let list = |at: usize| matches!(self.kind_at(ahead + at), Some(TokenKind::Sign("(")));
        let value = |at: usize| {
            matches!(
                self.kind_at(ahead + at),
                Some(TokenKind::Word(_) | TokenKind::Text(_))
            )
        };
        let age = |at: usize| match self.kind_at(ahead + at) {
            Some(TokenKind::Word(text) | TokenKind::Text(text)) => {
                text.starts_with(|c: char| c.is_ascii_digit())
            }
            _ => false,
        };
        // Words are operators only with what belongs to them: `anna in Berlin` is a quick search.
        [
            (word(0, "in") && list(1), Op::In, 1),
            (word(0, "not") && word(1, "in") && list(2), Op::NotIn, 2),
            (word(0, "within") && age(1), Op::Within, 1),
            (
                word(0, "older") && word(1, "than") && age(2),
                Op::OlderThan,
                2,
            ),
            (word(0, "is") && word(1, "empty"), Op::Empty, 2),
            (word(0, "is") && word(1, "set"), Op::Set, 2),
            (
                word(0, "is") && word(1, "not") && word(2, "empty"),
                Op::Set,
                3,
            ),
            (
                word(0, "is") && word(1, "not") && word(2, "set"),
                Op::Empty,
                3,
            ),
            (
                word(0, "starts") && word(1, "with") && value(2),
                Op::StartsWith,
                2,
            ),
            (word(0, "contains") && value(1), Op::Contains, 1),
            (word(0, "matches") && value(1), Op::Matches, 1),
        ]
        .into_iter()
        .find_map(|(fits, op, length)| fits.then_some((op, length)))
    }

    /// Whether a kind of rows and a parenthesis stand so far from here.
    pub(super) fn rows_follow(&self, ahead: usize) -> bool {
        let Some(TokenKind::Word(name)) = self.kind_at(ahead) else {
            return false;
        };
        catalogue::row_kind(name).is_some()
            && matches!(self.kind_at(ahead + 1), Some(TokenKind::Sign("(")))
    }

    pub(super) fn subject_follows(&self, ahead: usize) -> bool {
        let Some(TokenKind::Word(name)) = self.kind_at(ahead) else {
            return false;
        };
        catalogue::find(name).is_some()
    }

    pub(super) fn cast_at(&self, ahead: usize) -> Option<CastName> {
        CastName::ALL
            .iter()
            .copied()
            .find(|cast| self.keyword_at(ahead, cast.text()))
    }
}
