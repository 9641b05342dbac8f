//! What is assigned, as far as it stands in the file: literals, sums of them, and containers with holes where it does not.

use super::lexer::{Kind, Token};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    /// A list, a tuple or a set.
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    /// What only Python could say.
    Dynamic {
        /// Where.
        line: usize,
        /// Whether it is read from the environment there.
        of_environment: bool,
    },
}

impl Value {
    /// The value of a key of a dictionary.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Dict(entries) = self else {
            return None;
        };
        let is_it = |own: &Self| matches!(own, Self::Text(text) if text == key);
        let found = entries.iter().rev().find(|(own, _value)| is_it(own));
        found.map(|(_key, value)| value)
    }

    /// Whether it, or anything in it, meets a condition.
    pub(super) fn any(&self, is_it: &impl Fn(&Self) -> bool) -> bool {
        let within = match self {
            Self::List(items) => items.iter().any(|item| item.any(is_it)),
            Self::Dict(entries) => entries
                .iter()
                .any(|(key, value)| key.any(is_it) || value.any(is_it)),
            _ => false,
        };
        within || is_it(self)
    }

    /// Both together, as `+` and `+=` do.
    pub(super) fn plus(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => Some(Self::Text(one + &other)),
            (Self::List(mut one), Self::List(other)) => {
                one.extend(other);
                Some(Self::List(one))
            }
            (Self::Int(one), Self::Int(other)) => one.checked_add(other).map(Self::Int),
            (Self::Float(one), Self::Float(other)) => Some(Self::Float(one + other)),
            _ => None,
        }
    }
}

/// The value of an expression.
pub(super) fn value(tokens: &[Token], line: usize) -> Value {
    let mut reader = Reader {
        tokens,
        place: 0,
        depth: 0,
        line,
    };
    let first = reader.element();
    if reader.peek().is_none() {
        return first;
    }
    // A tuple without brackets.
    let mut items = vec![first];
    while reader.take(",") {
        if reader.peek().is_some() {
            items.push(reader.element());
        }
    }
    match reader.peek() {
        None => Value::List(items),
        Some(_) => dynamic(tokens, line),
    }
}

fn dynamic(tokens: &[Token], line: usize) -> Value {
    let reads = |token: &Token| {
        token
            .name()
            .is_some_and(|name| OF_ENVIRONMENT.contains(&name))
    };
    Value::Dynamic {
        line: tokens.first().map_or(line, |token| token.line),
        of_environment: tokens.iter().any(reads),
    }
}

const OF_ENVIRONMENT: &[&str] = &["environ", "getenv"];
/// Deeper containers are not looked into.
const DEEPEST: usize = 40;

