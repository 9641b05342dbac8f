//! What the tests stand on: a database for each test on one real Postgres, the assembled server on a real port,
//! pages read as parsed HTML, and the replay of exchanges recorded from the original Sal. Never part of the program.

pub mod database;
pub mod golden;
pub mod page;
pub mod provider;
pub mod server;

pub use database::{Database, Filled};
pub use page::Page;
pub use provider::Provider;
pub use server::{Shape, TestServer};
