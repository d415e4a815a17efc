//! What is looked for in lines: a text or a regular expression.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

/// The most places that are marked in a line.
const PLACES: usize = 200;
/// How large a compiled expression may be, in bytes.
const SIZE: usize = 1 << 20;

/// A text or regular expression that lines are looked through with.
///
/// - `text` is found as it stands;
/// - `/text/` is a regular expression, and so is what cannot well be meant as it stands: `a|b`,
///   `GET .*`, `\d+`, `^start`, `end$`;
/// - a `!` before it turns it around;
/// - capital letters count only where there is one.
#[derive(Debug, Clone, Default)]
pub struct Query {
    source: String,
    regex: Option<Regex>,
    inverted: bool,
    error: Option<String>,
}

impl PartialEq for Query {
    fn eq(&self, other: &Self) -> bool {
        (&self.source, self.inverted) == (&other.source, other.inverted)
    }
}

impl Query {
    /// Reads a query. One that cannot be read has an [`Self::error`] and finds everything.
    pub fn new(source: &str) -> Self {
        let (inverted, text) = match source.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, source),
        };
        let mut query = Self {
            source: text.to_owned(),
            inverted: inverted && !text.is_empty(),
            ..Self::default()
        };
        if text.is_empty() {
            return query;
        }
        let explicit = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        let compiled = match explicit.filter(|inner| !inner.is_empty()) {
            Some(expression) => compile(expression),
            None if is_expression(text) => compile(text).or_else(|_| compile(&regex::escape(text))),
            None => compile(&regex::escape(text)),
        };
        match compiled {
            Ok(regex) => query.regex = Some(regex),
            Err(why) => query.error = Some(why),
        }
        query
    }

    /// Whether nothing is looked for.
    pub fn is_empty(&self) -> bool {
        self.source.is_empty()
    }

    /// As it was typed.
    pub fn text(&self) -> String {
        let mark = if self.inverted { "!" } else { "" };
        format!("{mark}{}", self.source)
    }

    /// Why it cannot be read.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Whether it looks for what does not contain the text.
    pub fn is_inverted(&self) -> bool {
        self.inverted
    }

    /// Turns it around.
    pub fn invert(&mut self) {
        self.inverted = !self.inverted && !self.is_empty();
    }

    /// Whether the text is in it, turned around or not; `None` where nothing is looked for.
    pub fn finds(&self, text: &str) -> Option<bool> {
        self.regex.as_ref().map(|regex| regex.is_match(text))
    }

    /// Whether a line with this text is wanted.
    pub fn accepts(&self, text: &str) -> bool {
        self.finds(text).is_none_or(|found| found != self.inverted)
    }

    /// The places to be marked: none where it is turned around.
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        match &self.regex {
            Some(regex) if !self.inverted => {
                let found = regex.find_iter(text).map(|found| found.range());
                found.filter(|place| !place.is_empty()).take(PLACES).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Whether a text can well be meant only as a regular expression.
fn is_expression(text: &str) -> bool {
    const SIGNS: [&str; 9] = ["|", ".*", ".+", "\\d", "\\w", "\\s", "\\b", "\\.", "]+"];
    (text.len() > 1 && (text.starts_with('^') || text.ends_with('$')))
        || SIGNS.iter().any(|sign| text.contains(sign))
}

fn compile(expression: &str) -> Result<Regex, String> {
    RegexBuilder::new(expression)
        .case_insensitive(!has_capital(expression))
        .size_limit(SIZE)
        .dfa_size_limit(4 * SIZE)
        .build()
        .map_err(|error| {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        })
}

/// Whether a capital letter is meant: that of `\S` is none.
fn has_capital(expression: &str) -> bool {
    let mut escaped = false;
    expression.chars().any(|c| {
        let counts = c.is_uppercase() && !escaped;
        escaped = c == '\\' && !escaped;
        counts
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_expressions_and_capitals() {
        let accepts = |query: &str, text: &str| Query::new(query).accepts(text);
        assert!(accepts("error", "an ERROR"));
        assert!(!accepts("Error", "an ERROR"));
        assert!(accepts("[main]", "x [main] y") && !accepts("[main]", "main"));
        assert!(accepts("a.b", "a.b") && !accepts("a.b", "axb"));
        assert!(accepts("/a.b/", "axb"));
        assert!(accepts("warn|error", "Warning"));
        assert!(accepts("/health", "GET /health") && !accepts("/health", "GET health"));
        assert!(accepts(r"status=5\d\d", "status=503") && !accepts(r"status=5\d\d", "status=200"));
        assert!(accepts(r"/\S+x/", "AX"), "the capital of a class is none");
        assert!(accepts("!health", "GET /") && !accepts("!health", "GET /Health"));
        assert!(accepts("", "anything") && accepts("!", "anything"));
        assert!(accepts("||", "a || b") && accepts("*|", "a *| b"));
    }

    #[test]
    fn what_cannot_be_read_says_why_and_hides_nothing() {
        let query = Query::new("/(a/");
        assert_eq!(query.error(), Some("unclosed group"));
        assert!(query.accepts("x"));
        assert!(query.places("(a").is_empty());
        assert!(Query::new(r"/(\w{500}){500}/").error().is_some(), "too large");
    }

    #[test]
    fn places_and_turning_around() {
        let mut query = Query::new("/a*/");
        assert_eq!(query.places("baac"), vec![1..3]);
        query.invert();
        assert_eq!((query.text().as_str(), query.places("baac").len()), ("!/a*/", 0));
        query.invert();
        assert_eq!(query.text(), "/a*/");
    }
}
