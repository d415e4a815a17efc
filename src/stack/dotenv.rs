//! Environment files, in Compose's own grammar: quotes, several lines, `export`, `KEY: value`,
//! comments, values of earlier lines and of the environment.

use crate::stack::interpolate::{TemplateError, Variables, substitute};

/// Why a file cannot be read, and the byte at which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvError {
    /// Byte in the text.
    pub at: usize,
    /// What is wrong.
    pub message: String,
}

/// What a file gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvFile {
    /// Variables in the order of their first line; the last value of each.
    pub variables: Vec<(String, String)>,
    /// Variables without a value that values refer to.
    pub unset: Vec<String>,
}

impl EnvFile {
    fn set(&mut self, key: &str, value: String) {
        // A line without a name gives nothing that could be referred to.
        if key.is_empty() {
            return;
        }
        match self.variables.iter_mut().find(|(k, _)| k == key) {
            Some((_, old)) => *old = value,
            None => self.variables.push((key.to_owned(), value)),
        }
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.variables
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, v)| v.as_str())
    }
}

/// Reads a file. `environment` comes before the file's own earlier lines where a value refers
/// to a variable, and gives the value of a line that is a name only.
///
/// # Errors
/// The first line that cannot be read.
pub fn parse(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<EnvFile, EnvError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parser = Parser {
        text,
        at: 0,
        out: EnvFile::default(),
        environment,
    };
    parser.run()?;
    Ok(parser.out)
}

/// Reads a file of the format `raw`: `KEY=VALUE` lines, the value to the end of the line as it is.
///
/// # Errors
/// The first line without a usable name.
pub fn parse_raw(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<EnvFile, EnvError> {
    let mut out = EnvFile::default();
    let mut at = 0;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for line in text.split('\n') {
        let start = at;
        at += line.len() + 1;
        let line = line.strip_suffix('\r').unwrap_or(line);
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let (key, value) = match trimmed.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (trimmed, None),
        };
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(EnvError {
                at: start,
                message: format!("{key:?} is no name of a variable"),
            });
        }
        match value {
            Some(value) => out.set(key, value.to_owned()),
            None => {
                if let Some(value) = environment(key) {
                    out.set(key, value);
                }
            }
        }
    }
    Ok(out)
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    out: EnvFile,
    environment: &'t dyn Fn(&str) -> Option<String>,
}

/// White space within a line.
fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

