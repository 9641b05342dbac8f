//! The filter language: a checked tree of conditions on machines that becomes SQL.
//!
//! One filter is a chart segment, a list, a search and an export alike. Conditions are built
//! through constructors that check types, so a [`Condition`] that exists is valid; values leave
//! only as numbered parameters. Pure: no database, no clock, no configuration.
//! Start at [`condition`]; [`sql`] is the way out.

pub mod age;
pub mod by;
pub mod catalogue;
pub mod check;
pub mod complete;
pub mod condition;
pub mod expr;
pub mod field;
pub mod group;
mod nearness;
pub mod parse;
pub mod pattern;
mod print;
pub mod related;
pub mod sal_search;
pub mod sql;

pub use age::Age;
pub use by::By;
pub use condition::{Condition, ConditionError, Operator, Value};
pub use expr::Expr;
pub use field::{Field, Kind};
pub use group::{Grouping, Shape, Shaped, Values};
pub use parse::{FilterError, parse};
pub use print::in_quotes;
pub use related::{ApplicationKey, Cast, Check, Related, Test};
pub use sql::{Fragment, Parameter};
