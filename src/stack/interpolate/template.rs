//! One text: `$VAR ${VAR} ${VAR:-x} ${VAR-x} ${VAR:?x} ${VAR?x} ${VAR:+x} ${VAR+x} $$`.
//!
//! Measured against docker compose 2.40.3: alternatives are evaluated also where they are not
//! used, the first `}` that closes no inner `${` ends an expression, and a `$` before anything
//! else is itself.

/// The deepest nesting of expressions.
const MAX_DEPTH: usize = 32;
/// The longest result, in bytes.
const MAX_LENGTH: usize = 4 << 20;

/// The most names of unset variables that one text reports.
const MAX_UNSET: usize = 32;

/// Why a text has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateError {
    /// A `${` that begins no expression; the text from there on.
    Invalid(String),
    /// A required variable without a value.
    Required {
        /// The variable.
        name: String,
        /// What the file says about it; may be empty.
        message: String,
    },
    /// Expressions in expressions in expressions.
    TooDeep,
    /// A result beyond all reason.
    TooLong,
}

/// Puts values in the places of variables. A variable without a value is empty, and its name is
/// added to `unset` once, unless the expression says what to do then.
///
/// # Errors
/// See [`TemplateError`].
pub fn substitute<'v>(
    template: &str,
    lookup: &dyn Fn(&str) -> Option<&'v str>,
    unset: &mut Vec<String>,
) -> Result<String, TemplateError> {
    Substitution { lookup, unset }.run(template, 0)
}

struct Substitution<'a, 'v> {
    lookup: &'a dyn Fn(&str) -> Option<&'v str>,
    unset: &'a mut Vec<String>,
}

impl Substitution<'_, '_> {
    fn run(&mut self, template: &str, depth: usize) -> Result<String, TemplateError> {
        if depth > MAX_DEPTH {
            return Err(TemplateError::TooDeep);
        }
        let mut out = String::with_capacity(template.len());
        let mut rest = template;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            if let Some(next) = after.strip_prefix('$') {
                out.push('$');
                rest = next;
            } else if after.starts_with('{') {
                let expression = &rest[at..];
                let end =
                    closing_brace(expression).ok_or_else(|| TemplateError::Invalid(expression.to_owned()))?;
                let value = self.braced(&expression[2..end], &expression[..=end], depth)?;
                out.push_str(&value);
                rest = &expression[end + 1..];
            } else {
                let name = &after[..name_length(after)];
                if name.is_empty() {
                    out.push('$');
                } else {
                    out.push_str(&self.plain(name));
                }
                rest = &after[name.len()..];
            }
            if out.len() > MAX_LENGTH {
                return Err(TemplateError::TooLong);
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    fn plain(&mut self, name: &str) -> String {
        match (self.lookup)(name) {
            Some(value) => value.to_owned(),
            None => {
                if self.unset.len() < MAX_UNSET && !self.unset.iter().any(|u| u == name) {
                    self.unset.push(name.to_owned());
                }
                String::new()
            }
        }
    }

    /// The value of what stands between `${` and `}`.
    fn braced(&mut self, inner: &str, whole: &str, depth: usize) -> Result<String, TemplateError> {
        let invalid = || TemplateError::Invalid(whole.to_owned());
        let (name, rest) = inner.split_at(name_length(inner));
        if name.is_empty() {
            return Err(invalid());
        }
        if rest.is_empty() {
            return Ok(self.plain(name));
        }
        let (empty_is_unset, rest) = match rest.strip_prefix(':') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let mut chars = rest.chars();
        let operator = chars.next().filter(|c| "-?+".contains(*c)).ok_or_else(invalid)?;
        let word = self.run(chars.as_str(), depth + 1)?;
        let value = (self.lookup)(name);
        let usable = value.filter(|v| !(empty_is_unset && v.is_empty()));
        Ok(match (operator, usable) {
            ('+', Some(_)) => word,
            ('+', None) => value.unwrap_or_default().to_owned(),
            (_, Some(value)) => value.to_owned(),
            ('?', None) => {
                return Err(TemplateError::Required {
                    name: name.to_owned(),
                    message: word,
                });
            }
            (_, None) => word,
        })
    }
}

/// Length of the variable name at the beginning: `[A-Za-z_][A-Za-z0-9_]*`.
pub(super) fn name_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(first) if first.is_ascii_alphabetic() || *first == b'_' => bytes
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_')
            .count(),
        _ => 0,
    }
}

