//! `.dockerignore`: which files of a build context stay behind, exactly as the engine's own
//! client decides (moby's `patternmatcher`; BuildKit's walk into excluded folders).

use regex::Regex;

/// A pattern that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: `{pattern}` is not a valid pattern")]
pub struct PatternError {
    /// From 1.
    pub line: usize,
    /// As written.
    pub pattern: String,
}

/// The rules of one ignore file.
#[derive(Debug, Clone, Default)]
pub struct Ignore {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    /// Whether it brings files back (`!`).
    bring_back: bool,
    /// Cleaned pattern, without the `!`.
    pattern: String,
    matcher: Matcher,
}

#[derive(Debug, Clone)]
enum Matcher {
    Exact,
    /// Ends in `**`: everything that begins so.
    Prefix(String),
    /// Begins with `**`: everything that ends so.
    Suffix(String),
    Regex(Regex),
}

impl Ignore {
    /// Reads the text of an ignore file.
    ///
    /// # Errors
    /// A pattern that is not valid.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut rules = Vec::new();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (index, line) in text.lines().enumerate() {
            if line.starts_with('#') {
                continue;
            }
            let line = line.trim();
            let bring_back = line.starts_with('!');
            let written = if bring_back {
                line.get(1..).unwrap_or_default().trim()
            } else {
                line
            };
            let error = || PatternError {
                line: index + 1,
                pattern: line.to_owned(),
            };
            if written.is_empty() {
                if bring_back {
                    return Err(error());
                }
                continue;
            }
            let cleaned = clean(written);
            let pattern = match cleaned.strip_prefix('/') {
                Some(rest) if !rest.is_empty() => rest.to_owned(),
                _ => cleaned,
            };
            let matcher = compile(&pattern).ok_or_else(error)?;
            rules.push(Rule {
                bring_back,
                pattern,
                matcher,
            });
        }
        Ok(Self { rules })
    }

    /// Whether nothing is ignored.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether a path (relative, `/` between its parts) stays behind.
    pub fn excludes(&self, path: &str) -> bool {
        let mut excluded = false;
        for rule in &self.rules {
            // A rule can only change the verdict in one direction.
            if rule.bring_back != excluded {
                continue;
            }
            let hit = rule.matches(path) || parents(path).any(|parent| rule.matches(parent));
            if hit {
                excluded = !rule.bring_back;
            }
        }
        excluded
    }

    /// Whether an excluded folder may hold files that a later rule brings back.
    pub fn may_bring_back_below(&self, folder: &str) -> bool {
        let folder = format!("{folder}/");
        self.rules.iter().filter(|rule| rule.bring_back).any(|rule| {
            let fixed = rule.pattern.trim_end_matches("**").trim_end_matches('/');
            fixed.contains(['*', '?', '[', '\\']) || format!("{fixed}/").starts_with(&folder)
        })
    }
}

impl Rule {
    fn matches(&self, path: &str) -> bool {
        match &self.matcher {
            Matcher::Exact => path == self.pattern,
            Matcher::Prefix(prefix) => path.starts_with(prefix.as_str()),
            Matcher::Suffix(suffix) => {
                path.ends_with(suffix.as_str()) || suffix.strip_prefix('/').is_some_and(|bare| bare == path)
            }
            Matcher::Regex(regex) => regex.is_match(path),
        }
    }
}

/// Every folder above `path`, outermost first.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(at, _)| path.get(..at))
}

/// Go's `filepath.Clean` for patterns.
fn clean(text: &str) -> String {
    let rooted = text.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                _ if rooted => {}
                _ => parts.push(".."),
            },
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// Translates a pattern; `None` where it is not valid.
fn compile(pattern: &str) -> Option<Matcher> {
    #[derive(PartialEq)]
    enum Kind {
        Exact,
        Prefix,
        Suffix,
        Regex,
    }
    let mut kind = Kind::Exact;
    let mut regex = String::from("^");
    let mut chars = pattern.chars().peekable();
    let mut first = true;
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            _ if in_class => {
                match c {
                    ']' => in_class = false,
                    '\\' => {
                        regex.push_str(&escaped(chars.next()?));
                        continue;
                    }
                    // Plain in Go's classes, special in the regex crate's.
                    '[' | '&' | '~' => regex.push('\\'),
                    _ => {}
                }
                regex.push(c);
            }
            '*' if chars.peek() == Some(&'*') => {
                chars.next();
                if chars.peek() == Some(&'/') {
                    chars.next();
                }
                if chars.peek().is_none() {
                    if kind == Kind::Exact {
                        kind = Kind::Prefix;
                    } else {
                        regex.push_str(".*");
                        kind = Kind::Regex;
                    }
                } else {
                    regex.push_str("(.*/)?");
                    kind = Kind::Regex;
                }
                if first {
                    kind = Kind::Suffix;
                }
            }
            '*' => {
                regex.push_str("[^/]*");
                kind = Kind::Regex;
            }
            '?' => {
                regex.push_str("[^/]");
                kind = Kind::Regex;
            }
            '[' => {
                in_class = true;
                regex.push('[');
                kind = Kind::Regex;
                if chars.peek() == Some(&'^') {
                    chars.next();
                    regex.push('^');
                }
                if chars.peek() == Some(&']') {
                    return None;
                }
            }
            '\\' => {
                regex.push_str(&escaped(chars.next()?));
                kind = Kind::Regex;
            }
            _ => regex.push_str(&escaped(c)),
        }
        first = false;
    }
    if in_class {
        return None;
    }
    Some(match kind {
        Kind::Exact => Matcher::Exact,
        Kind::Prefix => Matcher::Prefix(pattern.trim_end_matches('/').strip_suffix("**")?.to_owned()),
        // `**/name` matches at any depth, the top included.
        Kind::Suffix => Matcher::Suffix(pattern.strip_prefix("**")?.to_owned()),
        Kind::Regex => Matcher::Regex(Regex::new(&format!("(?s){regex}$")).ok()?),
    })
}

