//! The only file that prints: data on stdout, everything else on stderr.
//!
//! Nothing here can fail in a way that ends the program: whoever reads may have gone (`sal … | head`), and what a command
//! does must not stop half-way for it. A reader that has gone is no mistake and changes no exit code. Data that was lost
//! for another reason, such as a full disk, is said at the end, and the exit code is 1 then (see [`exit_of`]).

#![expect(
    clippy::disallowed_methods,
    reason = "this is the place that prints, and it treats every error"
)]

use std::io::{self, BufRead, ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::escape;
use crate::exit::Exit;

/// Prints data: exactly for a program, harmlessly on a terminal.
pub(crate) fn data(text: &str) {
    let mut out = io::stdout().lock();
    let text = match out.is_terminal() {
        true => escape::lines(text),
        false => text.into(),
    };
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush());
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        // The first reason is the one that counts.
        let _first = LOST.set(error.to_string());
    }
}

/// Prints a part of data that comes in parts; false when nobody reads any more, or it was lost.
pub(crate) fn part(bytes: &[u8]) -> bool {
    let mut out = io::stdout().lock();
    let written = match out.is_terminal() {
        true => out.write_all(escape::lines(&String::from_utf8_lossy(bytes)).as_bytes()),
        false => out.write_all(bytes),
    };
    match written.and_then(|()| out.flush()) {
        Ok(()) => true,
        Err(error) => {
            if error.kind() != ErrorKind::BrokenPipe {
                // The first reason is the one that counts.
                let _first = LOST.set(error.to_string());
            }
            false
        }
    }
}

/// The exit code of a command, unless data was lost.
pub(crate) fn exit_of(exit: Exit) -> Exit {
    match LOST.get() {
        None => exit,
        Some(why) => {
            problem(&format!("the output could not be written whole: {why}"));
            Exit::Failed
        }
    }
}

/// Tells a person what happens.
pub(crate) fn note(text: &str) {
    tell(&format!("{}\n", escape::lines(text)));
}

/// Tells a person what went wrong.
pub(crate) fn problem(text: &str) {
    tell(&format!("error: {}\n", escape::lines(text)));
}

/// Asks a question on the terminal; `None` when there is nobody to answer.
pub(crate) fn ask(question: &str) -> Option<bool> {
    if !io::stdin().is_terminal() {
        return None;
    }
    tell(&format!("{} [y/N] ", escape::lines(question)));
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer).ok()?;
    (read > 0).then(|| matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Asks for a password on the terminal, without showing it; `None` when there is no terminal, or it was closed.
pub(crate) fn ask_secret(question: &str) -> Option<String> {
    let stdin = io::stdin();
    let shown = tcgetattr(&stdin).ok()?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tell(&format!("{} ", escape::lines(question)));
    tcsetattr(&stdin, OptionalActions::Flush, &hidden).ok()?;
    let mut typed = String::new();
    let read = stdin.lock().read_line(&mut typed);
    let _restored = tcsetattr(&stdin, OptionalActions::Now, &shown);
    tell("\n");
    read.ok().filter(|bytes| *bytes > 0)?;
    let typed = typed.strip_suffix('\n').unwrap_or(&typed);
    Some(typed.strip_suffix('\r').unwrap_or(typed).to_owned())
}

/// An error and its causes, on one line each.
pub(crate) fn failure(error: &anyhow::Error) {
    let mut said = error.to_string();
    problem(&said);
    for cause in error.chain().skip(1) {
        // What is said already is not said once more.
        if said.contains(&cause.to_string()) {
            continue;
        }
        said = cause.to_string();
        tell(&format!(
            "  because: {}\n",
            escape::lines(&cause.to_string())
        ));
    }
}

/// Where lines of the log go; errors end here, as there is nowhere to say them.
pub(crate) fn log() -> impl Write {
    Told(io::stderr())
}

fn tell(text: &str) {
    // Whoever was to hear it has gone.
    let _unheard = io::stderr().lock().write_all(text.as_bytes());
}

/// A writer that never fails.
struct Told<W>(W);

impl<W: Write> Write for Told<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _unheard = self.0.write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _unheard = self.0.flush();
        Ok(())
    }
}

/// Why data was lost. There is one standard output in a process.
static LOST: OnceLock<String> = OnceLock::new();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_of_the_log_takes_everything_whatever_becomes_of_it() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(ErrorKind::StorageFull.into())
            }
        }
        let mut told = Told(Gone);
        assert_eq!(told.write(b"INFO x\n").unwrap(), 7);
        told.flush().unwrap();
    }
}
