//! What a person or a script gives on standard input: passwords and confirmations.

use std::io::{BufRead, IsTerminal, Read, stdin};

use auth::Secret;
use frontend::types::CredentialChange;

use crate::failure::Failure;
use crate::output;

/// The longest line that is taken for a password.
const PASSWORD_BYTES_MAX: u64 = 4096;

/// Where a password comes from.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct PasswordInput {
    /// Read the password from standard input, one line
    #[arg(long)]
    password_stdin: bool,
}

impl PasswordInput {
    /// The password of someone who has one.
    pub(crate) fn existing(self, prompt: &str) -> Result<Secret, Failure> {
        if self.password_stdin {
            return line_of_stdin("password");
        }
        ask(prompt)
    }

    /// A password that is given to someone: typed twice where it cannot be seen.
    pub(crate) fn chosen(self, prompt: &str) -> Result<Secret, Failure> {
        if self.password_stdin {
            return line_of_stdin("password");
        }
        let password = ask(prompt)?;
        let again = ask("Again: ")?;
        if password.reveal() != again.reveal() {
            return Err(Failure::Usage { reason: "the two passwords differ".to_owned() });
        }
        Ok(password)
    }
}

/// A change of a password.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct PasswordChange {
    #[command(flatten)]
    new: PasswordInput,
    /// Read the present password from standard input too, on a line before the new one; needed to change your own
    #[arg(long, requires = "password_stdin")]
    current_password_stdin: bool,
}

impl PasswordChange {
    /// What is to be changed; `own`: the password of the one who is signed in.
    pub(crate) fn obtain(self, own: bool) -> Result<CredentialChange, Failure> {
        let current = match (self.current_password_stdin, self.new.password_stdin) {
            (true, _) => Some(line_of_stdin("present password")?),
            (false, false) if own => Some(ask("Present password: ")?),
            (false, _) => None,
        };
        let new = self.new.chosen("New password: ")?;
        Ok(CredentialChange {
            disabled: None,
            password: Some(new.reveal().to_owned()),
            current_password: current.map(|password| password.reveal().to_owned()),
        })
    }
}

/// One line of standard input, `what` it is for. Buffered for the whole process: a second call answers the next line.
fn line_of_stdin(what: &str) -> Result<Secret, Failure> {
    line(&mut stdin().lock(), what)
}

fn line(input: &mut impl BufRead, what: &str) -> Result<Secret, Failure> {
    let usage = |reason: String| Failure::Usage { reason };
    let mut line = Vec::new();
    let read = input.by_ref().take(PASSWORD_BYTES_MAX + 1).read_until(b'\n', &mut line);
    read.map_err(|source| Failure::System { doing: "read standard input", source })?;
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    if line.is_empty() {
        return Err(usage(format!("standard input holds no {what}: give it as one line")));
    }
    if line.len() as u64 > PASSWORD_BYTES_MAX {
        return Err(usage(format!("the {what} on standard input is longer than {PASSWORD_BYTES_MAX} bytes")));
    }
    let line =
        String::from_utf8(line).map_err(|_| usage(format!("the {what} on standard input is not UTF-8")))?;
    Ok(Secret::new(line))
}

/// Asks at the terminal, without showing what is typed.
fn ask(prompt: &str) -> Result<Secret, Failure> {
    if !stdin().is_terminal() {
        let reason =
            "no terminal to ask for the password: give it on standard input with --password-stdin".to_owned();
        return Err(Failure::Usage { reason });
    }
    let password = rpassword::prompt_password(prompt)
        .map_err(|source| Failure::System { doing: "ask for the password", source })?;
    if password.is_empty() {
        return Err(Failure::Usage { reason: "the password is empty".to_owned() });
    }
    Ok(Secret::new(password))
}

/// What cannot be undone.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Confirmation {
    /// Do not ask first, at a terminal
    #[arg(long, short)]
    yes: bool,
}

impl Confirmation {
    /// Asks the person at the terminal whether to go on; a script is taken at its word.
    pub(crate) fn obtain(self, question: &str) -> Result<(), Failure> {
        if self.yes || !stdin().is_terminal() {
            return Ok(());
        }
        output::tell(&format!("{question} [y/N] "));
        let mut answer = String::new();
        let read = stdin().lock().take(64).read_line(&mut answer);
        read.map_err(|source| Failure::System { doing: "read the answer", source })?;
        if matches!(answer.trim(), "y" | "Y" | "yes") {
            return Ok(());
        }
        Err(Failure::Usage { reason: "nothing was done".to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::line;

    fn read(input: &[u8]) -> Result<String, String> {
        line(&mut &*input, "password")
            .map(|secret| secret.reveal().to_owned())
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn one_line_without_its_end() {
        for (input, password) in [
            (&b"secret"[..], "secret"),
            (b"secret\n", "secret"),
            (b"secret\r\n", "secret"),
            (b" sec ret \n", " sec ret "),
            (b"first\nsecond\n", "first"),
            ("größe\n".as_bytes(), "größe"),
        ] {
            assert_eq!(read(input).as_deref(), Ok(password));
        }
    }

    #[test]
    fn nothing_too_much_and_no_text_are_refused() {
        let long = [b'x'; 4097];
        for (input, says) in [
            (&b""[..], "no password"),
            (b"\n", "no password"),
            (b"\r\n", "no password"),
            (&long, "longer"),
            (b"\xff\n", "UTF-8"),
        ] {
            assert!(read(input).is_err_and(|reason| reason.contains(says)), "{says}");
        }
        assert!(read(&long[..4096]).is_ok());
    }

    #[test]
    fn lines_follow_each_other() {
        let mut input = &b"old\nnew\n"[..];
        let mut next = || line(&mut input, "password").map(|secret| secret.reveal().to_owned()).ok();
        assert_eq!((next(), next()), (Some("old".to_owned()), Some("new".to_owned())));
    }
}
