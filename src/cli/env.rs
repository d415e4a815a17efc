//! The environment: each variable that the program reads, declared and documented once, and
//! the values themselves, taken at the start and passed in.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::stack::dotenv;

/// A variable that the program reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnvVar {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub help: &'static str,
}

macro_rules! env_vars {
    ($($constant:ident = $name:literal: $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $constant: &str = $name;
        )*
        /// Every variable that the program reads, in the order in which it is documented.
        pub const ALL: &[EnvVar] = &[$(EnvVar { name: $name, help: $help }),*];
    };
}

env_vars! {
    COMPOSE_FILE = "COMPOSE_FILE": "Stack files, separated by `:` or COMPOSE_PATH_SEPARATOR; used without -f";
    COMPOSE_PATH_SEPARATOR = "COMPOSE_PATH_SEPARATOR": "What separates the paths in COMPOSE_FILE";
    COMPOSE_PROJECT_NAME = "COMPOSE_PROJECT_NAME": "The project's name; used without -p";
    COMPOSE_PROFILES = "COMPOSE_PROFILES": "Active profiles, separated by commas; used without --profile";
    COMPOSE_ENV_FILES = "COMPOSE_ENV_FILES": "Environment files, separated by commas; used without --env-file";
    COMPOSE_DISABLE_ENV_FILE = "COMPOSE_DISABLE_ENV_FILE": "Set to true: the default `.env` is not read";
    COMPOSE_PARALLEL_LIMIT = "COMPOSE_PARALLEL_LIMIT": "How many operations run at once; used without --parallel";
    COMPOSE_PROGRESS = "COMPOSE_PROGRESS": "How progress is shown; used without --progress";
    COMPOSE_ANSI = "COMPOSE_ANSI": "When colours and cursor control are used; used without --ansi";
    COMPOSE_IGNORE_ORPHANS = "COMPOSE_IGNORE_ORPHANS": "Set to true: nothing is said about orphans";
    COMPOSE_REMOVE_ORPHANS = "COMPOSE_REMOVE_ORPHANS": "Set to true: orphans are removed, as with --remove-orphans";
    COMPOSE_STATUS_STDOUT = "COMPOSE_STATUS_STDOUT": "Set to true: progress goes to standard output";
    COMPOSE_MENU = "COMPOSE_MENU": "Set to false: attached `up` follows logs instead of opening the dashboard";
    DOCKER_HOST = "DOCKER_HOST": "Where the engine is reached (unix://, tcp://); before any context";
    DOCKER_CONTEXT = "DOCKER_CONTEXT": "The docker context whose engine is used";
    DOCKER_CONFIG = "DOCKER_CONFIG": "The folder of docker's own settings; default ~/.docker";
    DOCKER_TLS_VERIFY = "DOCKER_TLS_VERIFY": "Whether the engine's certificate is checked (tcp)";
    DOCKER_CERT_PATH = "DOCKER_CERT_PATH": "The folder of the engine's certificates (tcp)";
    NO_COLOR = "NO_COLOR": "Set to anything: no colours";
    CLICOLOR_FORCE = "CLICOLOR_FORCE": "Set to anything but 0: colours also where there is no terminal";
    LC_ALL = "LC_ALL": "The locale; without UTF-8 in it, symbols are ASCII";
    LC_CTYPE = "LC_CTYPE": "The locale where LC_ALL is absent";
    LANG = "LANG": "The locale where LC_ALL and LC_CTYPE are absent";
    TERM = "TERM": "`dumb` means no colours and no cursor control";
    HOME = "HOME": "Where ~/.docker is";
    XDG_CONFIG_HOME = "XDG_CONFIG_HOME": "Where the dashboard's settings are; default ~/.config";
    XDG_STATE_HOME = "XDG_STATE_HOME": "Where the dashboard remembers its looks; default ~/.local/state";
    COLORFGBG = "COLORFGBG": "Set by terminals to their colours: tells a light background from a dark one";
    BROWSER = "BROWSER": "What the dashboard opens URLs with; default xdg-open";
    TZ = "TZ": "The time zone of times that the dashboard shows; default the system's";
    XDG_RUNTIME_DIR = "XDG_RUNTIME_DIR": "Where locks and the rootless engine's socket are";
    GITHUB_ACTIONS = "GITHUB_ACTIONS": "Set to true by CI systems of GitHub's kind: failures are also said as annotations (`::error`)";
    GITHUB_WORKSPACE = "GITHUB_WORKSPACE": "The checked-out repository, which files in annotations are relative to";
    PLATFORM_STACK = "PLATFORM_STACK": "The stack under stacks/ to use; used without --stack";
    PLATFORM_LOG = "PLATFORM_LOG": "What is traced to standard error (`debug`, `platform::execute=trace`)";
    PLATFORM_LOCK_TIMEOUT = "PLATFORM_LOCK_TIMEOUT": "How long another run of the project is waited for; used without --lock-timeout";
    PLATFORM_ENGINE_TIMEOUT = "PLATFORM_ENGINE_TIMEOUT": "How long a lost engine is waited for; used without --engine-timeout";
}

/// The environment of a run: variables, current folder, user.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    vars: BTreeMap<String, String>,
    cwd: Option<PathBuf>,
}

