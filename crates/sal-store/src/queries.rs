//! `queries!`: a statement, its row struct and its async function in one place, and a check against a real schema.
//!
//! Every entry also lands in the module's `ALL`; [`check`] prepares each of them on a database and compares
//! parameter types, column names and their order, column types and nullability with the Rust side, so that a query that
//! cannot work fails in a test and not at night.

use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{Client, Statement};

/// One statement as the check sees it.
pub struct Entry {
    /// The function's name.
    pub name: &'static str,
    /// The statement.
    pub sql: &'static str,
    /// Whether the Rust parameters fit the statement's.
    pub parameters_fit: fn(&[Type]) -> bool,
    /// The Rust fields: name, whether a column type fits, whether NULL fits.
    pub fields: &'static [Field],
}

/// One field of a row struct.
pub struct Field {
    /// The field's and the column's name.
    pub name: &'static str,
    /// Whether the Rust type can be read from this Postgres type.
    pub accepts: fn(&Type) -> bool,
    /// Whether the Rust type takes NULL.
    pub takes_null: fn(&Type) -> bool,
}

/// Whether `T` can be read from a column of type `ty`.
pub fn reads<'a, T: FromSql<'a>>(ty: &Type) -> bool {
    T::accepts(ty)
}

/// Whether `T` can be NULL.
pub fn takes_null<'a, T: FromSql<'a>>(ty: &Type) -> bool {
    T::from_sql_null(ty).is_ok()
}

/// Whether `T` can be sent as a parameter of type `ty`.
pub fn sends<T: ToSql>(ty: &Type) -> bool {
    T::accepts(ty)
}