/// Where the `${` at the beginning is closed.
pub(super) fn closing_brace(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut open = 0usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'}' {
            open = open.checked_sub(1)?;
            if open == 0 {
                return Some(at);
            }
        } else if *byte == b'$' && bytes.get(at + 1) == Some(&b'{') {
            open += 1;
            if open > MAX_DEPTH * 4 {
                return None;
            }
            at += 1;
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(template: &str) -> String {
        let lookup = |name: &str| match name {
            "SET" => Some("set"),
            "EMPTY" => Some(""),
            _ => None,
        };
        let mut unset = Vec::new();
        let out = match substitute(template, &lookup, &mut unset) {
            Ok(text) => text,
            Err(TemplateError::Invalid(at)) => format!("invalid {at}"),
            Err(TemplateError::Required { name, message }) => format!("required {name}: {message}"),
            Err(other) => format!("{other:?}"),
        };
        if unset.is_empty() {
            out
        } else {
            format!("{out} (unset {})", unset.join(" "))
        }
    }

    /// Each line was run through docker compose 2.40.3.
    #[test]
    fn every_form_gives_what_compose_gives() {
        for (template, wanted) in [
            ("${SET:-${UNSET_X}}", "set (unset UNSET_X)"),
            ("${SET:-${UNSET:?err}}", "required UNSET: err"),
            ("${UNSET:?msg ${SET}}", "required UNSET: msg set"),
            ("${UNSET?}", "required UNSET: "),
            ("${EMPTY?no}", ""),
            ("${EMPTY:?no}", "required EMPTY: no"),
            ("${}", "invalid ${}"),
            ("${1}", "invalid ${1}"),
            ("${A B}", "invalid ${A B}"),
            ("${A:}", "invalid ${A:}"),
            ("${A:=x}", "invalid ${A:=x}"),
            ("$SET$EMPTY-$SET", "set-set"),
            ("${UNSET:-a:-b}", "a:-b"),
            ("${SET+a?b}", "a?b"),
            ("${SET:+a-b}", "a-b"),
            ("${EMPTY:+a}", ""),
            ("${EMPTY+a}", "a"),
            ("${UNSET+a}", ""),
            ("$", "$"),
            ("a$", "a$"),
            ("$1", "$1"),
            ("$(x)", "$(x)"),
            ("$$SET", "$SET"),
            ("$$$SET", "$set"),
            ("$$${SET}", "$set"),
            ("${UNSET:-{}}", "{}"),
            ("${UNSET:-$${B}}", "${B}"),
            ("${UNSET:-$$x}", "$x"),
            ("${UNSET:-a}b}", "ab}"),
            ("${SET", "invalid ${SET"),
            ("${UNSET:-${SET}", "invalid ${UNSET:-${SET}"),
            ("$Ünix", "$Ünix"),
            ("${UNSET:-a?b}", "a?b"),
            ("${UNSET-a:?b}", "a:?b"),
            ("${UNSET:-${UNSET2:-x}}-${SET}", "x-set"),
            ("${unset_LOW-x}", "x"),
            ("${UNSET?a:-b}", "required UNSET: a:-b"),
            ("${SET:-}${UNSET+y}${SET-z}", "setset"),
            ("$UNSET", " (unset UNSET)"),
        ] {
            assert_eq!(check(template), wanted, "{template}");
        }
    }

    #[test]
    fn nesting_and_size_are_bounded() {
        let deep = format!("{}x{}", "${A:-".repeat(20_000), "}".repeat(20_000));
        assert!(check(&deep).starts_with("invalid"));
        let deep = format!("{}x{}", "${A:-".repeat(40), "}".repeat(40));
        assert_eq!(check(&deep), "TooDeep");
        let long = "x".repeat(1 << 20);
        let lookup = |_: &str| Some(long.as_str());
        assert_eq!(
            substitute("$A$A$A$A$A$A", &lookup, &mut Vec::new()),
            Err(TemplateError::TooLong)
        );
    }
}