struct Reader<'a> {
    tokens: &'a [Token],
    place: usize,
    depth: usize,
    line: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.place)
    }

    fn take(&mut self, sign: &str) -> bool {
        let is_it = self.peek().is_some_and(|token| token.is_sign(sign));
        self.place += usize::from(is_it);
        is_it
    }

    fn is_at(&self, signs: &[&str]) -> bool {
        self.peek()
            .is_none_or(|token| signs.iter().any(|sign| token.is_sign(sign)))
    }

    /// One element of a container, or all of an expression: a value, or a hole as long as it is not one.
    fn element(&mut self) -> Value {
        let begin = self.place;
        self.depth += 1;
        let read = match self.depth > DEEPEST {
            true => None,
            false => self.sum(),
        };
        self.depth -= 1;
        match read {
            Some(value) if self.is_at(ENDS) => value,
            _ => {
                self.place = begin;
                self.skip()
            }
        }
    }

    /// Goes to the end of the element.
    fn skip(&mut self) -> Value {
        let begin = self.place;
        let mut open = 0_usize;
        let mut lambdas = 0_usize;
        while let Some(token) = self.peek() {
            if open == 0 && self.is_at(ENDS) {
                // The colon of `lambda x: …` ends nothing.
                let is_lambdas = token.is_sign(":") && lambdas > 0;
                if !is_lambdas {
                    break;
                }
                lambdas -= 1;
            }
            if let Kind::Sign(sign) = &token.kind {
                match sign.as_str() {
                    "(" | "[" | "{" => open += 1,
                    ")" | "]" | "}" => open = open.saturating_sub(1),
                    _ => {}
                }
            }
            lambdas += usize::from(token.name() == Some("lambda"));
            self.place += 1;
        }
        dynamic(
            self.tokens.get(begin..self.place).unwrap_or_default(),
            self.line,
        )
    }

    fn sum(&mut self) -> Option<Value> {
        let mut sum = self.product()?;
        while self.take("+") {
            sum = sum.plus(self.product()?)?;
        }
        Some(sum)
    }

    fn product(&mut self) -> Option<Value> {
        let mut product = self.signed()?;
        while self.take("*") {
            product = match (product, self.signed()?) {
                (Value::Int(one), Value::Int(other)) => Value::Int(one.checked_mul(other)?),
                _ => return None,
            };
        }
        Some(product)
    }

    fn signed(&mut self) -> Option<Value> {
        let mut is_negative = false;
        loop {
            if self.take("-") {
                is_negative = !is_negative;
            } else if !self.take("+") {
                break;
            }
        }
        match (self.atom()?, is_negative) {
            (value, false) => Some(value),
            (Value::Int(number), true) => number.checked_neg().map(Value::Int),
            (Value::Float(number), true) => Some(Value::Float(-number)),
            _ => None,
        }
    }

    fn atom(&mut self) -> Option<Value> {
        let token = self.peek()?;
        self.place += 1;
        match &token.kind {
            Kind::Text(text) => {
                let mut all = text.clone()?;
                while let Some(Kind::Text(more)) = self.peek().map(|token| &token.kind) {
                    all.push_str(more.as_deref()?);
                    self.place += 1;
                }
                Some(Value::Text(all))
            }
            Kind::Number(text) => number(text),
            Kind::Name(name) => match name.as_str() {
                "None" => Some(Value::None),
                "True" => Some(Value::Bool(true)),
                "False" => Some(Value::Bool(false)),
                _ => None,
            },
            Kind::Sign(sign) => match sign.as_str() {
                "(" => self.brackets(),
                "[" => self.items("]").map(|(items, _is_one)| Value::List(items)),
                "{" => self.braces(),
                _ => None,
            },
        }
    }

    /// A tuple, or a value in brackets.
    fn brackets(&mut self) -> Option<Value> {
        let (mut items, is_one) = self.items(")")?;
        match is_one {
            true => items.pop(),
            false => Some(Value::List(items)),
        }
    }

    /// The elements up to a bracket, and whether it is one without a comma.
    fn items(&mut self, end: &str) -> Option<(Vec<Value>, bool)> {
        let (mut items, mut commas) = (Vec::new(), 0_usize);
        while !self.take(end) {
            items.push(self.element());
            if self.take(",") {
                commas += 1;
            } else if !self.peek()?.is_sign(end) {
                return None;
            }
        }
        let is_one = items.len() == 1 && commas == 0;
        Some((items, is_one))
    }

    /// A dictionary, or a set.
    fn braces(&mut self) -> Option<Value> {
        let (mut entries, mut items) = (Vec::new(), Vec::new());
        while !self.take("}") {
            let first = self.element();
            if self.take(":") {
                entries.push((first, self.element()));
            } else {
                items.push(first);
            }
            if !self.take(",") && !self.peek()?.is_sign("}") {
                return None;
            }
        }
        match items.is_empty() {
            true => Some(Value::Dict(entries)),
            // A dictionary with another one in it (`**other`) is not known.
            false if entries.is_empty() => Some(Value::List(items)),
            false => None,
        }
    }
}

/// What ends an element.
const ENDS: &[&str] = &[",", ")", "]", "}", ":"];

fn number(text: &str) -> Option<Value> {
    let plain = text.replace('_', "").to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = plain.strip_prefix(prefix) {
            return i128::from_str_radix(digits, radix).ok().map(Value::Int);
        }
    }
    let whole = plain.parse().ok().map(Value::Int);
    whole.or_else(|| plain.parse().ok().map(Value::Float))
}
