//! Findings: what was found, where, and what to do about it.

use crate::stack::source::Span;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The stack cannot be used.
    Error,
    /// The stack can be used, and probably does not do what its author thinks.
    Warning,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What kind of finding it is; stable, for machines and for looking it up.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// The code as shown.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

codes! {
    /// Not YAML.
    Syntax = "yaml-syntax",
    /// YAML beyond a limit: size, depth, number of nodes.
    Limit = "yaml-limit",
    /// A key that stands twice in one mapping.
    DuplicateKey = "duplicate-key",
    /// An alias without anchor, or within its own anchor.
    Alias = "yaml-alias",
    /// A file that cannot be read, or is not text.
    Read = "cannot-read",
    /// No stack file where one was looked for.
    NotFound = "no-stack-file",
    /// A `${…}` that cannot be read.
    Interpolation = "interpolation",
    /// A required variable without a value.
    RequiredVariable = "required-variable",
    /// A variable without a value, which then is empty.
    UnsetVariable = "unset-variable",
    /// A line of an environment file that cannot be read.
    EnvFile = "env-file",
    /// A value of the wrong type.
    Type = "wrong-type",
    /// A value of the right type that is not allowed.
    Value = "wrong-value",
    /// An attribute that does not exist.
    UnknownKey = "unknown-attribute",
    /// An attribute of the specification that this version cannot do.
    NotSupported = "not-supported",
    /// An attribute that must be there.
    Missing = "missing-attribute",
    /// Attributes that exclude each other.
    Conflict = "conflict",
    /// A name that refers to nothing.
    Undefined = "undefined-reference",
    /// Something that needs itself.
    Cycle = "cycle",
    /// A project name that is none.
    ProjectName = "project-name",
    /// Two services that want the same thing of the host.
    Duplicate = "duplicate",
    /// Something that is tolerated and does nothing.
    Obsolete = "obsolete",
    /// Something that is allowed and most likely a mistake.
    Suspicious = "suspicious",
}

/// A place and what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What it is; empty where the message says it.
    pub text: String,
}

/// Something found. The first label is where the user should look first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it weighs.
    pub severity: Severity,
    /// What kind it is.
    pub code: Code,
    /// What is wrong, in one line.
    pub message: String,
    /// Where.
    pub labels: Vec<Label>,
    /// What to do, one line each.
    pub help: Vec<String>,
}

impl Finding {
    /// An error.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            labels: Vec::new(),
            help: Vec::new(),
        }
    }

    /// A warning.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message)
        }
    }

    /// With a place that the message already explains.
    pub fn at(self, span: Span) -> Self {
        self.label(span, "")
    }

    /// With a place and what it is.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// With advice.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// With advice, where there is any.
    pub fn help_opt(self, text: Option<String>) -> Self {
        match text {
            Some(text) => self.help(text),
            None => self,
        }
    }
}

/// More errors, or more warnings, than this are counted, not kept: nobody reads them, and a
/// hostile file could otherwise fill the memory with them.
const MOST_KEPT: usize = 100;

/// Findings as they are collected.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    errors: Kept,
    warnings: Kept,
}

#[derive(Debug, Clone, Default)]
struct Kept {
    findings: Vec<Finding>,
    dropped: usize,
}

impl Kept {
    fn push(&mut self, finding: Finding) {
        if self.findings.len() >= MOST_KEPT {
            self.dropped += 1;
        } else if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    fn into_findings(mut self, severity: Severity) -> Vec<Finding> {
        if self.dropped > 0 {
            let what = match severity {
                Severity::Error => "errors",
                Severity::Warning => "warnings",
            };
            self.findings.push(Finding {
                severity,
                ..Finding::error(Code::Limit, format!("{} more {what} are not shown", self.dropped))
            });
        }
        self.findings
    }
}

impl Findings {
    /// Adds a finding; one that is there already is not repeated.
    pub fn push(&mut self, finding: Finding) {
        match finding.severity {
            Severity::Error => self.errors.push(finding),
            Severity::Warning => self.warnings.push(finding),
        }
    }

    /// Whether further errors are only counted, so that no work need go into their words.
    pub fn is_full(&self) -> bool {
        self.errors.findings.len() >= MOST_KEPT
    }

    /// Whether there is an error.
    pub fn has_errors(&self) -> bool {
        !self.errors.findings.is_empty()
    }

    /// The findings, errors first, each group in the order of discovery.
    pub fn into_sorted(self) -> Vec<Finding> {
        let mut all = self.errors.into_findings(Severity::Error);
        all.extend(self.warnings.into_findings(Severity::Warning));
        all
    }
}