fn escaped(c: char) -> String {
    regex::escape(c.encode_utf8(&mut [0; 4]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_as_the_engine_reads_them() {
        // (ignore file, path, excluded): moby's own table and the documentation's examples.
        let table: &[(&str, &str, bool)] = &[
            ("**", "file", true),
            ("**", "dir/file", true),
            ("**/", "file", true),
            ("**/", "dir/file", true),
            ("**/**", "dir/file", true),
            ("dir/**", "dir/file", true),
            ("dir/**", "dir/dir2/file", true),
            ("dir/**", "dir2/file", false),
            ("dir/**", "dir", false),
            ("**/dir", "dir/file", true),
            ("**/dir2/*", "dir/dir2/file", true),
            ("**/dir2/*", "dir/dir2/dir2/file", true),
            ("**/dir2/**", "dir/dir2/dir2/file", true),
            ("**file", "file", true),
            ("**file", "dir/file", true),
            ("**/file", "dir/file", true),
            ("**file", "dir/dir/file", true),
            ("**/file*", "dir/dir/file.txt", true),
            ("**/file*txt", "dir/dir/file.txt", true),
            ("**/file*.txt*", "dir/dir/file.txt", true),
            ("**/**/*.txt", "dir/dir/file.txt", true),
            ("**/**/*.txt2", "dir/dir/file.txt", false),
            ("a**/*.txt", "a/file.txt", true),
            ("a**/*.txt", "a/dir/dir/file.txt", true),
            ("a[b-d]e", "ae", false),
            ("a[b-d]e", "ace", true),
            ("a[b-d]e", "aae", false),
            ("a[^b-d]e", "aze", true),
            (".*", ".foo", true),
            (".*", "foo", false),
            ("abc.def", "abcdef", false),
            ("abc.def", "abc.def", true),
            ("abc?def", "abcZdef", true),
            ("abc?def", "abc/def", false),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("**/foo/bar", "foo/bar", true),
            ("**/foo/bar", "dir/dir2/foo/bar", true),
            ("abc/**", "abc/def/ghi", true),
            ("**/.foo", ".foo", true),
            ("**/.foo", "bar.foo", false),
            ("a(b)c/def", "a(b)c/def", true),
            ("a.|)$(}+{bc", "a.|)$(}+{bc", true),
            ("*/temp*", "somedir/temporary.txt", true),
            ("*/*/temp*", "somedir/subdir/temporary.txt", true),
            ("*/temp*", "temp", false),
            ("temp?", "tempa", true),
            ("/foo/bar", "foo/bar", true),
            ("foo/", "foo/x", true),
            ("./foo", "foo", true),
            ("foo/../bar", "bar", true),
            ("docs", "docs/a/b", true),
            ("*.md", "a.md", true),
            ("*.md", "dir/a.md", false),
            ("*.md\n!README.md", "README.md", false),
            ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true),
            ("*.md\nREADME-secret.md\n!README*.md", "README-secret.md", false),
            ("*\n!src", "src/a/b", false),
            ("*\n!src", "other", true),
            ("*\n!src\nsrc/gen", "src/gen/x", true),
            ("*\n!*.conf", "nginx.conf", false),
            ("dir\n!dir/keep/*", "dir/keep/x", false),
            ("dir\n!dir/keep/*", "dir/drop", true),
            ("# comment\n\n  spaced  \n", "spaced", true),
            ("\u{feff}a", "a", true),
            (" #not-a-comment", "#not-a-comment", true),
            ("!a", "a", false),
            ("*\n! a ", "a", false),
            ("", "a", false),
        ];
        for (text, path, excluded) in table {
            let ignore = Ignore::parse(text).unwrap();
            assert_eq!(ignore.excludes(path), *excluded, "{text:?} on {path}");
        }
    }

    #[test]
    fn refuses_patterns_that_cannot_match() {
        for text in ["a\n[", "a\na[", "\n!", "x\na\\", "a\n[]a]", "a\n[b"] {
            let error = Ignore::parse(text).unwrap_err();
            assert_eq!(error.line, 2, "{text}");
        }
    }

    #[test]
    fn walks_into_an_excluded_folder_only_where_something_may_come_back() {
        let of = |text: &str, folder| Ignore::parse(text).unwrap().may_bring_back_below(folder);
        assert!(!of("*", "dir"));
        assert!(of("*\n!dir/a/b", "dir"));
        assert!(of("*\n!dir/a/b", "dir/a"));
        assert!(!of("*\n!dir/a/b", "other"));
        assert!(of("*\n!**/*.txt", "other"));
        assert!(!of("*\n!dir/**", "other"));
        assert!(of("*\n!dir/**", "dir"));
    }
}
