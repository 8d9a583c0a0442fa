//! The command line of this program, as somebody would type it again.

use std::env;
use std::ffi::OsString;

/// Flags whose value is secret, and the variable that has it instead.
const SECRET: [(&str, &str); 2] = [("--api-key", "LOADGEN_API_KEY"), ("--database-url", "LOADGEN_DATABASE_URL")];
/// The flag of headers, some of which are secret.
const HEADER: &str = "--header";
/// Variables of this program begin so (see `program::environment`).
const VARIABLES: &str = "LOADGEN_";

/// The command line for a shell, after the variables that set flags. Keys and credentials are left out: nobody may
/// notice that a result file that is passed on has them.
pub(super) fn command_line() -> String {
    let text = |text: OsString| text.to_string_lossy().into_owned();
    let variables = env::vars_os().map(|(name, value)| (text(name), text(value)));
    for_shell(variables.filter(|(name, _)| name.starts_with(VARIABLES)), env::args_os().map(text))
}

fn for_shell(
    variables: impl IntoIterator<Item = (String, String)>,
    arguments: impl IntoIterator<Item = String>,
) -> String {
    let mut words: Vec<_> = variables
        .into_iter()
        .filter(|(name, _)| SECRET.iter().all(|(_, variable)| name != variable))
        .map(|(name, value)| {
            let value = if name == "LOADGEN_HEADER" { without_credentials(&value) } else { value };
            format!("{name}={}", quoted(&value))
        })
        .collect();
    words.sort();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let (flag, value) = match argument.split_once('=') {
            Some((flag, value)) => (flag, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        let secret = SECRET.iter().find(|(known, _)| *known == flag);
        if let Some((flag, variable)) = secret {
            drop(value.or_else(|| arguments.next()));
            words.push(format!("{flag} \"${variable}\""));
        } else if flag == HEADER {
            let header = value.or_else(|| arguments.next()).unwrap_or_default();
            words.push(format!("{HEADER} {}", quoted(&without_credentials(&header))));
        } else {
            words.push(quoted(&argument));
        }
    }
    words.join(" ")
}

/// `NAME: VALUE`, without the value if that may be a secret.
fn without_credentials(header: &str) -> String {
    const SECRET: [&str; 5] = ["authorization", "cookie", "key", "token", "secret"];
    match header.split_once(':') {
        Some((name, _)) if SECRET.iter().any(|word| name.to_ascii_lowercase().contains(word)) => {
            format!("{name}: (left out)")
        }
        _ => header.to_owned(),
    }
}

/// A word for a POSIX shell.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn line(variables: &[(&str, &str)], arguments: &[&str]) -> String {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        for_shell(variables, arguments.iter().map(|argument| (*argument).to_owned()))
    }

    #[test]
    fn a_shell_reads_the_same_words_back() {
        let words = ["printf", "%s\n", "--slo", "health.p99<100ms", "it's", "", "a b", "$HOME", "*", "\\", "é", "a\nb"];
        let output = Command::new("sh").args(["-c", &line(&[], &words)]).output().unwrap();
        let expected: String = words[2..].iter().map(|word| format!("{word}\n")).collect();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    }

    #[test]
    fn a_plain_command_stays_as_it_was_typed() {
        let words = ["target/release/loadgen", "run", "--url", "http://127.0.0.1:8001", "--probe", "health=/health"];
        assert_eq!(line(&[], &words), words.join(" "));
    }

    #[test]
    fn keys_and_credentials_are_left_out() {
        let secret = "s3cret";
        for arguments in [
            &["loadgen", "sequence", "--api-key", secret, "--calls", "1"][..],
            &["loadgen", "sequence", "--api-key=s3cret", "--calls", "1"],
            &["loadgen", "lab", "--database-url", "postgres://u:s3cret@h/d", "--url", "u"],
            &["loadgen", "run", "--header", "Authorization: Bearer s3cret", "--url", "u"],
            &["loadgen", "run", "--header=X-Api-Key: s3cret", "--url", "u"],
        ] {
            let variables =
                [("LOADGEN_API_KEY", secret), ("LOADGEN_DATABASE_URL", secret), ("LOADGEN_HEADER", "cookie: s3cret")];
            let shown = line(&variables, arguments);
            assert!(!shown.contains(secret), "{shown}");
            assert!(shown.ends_with("--calls 1") || shown.ends_with("--url u"), "{shown}");
        }
        let shown = line(&[], &["loadgen", "sequence", "--api-key", secret]);
        assert_eq!(shown, "loadgen sequence --api-key \"$LOADGEN_API_KEY\"");
        assert_eq!(line(&[], &["loadgen", "--header", "accept: a b"]), "loadgen --header 'accept: a b'");
    }

    #[test]
    fn variables_that_set_flags_come_first() {
        let shown = line(&[("LOADGEN_SEED", "7"), ("LOADGEN_BODY", "{\"a\": 1}")], &["loadgen", "run"]);
        assert_eq!(shown, "LOADGEN_BODY='{\"a\": 1}' LOADGEN_SEED=7 loadgen run");
    }
}