/// Declares statements: `name(param: Type, …) -> Row { field: Type, … } = "SELECT …";` returns `Vec<Row>`,
/// `name(param: Type, …) = "UPDATE …";` returns the number of rows. Parameters are passed by reference.
///
/// A statement with more than six takes them by name: `name(Parameters { param: Type, … }) = …`.
#[macro_export]
macro_rules! queries {
    (@each) => {};
    (@each $(#[$doc:meta])* $name:ident($($params:tt)*) $(-> $(#[$rdoc:meta])* $row:ident { $($(#[$fdoc:meta])* $f:ident: $ft:ty),* $(,)? })? = $sql:expr; $($rest:tt)*) => {
        $(
            $(#[$rdoc])*
            #[derive(Debug, Clone, PartialEq)]
            pub struct $row { $($(#[$fdoc])* pub $f: $ft),* }
        )?
        $crate::queries!(@function [$(#[$doc])*] $name [$($params)*] [$($row { $($f)* })?] $sql);
        $crate::queries!(@each $($rest)*);
    };
    (@function [$($doc:tt)*] $name:ident [$($p:ident: $pt:ty),* $(,)?] [$($row:tt)*] $sql:expr) => {
        $($doc)*
        pub async fn $name(db: &impl $crate::pool::Executor $(, $p: &$pt)*) -> Result<$crate::queries!(@result $($row)*), $crate::StoreError> {
            $crate::queries!(@run db [$($p)*] [$($row)*] $sql)
        }
    };
    (@function [$($doc:tt)*] $name:ident [$params:ident { $($p:ident: $pt:ty),* $(,)? }] [$($row:tt)*] $sql:expr) => {
        #[doc = concat!("What [`", stringify!($name), "`] takes.")]
        #[derive(Clone, Copy)]
        #[expect(missing_docs, reason = "columns have these names, or the statement says what they are")]
        pub struct $params<'a> { $(pub $p: &'a $pt),* }

        $($doc)*
        pub async fn $name(db: &impl $crate::pool::Executor, parameters: $params<'_>) -> Result<$crate::queries!(@result $($row)*), $crate::StoreError> {
            let $params { $($p),* } = parameters;
            $crate::queries!(@run db [$($p)*] [$($row)*] $sql)
        }
    };
    (@result) => { u64 };
    (@result $row:ident $fields:tt) => { Vec<$row> };
    (@run $db:ident [$($p:ident)*] [] $sql:expr) => {{
        let statement = $db.prepared($sql).await?;
        let parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)] = &[$(&$p),*];
        $crate::pool::execute(&statement, parameters, $db).await
    }};
    (@run $db:ident [$($p:ident)*] [$row:ident { $($f:ident)* }] $sql:expr) => {{
        let statement = $db.prepared($sql).await?;
        let parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)] = &[$(&$p),*];
        let rows = $crate::pool::query(&statement, parameters, $db).await?;
        rows.iter()
            .map(|row| {
                // Columns stand in the order of the fields; the check sees to that.
                let mut columns = 0..;
                Ok($row { $($f: row.try_get(columns.next().unwrap_or(usize::MAX))?),* })
            })
            .collect()
    }};
    (@takers $($p:ident: $pt:ty),* $(,)?) => { &[$($crate::queries::sends::<&$pt>),*] };
    (@takers $params:ident { $($p:ident: $pt:ty),* $(,)? }) => { &[$($crate::queries::sends::<&$pt>),*] };
    (@list [$($done:expr),*]) => {
        /// Every statement of this file, for the schema check.
        pub const ALL: &[$crate::queries::Entry] = &[$($done),*];
    };
    (@list [$($done:expr),*] $(#[$doc:meta])* $name:ident($($params:tt)*) $(-> $(#[$rdoc:meta])* $row:ident { $($(#[$fdoc:meta])* $f:ident: $ft:ty),* $(,)? })? = $sql:expr; $($rest:tt)*) => {
        $crate::queries!(@list [$($done,)* $crate::queries::Entry {
            name: stringify!($name),
            sql: $sql,
            parameters_fit: |types| {
                let takers: &[fn(&tokio_postgres::types::Type) -> bool] = $crate::queries!(@takers $($params)*);
                types.len() == takers.len() && types.iter().zip(takers).all(|(ty, sends)| sends(ty))
            },
            fields: &[$($($crate::queries::Field {
                name: stringify!($f),
                accepts: $crate::queries::reads::<$ft>,
                takes_null: $crate::queries::takes_null::<$ft>,
            }),*)?],
        }] $($rest)*);
    };
    ($($all:tt)*) => {
        $crate::queries!(@each $($all)*);
        $crate::queries!(@list [] $($all)*);
    };
}

/// Prepares every entry on `db` and returns a sentence for each fault. `db` needs Sal's tables and ours.
///
/// A column counts as nullable when it comes straight from a table column without NOT NULL;
/// computed columns are not judged, because Postgres does not tell.
pub async fn check(
    db: &Client,
    entries: &[&[Entry]],
) -> Result<Vec<String>, tokio_postgres::Error> {
    let mut faults = Vec::new();
    for entry in entries.iter().copied().flatten() {
        let statement = match db.prepare(entry.sql).await {
            Ok(statement) => statement,
            Err(error) => {
                let text = error
                    .as_db_error()
                    .map_or_else(|| error.to_string(), |e| e.message().to_owned());
                faults.push(format!("{}: {text}", entry.name));
                continue;
            }
        };
        if !(entry.parameters_fit)(statement.params()) {
            faults.push(format!(
                "{}: the statement's parameters are {:?}",
                entry.name,
                statement.params()
            ));
        }
        check_fields(db, entry, &statement, &mut faults).await?;
    }
    Ok(faults)
}

async fn check_fields(
    db: &Client,
    entry: &Entry,
    statement: &Statement,
    faults: &mut Vec<String>,
) -> Result<(), tokio_postgres::Error> {
    for (place, field) in entry.fields.iter().enumerate() {
        let column = statement
            .columns()
            .get(place)
            .filter(|column| column.name() == field.name);
        let Some(column) = column else {
            faults.push(format!(
                "{}.{}: not the name of column {} of the result",
                entry.name,
                field.name,
                place + 1
            ));
            continue;
        };
        if !(field.accepts)(column.type_()) {
            faults.push(format!(
                "{}.{}: the column is {}",
                entry.name,
                field.name,
                column.type_()
            ));
        }
        let (Some(table), Some(number)) = (column.table_oid(), column.column_id()) else {
            continue;
        };
        let row = db
            .query_opt(
                "SELECT attnotnull FROM pg_attribute WHERE attrelid = $1 AND attnum = $2",
                &[&table, &number],
            )
            .await?;
        let not_null = row.is_some_and(|row| row.get(0));
        if !not_null && !(field.takes_null)(column.type_()) {
            faults.push(format!(
                "{}.{}: the column is nullable, the field is not an Option",
                entry.name, field.name
            ));
        }
    }
    Ok(())
}
