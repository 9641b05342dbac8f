//! A new password from whoever runs a command: asked for twice at the terminal, or read from standard input. It is never an
//! argument, which everybody on the machine could read.

use std::io::{self, IsTerminal, Read};

use anyhow::{Context, Result};

use crate::output;

/// A password, as it was typed twice. Not printable.
pub(super) struct Typed {
    pub(super) first: String,
    pub(super) again: String,
}

/// Reads it; in words why there is none.
pub(super) fn read(from_stdin: bool) -> Result<std::result::Result<Typed, String>> {
    if from_stdin {
        let password = of_stream(io::stdin().lock())?;
        return Ok(password.map(|password| Typed {
            again: password.clone(),
            first: password,
        }));
    }
    if !io::stdin().is_terminal() {
        return Ok(Err(
            "there is no terminal to ask for the password at; add --password-stdin and write it to standard input".to_owned(),
        ));
    }
    let first = output::ask_secret("New password:");
    let again = first.as_ref().and_then(|_| output::ask_secret("Again:"));
    Ok(match (first, again) {
        (Some(first), Some(again)) => Ok(Typed { first, again }),
        _ => Err("no password was given; nothing was changed".to_owned()),
    })
}

/// One line. A newline at its end is none of it.
fn of_stream(from: impl Read) -> Result<std::result::Result<String, String>> {
    let mut bytes = Vec::new();
    from.take(MOST_BYTES)
        .read_to_end(&mut bytes)
        .context("reading the password from standard input")?;
    let Ok(text) = String::from_utf8(bytes) else {
        return Ok(Err("the password on standard input is not UTF-8".to_owned()));
    };
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    Ok(match line {
        "" => Err("standard input is empty; write the password to it".to_owned()),
        line if line.contains('\n') => {
            Err("standard input has more than one line; write the password alone to it".to_owned())
        }
        line => Ok(line.to_owned()),
    })
}

/// More than the longest password has.
const MOST_BYTES: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_one_line_without_its_end() {
        let of = |bytes: &[u8]| of_stream(bytes).unwrap();
        for bytes in [
            &b"four blue kettles"[..],
            b"four blue kettles\n",
            b"four blue kettles\r\n",
        ] {
            assert_eq!(of(bytes), Ok("four blue kettles".to_owned()));
        }
        assert_eq!(of(b" a \n"), Ok(" a ".to_owned()));
        for (bytes, words) in [
            (&b""[..], "empty"),
            (b"\n", "empty"),
            (b"hunter2\nhunter2\n", "more than one line"),
            (b"hunter2\xff", "UTF-8"),
        ] {
            let told = of(bytes).unwrap_err();
            assert!(told.contains(words) && !told.contains("hunter2"), "{told}");
        }
    }
}
