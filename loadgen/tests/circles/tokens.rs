//! Rust's text as names and signs: without comments, without what is in quotes, without tests.

/// A name, or one sign; `::` is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Name(String),
    PathSeparator,
    Sign(char),
}

impl Token {
    /// The name, where it is one.
    pub(crate) fn name(&self) -> Option<&str> {
        if let Token::Name(name) = self { Some(name) } else { None }
    }

    /// Whether it is this name.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name() == Some(name)
    }
}

/// The tokens of `text`.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut rest = text;
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest).unwrap_or_else(|| {
            let name = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            if name > 0 {
                tokens.push(Token::Name(rest[..name].to_owned()));
                name
            } else if rest.starts_with("::") {
                tokens.push(Token::PathSeparator);
                2
            } else {
                tokens.push(Token::Sign(first));
                first.len_utf8()
            }
        });
        rest = &rest[length..];
    }
    without_tests(tokens)
}

/// How many bytes of white space, of a comment or of a quoted text `rest` begins with.
fn skipped(rest: &str) -> Option<usize> {
    let blank = rest.len() - rest.trim_start().len();
    if blank > 0 {
        return Some(blank);
    }
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(rest.find("*/").map_or(rest.len(), |end| end + 2));
    }
    let raw = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r')).unwrap_or_default();
    let marks = raw.len() - raw.trim_start_matches('#').len();
    if raw[marks..].starts_with('"') {
        let close = format!("\"{}", &raw[..marks]);
        let begin = rest.len() - raw.len() + marks + 1;
        return Some(rest[begin..].find(&close).map_or(rest.len(), |end| begin + end + close.len()));
    }
    match rest.as_bytes() {
        [b'"', ..] => Some(quoted(rest, '"')),
        [b'b', b'"', ..] => Some(1 + quoted(&rest[1..], '"')),
        [b'\'', b'\\', ..] => Some(quoted(rest, '\'')),
        // A character, and not a lifetime.
        [b'\'', ..] if rest.chars().nth(2) == Some('\'') => Some(rest.chars().take(3).map(char::len_utf8).sum()),
        _ => None,
    }
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    let end = rest.char_indices().skip(1).find(|(_, c)| {
        let found = *c == quote && !escaped;
        escaped = *c == '\\' && !escaped;
        found
    });
    end.map_or(rest.len(), |(at, _)| at + 1)
}

/// Drops what stands under `#[cfg(test)]`: up to its block's end or its semicolon.
fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    let mark: Vec<_> = ["#", "[", "cfg", "(", "test", ")", "]"].map(sign_or_name).into();
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if !tokens[at..].starts_with(&mark) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let mut depth = 0;
        loop {
            match tokens.get(at) {
                Some(Token::Sign('{')) => depth += 1,
                Some(Token::Sign('}')) => depth -= 1,
                _ => {}
            }
            let ends = matches!(tokens.get(at), None | Some(Token::Sign('}' | ';')));
            at += 1;
            if ends && depth == 0 {
                break;
            }
        }
    }
    kept
}

fn sign_or_name(text: &str) -> Token {
    match text.chars().next() {
        Some(sign) if !sign.is_alphanumeric() => Token::Sign(sign),
        _ => Token::Name(text.to_owned()),
    }
}
