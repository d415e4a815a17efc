//! `command`, `entrypoint`, `test`: a line for the shell's word rules, or a list of words.

use super::Decoder;
use crate::stack::diagnostic::{Code, Finding};
use crate::stack::tree::{Node, Resolved};

impl Decoder<'_> {
    /// `None` is "as the image has it"; an empty list clears it.
    pub(super) fn command(&mut self, name: &str, node: &Node) -> Option<Vec<String>> {
        match node.resolved() {
            None if node.sequence().is_some() => Some(self.texts(name, node)),
            Some(Resolved::Null) => None,
            Some(Resolved::Text(line)) => match split_words(line) {
                Ok(split) => {
                    if let Some(at) = split.cut {
                        let shown: String = line[at..].chars().take(40).collect();
                        self.findings.push(
                            Finding::warning(
                                Code::Suspicious,
                                format!("`{name}` ends before `{shown}`: no shell reads it"),
                            )
                            .at(node.span)
                            .help(format!("to run a shell, write: {name}: [\"sh\", \"-c\", \"…\"]")),
                        );
                    }
                    Some(split.words)
                }
                Err(problem) => {
                    self.error(
                        Code::Value,
                        format!("`{name}` cannot be split into words: {problem}"),
                        node.span,
                    );
                    None
                }
            },
            _ => {
                self.expected(name, "a string or a list of strings", node);
                None
            }
        }
    }
}

/// A line split into words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) words: Vec<String>,
    /// Where an unquoted operator of the shell ends the line, as Compose has it.
    pub(super) cut: Option<usize>,
}

/// Splits a line as Compose does: quotes, backslashes (`\t` and `\n` are those characters), no
/// variables, no substitution.
pub(super) fn split_words(line: &str) -> Result<Split, &'static str> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut has_word = false;
    let mut quote: Option<char> = None;
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        if escaped {
            word.push(match c {
                't' => '\t',
                'n' => '\n',
                c => c,
            });
            escaped = false;
            has_word = true;
            continue;
        }
        match (c, quote) {
            ('\\', Some('\'')) => word.push(c),
            ('\\', _) => escaped = true,
            (c, Some(q)) if c == q => {
                quote = None;
            }
            ('"' | '\'', None) => {
                quote = Some(c);
                has_word = true;
            }
            (' ' | '\t' | '\r' | '\n', None) => {
                if has_word {
                    words.push(std::mem::take(&mut word));
                    has_word = false;
                }
            }
            (';' | '&' | '|' | '<' | '>', None) => {
                if has_word {
                    words.push(word);
                }
                return Ok(Split { words, cut: Some(at) });
            }
            (c, _) => {
                word.push(c);
                has_word = true;
            }
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed");
    }
    if escaped {
        return Err("it ends with a backslash");
    }
    if has_word {
        words.push(word);
    }
    Ok(Split { words, cut: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_as_compose_splits_them() {
        let check = |line| match split_words(line) {
            Ok(Split { words, cut }) => format!("{words:?} {cut:?}"),
            Err(problem) => problem.to_owned(),
        };
        insta::assert_snapshot!(check("a b  'c d' \"e 'f\" g\\ h"), @r#"["a", "b", "c d", "e 'f", "g h"] None"#);
        insta::assert_snapshot!(check("echo \"a\\\"b\" 'x\\y' \"\" $HOME"), @r#"["echo", "a\"b", "x\\y", "", "$HOME"] None"#);
        insta::assert_snapshot!(check("a && b"), @r#"["a"] Some(2)"#);
        insta::assert_snapshot!(check("sh -c 'a && b | c > d'"), @r#"["sh", "-c", "a && b | c > d"] None"#);
        insta::assert_snapshot!(check("a 'b"), @"a quote is not closed");
        insta::assert_snapshot!(check(""), @"[] None");
    }
}