impl Environment {
    /// This process's own.
    pub fn of_process() -> Self {
        Self {
            vars: std::env::vars_os()
                .map(|(name, value)| {
                    (
                        name.to_string_lossy().into_owned(),
                        value.to_string_lossy().into_owned(),
                    )
                })
                .collect(),
            cwd: std::env::current_dir().ok(),
        }
    }

    /// One made of given parts, for tests and embedding.
    pub fn new(vars: impl IntoIterator<Item = (String, String)>, cwd: PathBuf) -> Self {
        Self {
            vars: vars.into_iter().collect(),
            cwd: Some(cwd),
        }
    }

    /// A variable's value; `None` where it is absent or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// Whether a variable is set to something that means yes.
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|v| {
            matches!(
                v.to_ascii_lowercase().as_str(),
                "1" | "t" | "true" | "y" | "yes" | "on"
            )
        })
    }

    /// Whether a variable is set to something that means no.
    pub fn is_false(&self, name: &str) -> bool {
        self.get(name).is_some_and(|v| {
            matches!(
                v.to_ascii_lowercase().as_str(),
                "0" | "f" | "false" | "n" | "no" | "off"
            )
        })
    }

    /// With one variable set.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.vars.insert(name.to_owned(), value.to_owned());
        self
    }

    /// All variables.
    pub fn vars(&self) -> &BTreeMap<String, String> {
        &self.vars
    }

    /// With the `COMPOSE_…` variables of environment files added where they are not set yet, so that
    /// a project can settle how the program behaves, `except` some. Files that cannot be read are the
    /// loader's to report.
    #[must_use]
    pub fn with_files(mut self, files: &[PathBuf], except: &[&str]) -> Self {
        for (name, value) in self.in_files(files) {
            if name.starts_with("COMPOSE_") && !except.contains(&name.as_str()) {
                self.vars.entry(name).or_insert(value);
            }
        }
        self
    }

    /// What environment files say, the later before the earlier; they may refer to variables that are set.
    /// Files that cannot be read are the loader's to report.
    pub fn in_files(&self, files: &[PathBuf]) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for text in files.iter().filter_map(|file| std::fs::read_to_string(file).ok()) {
            let known = |name: &str| self.vars.get(name).or_else(|| found.get(name)).cloned();
            if let Ok(parsed) = dotenv::parse(&text, &known) {
                found.extend(parsed.variables);
            }
        }
        found
    }

    /// A project's environment: the variables that are set, and those of its files beside.
    pub fn of_project(&self, files: &[PathBuf]) -> BTreeMap<String, String> {
        let mut all = self.in_files(files);
        all.extend(self.vars.clone());
        all
    }

    /// The current folder; `None` where it was removed.
    pub fn cwd(&self) -> Option<&std::path::Path> {
        self.cwd.as_deref()
    }

    /// `path` against the current folder.
    pub fn absolute(&self, path: &std::path::Path) -> PathBuf {
        match &self.cwd {
            Some(cwd) => cwd.join(path),
            None => path.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_counts_as_absent() {
        let env = Environment::new(
            [
                ("COMPOSE_FILE".into(), String::new()),
                ("COMPOSE_MENU".into(), "False".into()),
                ("NO_COLOR".into(), "1".into()),
            ],
            "/tmp".into(),
        );
        assert_eq!(env.get(COMPOSE_FILE), None);
        assert!(env.is_false(COMPOSE_MENU));
        assert!(!env.is_true(COMPOSE_MENU));
        assert!(env.is_true(NO_COLOR));
        assert_eq!(env.absolute("x".as_ref()), PathBuf::from("/tmp/x"));
        assert_eq!(env.absolute("/x".as_ref()), PathBuf::from("/x"));
    }

    #[test]
    fn files_add_what_is_not_set() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(".env");
        std::fs::write(
            &file,
            "COMPOSE_PROGRESS=plain\nCOMPOSE_ANSI=\"never\"\nDOCKER_HOST=tcp://elsewhere\n",
        )
        .unwrap();
        let later = dir.path().join("later.env");
        std::fs::write(&later, "COMPOSE_PROGRESS=quiet\nCOMPOSE_ENV_FILES=x\n").unwrap();
        let env = Environment::new([("COMPOSE_ANSI".into(), "always".into())], "/".into())
            .with_files(&[dir.path().join("none"), file, later], &[COMPOSE_ENV_FILES]);
        assert_eq!(env.get(COMPOSE_PROGRESS), Some("quiet"));
        assert_eq!(env.get(COMPOSE_ENV_FILES), None);
        assert_eq!(env.get(COMPOSE_ANSI), Some("always"));
        assert_eq!(env.get(DOCKER_HOST), None);
    }

    #[test]
    fn the_users_page_lists_every_variable() {
        let rows: String = ALL
            .iter()
            .map(|var| format!("| `{}` | {} |\n", var.name, var.help))
            .collect();
        let page = include_str!("../../docs/environment.md");
        assert!(
            page.ends_with(&format!("| variable | meaning |\n|---|---|\n{rows}")),
            "docs/environment.md should end with:\n{rows}"
        );
    }

    #[test]
    fn no_variable_is_declared_twice() {
        let mut names: Vec<_> = ALL.iter().map(|v| v.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }
}
