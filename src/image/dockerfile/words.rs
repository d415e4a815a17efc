//! Words of a Dockerfile: quotes, escapes and variables, as BuildKit's shell lexer reads them.

use std::collections::BTreeMap;

/// Splits into words at blanks outside quotes; quotes and escapes stay in the words.
pub(super) fn split_words(text: &str, escape: char) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote: Option<char> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match quote {
            None if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            None if c == '"' || c == '\'' => quote = Some(c),
            Some(q) if c == q => quote = None,
            _ => {}
        }
        word.push(c);
        if c == escape && quote != Some('\'') {
            word.extend(chars.next());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Replaces variables, and removes quotes and escapes.
///
/// # Errors
/// What is wrong with the word, as a fragment.
pub(super) fn expand(word: &str, escape: char, values: &BTreeMap<String, String>) -> Result<String, String> {
    let chars: Vec<char> = word.chars().collect();
    let mut at = 0;
    expand_until(&chars, &mut at, None, escape, values, 0)
}

/// Deeper nesting than anybody writes; a bound against hostile input.
const DEEPEST: usize = 32;

fn expand_until(
    chars: &[char],
    at: &mut usize,
    end: Option<char>,
    escape: char,
    values: &BTreeMap<String, String>,
    depth: usize,
) -> Result<String, String> {
    if depth > DEEPEST {
        return Err("variables are nested too deeply".to_owned());
    }
    let mut out = String::new();
    let mut in_double = false;
    while let Some(&c) = chars.get(*at) {
        if Some(c) == end && !in_double {
            return Ok(out);
        }
        *at += 1;
        match c {
            '\'' if !in_double => {
                while let Some(&c) = chars.get(*at) {
                    *at += 1;
                    if c == '\'' {
                        break;
                    }
                    out.push(c);
                }
            }
            '"' => in_double = !in_double,
            c if c == escape => {
                if let Some(&next) = chars.get(*at) {
                    *at += 1;
                    if in_double && !matches!(next, '"' | '$') && next != escape {
                        out.push(escape);
                    }
                    out.push(next);
                }
            }
            '$' => variable(chars, at, escape, values, depth, &mut out)?,
            c => out.push(c),
        }
    }
    match end {
        Some(_) => Err("`${` is not closed".to_owned()),
        None => Ok(out),
    }
}

fn variable(
    chars: &[char],
    at: &mut usize,
    escape: char,
    values: &BTreeMap<String, String>,
    depth: usize,
    out: &mut String,
) -> Result<(), String> {
    let name_at = |from: usize| {
        chars
            .iter()
            .skip(from)
            .take_while(|c| c.is_ascii_alphanumeric() || **c == '_')
            .collect::<String>()
    };
    if chars.get(*at) != Some(&'{') {
        let name = name_at(*at);
        *at += name.chars().count();
        match name.is_empty() {
            true => out.push('$'),
            false => out.push_str(values.get(&name).map_or("", String::as_str)),
        }
        return Ok(());
    }
    *at += 1;
    let name = name_at(*at);
    *at += name.chars().count();
    let value = values.get(&name);
    let colon = chars.get(*at) == Some(&':');
    if colon {
        *at += 1;
    }
    let set = value.filter(|v| !colon || !v.is_empty());
    let operator = chars.get(*at).copied();
    *at += 1;
    match operator {
        Some('}') if !colon => {
            out.push_str(value.map_or("", String::as_str));
            return Ok(());
        }
        Some('-' | '+' | '?') => {}
        _ => return Err(format!("`${{{name}…}}` uses a form that is not supported")),
    }
    let word = expand_until(chars, at, Some('}'), escape, values, depth + 1)?;
    *at += 1;
    match (operator, set) {
        (Some('-'), None) => out.push_str(&word),
        (Some('+'), Some(_)) => out.push_str(&word),
        (Some('+'), None) => {}
        (Some('?'), None) => return Err(format!("{name}: {word}")),
        (_, Some(value)) => out.push_str(value),
        (_, None) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_expanded_as_the_builder_does() {
        let values: BTreeMap<String, String> = [("A", "one"), ("E", ""), ("TAG", "1.2")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into();
        for (word, expected) in [
            ("x:$TAG", "x:1.2"),
            ("${A}b$A", "onebone"),
            ("${N:-d}", "d"),
            ("${E:-d}", "d"),
            ("${E-d}", ""),
            ("${A:+y}${N:+z}", "y"),
            ("${N:-${A}}", "one"),
            ("'$A'", "$A"),
            ("\"$A \"", "one "),
            ("\\$A", "$A"),
            ("\"\\a\"", "\\a"),
            ("$N", ""),
            ("a$", "a$"),
        ] {
            assert_eq!(expand(word, '\\', &values).as_deref(), Ok(expected), "{word}");
        }
        for bad in ["${A", "${N:?is needed}", "${A#x}", "${A:}"] {
            assert!(expand(bad, '\\', &values).is_err(), "{bad}");
        }
        assert!(expand(&"${N:-".repeat(10_000), '\\', &values).is_err());
    }

    #[test]
    fn words_end_at_blanks_outside_quotes() {
        assert_eq!(
            split_words(r#"A=1 B="x y" C='p q' D=e\ f"#, '\\'),
            ["A=1", "B=\"x y\"", "C='p q'", "D=e\\ f"]
        );
    }
}
