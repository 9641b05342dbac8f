//! Runs a private Postgres from a shell until standard input closes.
//!
//! `private-postgres [FOLDER]` prints the socket folder and the server's data folder, one a line.
//! A folder that is given is kept. It is also the process that the tests kill.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use local_postgres::{LocalPostgres, Options};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data_dir = std::env::args_os().nth(1).map(PathBuf::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let options = Options {
        data_dir,
        fast: true,
        ..Options::default()
    };
    let server = runtime.block_on(LocalPostgres::start(options))?;
    #[expect(
        clippy::disallowed_methods,
        reason = "a program of its own, whose errors end it with a message"
    )]
    let mut out = std::io::stdout();
    writeln!(out, "{}", server.socket_dir().display())?;
    writeln!(out, "{}", server.folder().display())?;
    out.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    runtime.block_on(server.stop());
    Ok(())
}