impl<'t> Parser<'t> {
    fn run(&mut self) -> Result<(), EnvError> {
        while self.next_statement() {
            self.statement()?;
        }
        Ok(())
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn error<T>(&self, message: impl Into<String>) -> Result<T, EnvError> {
        Err(EnvError {
            at: self.at,
            message: message.into(),
        })
    }

    /// Moves over white space and comments; whether there is more.
    fn next_statement(&mut self) -> bool {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches(char::is_whitespace);
            self.at += rest.len() - trimmed.len();
            if trimmed.is_empty() {
                return false;
            }
            if !trimmed.starts_with('#') {
                return true;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    fn statement(&mut self) -> Result<(), EnvError> {
        let rest = self.rest();
        if let Some(after) = rest.strip_prefix("export")
            && after.starts_with([' ', '\t', '\n', '\u{c}', '\r'])
        {
            let trimmed = after.trim_start_matches(is_blank);
            self.at += rest.len() - trimmed.len();
        }
        let rest = self.rest();
        let mut separator = None;
        for (at, c) in rest.char_indices() {
            if is_blank(c) {
                continue;
            }
            match c {
                '=' | ':' | '\n' => {
                    separator = Some((at, c));
                    break;
                }
                '_' | '.' | '-' | '[' | ']' => {}
                c if c.is_alphanumeric() => {}
                c => {
                    self.at += at;
                    let line = rest.lines().next().unwrap_or("");
                    let shown: String = line.chars().take(40).collect();
                    return self.error(format!(
                        "unexpected character {c:?} in the name of a variable: {shown}"
                    ));
                }
            }
        }
        // The last line without a line break: a name only.
        let (end, c) = separator.unwrap_or((rest.len(), '\n'));
        let key = rest[..end].trim_end();
        if key.contains(' ') {
            return self.error(format!("the name of a variable cannot contain a space: {key:?}"));
        }
        self.at += (end + 1).min(rest.len());
        if c == '\n' {
            if let Some(value) = (self.environment)(key) {
                self.out.set(key, value);
            }
            return Ok(());
        }
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_blank).len();
        let value = self.value()?;
        self.out.set(key, value);
        Ok(())
    }

    fn value(&mut self) -> Result<String, EnvError> {
        let rest = self.rest();
        match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote),
            _ => {
                let line = rest.split('\n').next().unwrap_or("");
                let start = self.at;
                self.at += (line.len() + 1).min(rest.len());
                let value = line.split(" #").next().unwrap_or("").trim_end();
                self.expand(value, start)
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, EnvError> {
        let start = self.at;
        let mut value = String::new();
        let mut escaped = false;
        for (at, c) in self.rest().char_indices().skip(1) {
            if c == quote && !escaped {
                self.at += at + c.len_utf8();
                return if quote == '"' {
                    self.expand(&unescape(&value), start)
                } else {
                    Ok(value)
                };
            }
            if c == quote {
                value.push(c);
                escaped = false;
            } else if c == '\\' && !escaped {
                escaped = true;
            } else {
                if escaped {
                    value.push('\\');
                    escaped = false;
                }
                value.push(c);
            }
        }
        self.error("a quoted value without its closing quote")
    }

    fn expand(&mut self, value: &str, start: usize) -> Result<String, EnvError> {
        if !value.contains('$') {
            return Ok(value.to_owned());
        }
        // Values are looked up as owned texts, so they are collected first.
        let mut cache: Variables = Variables::new();
        for name in names(value) {
            let found = (self.environment)(name).or_else(|| self.out.get(name).map(str::to_owned));
            if let Some(found) = found {
                cache.insert(name.to_owned(), found);
            }
        }
        let lookup = |name: &str| cache.get(name).map(String::as_str);
        substitute(value, &lookup, &mut self.out.unset).map_err(|error| EnvError {
            at: start,
            message: match error {
                TemplateError::Invalid(text) => {
                    format!(
                        "`{}` is no valid variable expression",
                        text.chars().take(40).collect::<String>()
                    )
                }
                TemplateError::Required { name, message } => {
                    format!("the required variable `{name}` has no value: {message}")
                }
                TemplateError::TooDeep => "variable expressions are nested too deep".to_owned(),
                TemplateError::TooLong => "the value is too long".to_owned(),
            },
        })
    }
}

/// Every word of a template that may be the name of a variable.
fn names(template: &str) -> impl Iterator<Item = &str> {
    template
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
}

/// Escapes in double quotes: `\a \b \f \n \r \t \v \\ \" \$` and `\0` with up to three octal digits.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (replacement, used) = match after.chars().next() {
            Some('a') => ("\u{7}", 1),
            Some('b') => ("\u{8}", 1),
            Some('f') => ("\u{c}", 1),
            Some('n') => ("\n", 1),
            Some('r') => ("\r", 1),
            Some('t') => ("\t", 1),
            Some('v') => ("\u{b}", 1),
            Some('\\') => ("\\", 1),
            Some('"') => ("\"", 1),
            // The template reads `$$` as a dollar that begins no variable.
            Some('$') => ("$$", 1),
            Some('0') => {
                let digits = after[1..].bytes().take(3).take_while(u8::is_ascii_digit).count();
                let number = &after[1..=digits];
                match u8::from_str_radix(number, 8) {
                    Ok(code) if digits == 3 => out.push(char::from(code)),
                    // Compose drops the zero of an incomplete one.
                    _ => {
                        out.push('\\');
                        out.push_str(number);
                    }
                }
                rest = &after[1 + digits..];
                continue;
            }
            _ => ("\\", 0),
        };
        out.push_str(replacement);
        rest = &after[used..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> String {
        let environment = |name: &str| (name == "SHELL_SET").then(|| "from-shell".to_owned());
        match parse(text, &environment) {
            Ok(file) => file
                .variables
                .iter()
                .map(|(k, v)| format!("{k}={v:?}"))
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => format!("{} at {}", error.message, error.at),
        }
    }

    #[test]
    fn every_form_of_a_line() {
        insta::assert_snapshot!(check("A=1\nB = two words  # comment\n# no\nexport C=3\nD: yaml\n"), @r#"A="1" B="two words" C="3" D="yaml""#);
        insta::assert_snapshot!(check("A='$B # x' # c\nB=\"a\\nb\\\"c\"\nC='it\\'s'\n"), @r#"A="$B # x" B="a\nb\"c" C="it's""#);
        insta::assert_snapshot!(check("A=1\nB=${A}2$C\nC=\"$A\"\nD='$A'\nE=\\$A\nF=\"\\$A\"\n"), @r#"A="1" B="12" C="1" D="$A" E="\\1" F="$A""#);
        insta::assert_snapshot!(check("A=\"line 1\nline 2\"\nB=a#b\nC=a'b'c\nD=\"x\"#c\nE=\n"), @r#"A="line 1\nline 2" B="a#b" C="a'b'c" D="x" E="""#);
        insta::assert_snapshot!(check("SHELL_SET\nOTHER\nA=${SHELL_SET}\nSHELL_SET=x"), @r#"SHELL_SET="x" A="from-shell""#);
        insta::assert_snapshot!(check("A=1\nA=2\r\nB=3\r\n"), @r#"A="2" B="3""#);
        insta::assert_snapshot!(check("A=\"\\0101\\x41\\u0041\\q\\07\\18\\012\""), @r#"A="A\\x41\\u0041\\q\\7\\18\\12""#);
        insta::assert_snapshot!(check("A=\"x\"y\nB=2\nA.b-c[1]=x\n=x\nC=\t'x'\nD=\"\\\\n\"\nE= #x"), @r##"A="x" B="2" A.b-c[1]="x" C="x" D="\\n" E="#x""##);
        insta::assert_snapshot!(check("\u{feff}export\nA=1\nexportB=1\nexport export=1\nexport C"), @r#"A="1" exportB="1" export="1""#);
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        insta::assert_snapshot!(check("A=1\nB%=2\n"), @"unexpected character '%' in the name of a variable: B%=2 at 5");
        insta::assert_snapshot!(check("A B=1\n"), @r#"the name of a variable cannot contain a space: "A B" at 0"#);
        insta::assert_snapshot!(check("A=\"x\n"), @"a quoted value without its closing quote at 2");
        insta::assert_snapshot!(check("A=${x"), @"`${x` is no valid variable expression at 2");
    }

    #[test]
    fn raw_files_are_taken_as_they_are() {
        let file = parse_raw("A=$B \"x\" # y\n# c\n\nB=\nC\n", &|_| None).unwrap();
        assert_eq!(
            file.variables,
            [("A".into(), "$B \"x\" # y".into()), ("B".into(), String::new())]
        );
        assert!(parse_raw("=x", &|_| None).is_err());
    }
}
