//! How the program was called: by its own name, as `docker-compose`, or by the docker CLI as its
//! plugin (`docker compose`). As compose it answers as compose does.
//!
//! Source: docker/cli, `cli-plugins` (metadata, the flags that stand before the plugin's name).

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::env::{self, Environment};
use super::exit::Exit;

/// Whose manners the program has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Persona {
    /// Its own.
    #[default]
    Platform,
    /// Those of docker compose: its exit codes, its words for progress, and `up` without dashboard,
    /// smoke tests and proofs that nobody asked for.
    Compose(Face),
}

/// How docker compose was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// `docker-compose`
    Standalone,
    /// `docker compose`
    Plugin,
}

impl Persona {
    /// Whether it has docker compose's manners.
    pub fn is_compose(self) -> bool {
        matches!(self, Self::Compose(_))
    }

    /// What users type to call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Compose(Face::Standalone) => "docker-compose",
            Self::Compose(Face::Plugin) => "docker compose",
        }
    }

    /// The exit code of a run that ended so. docker compose has one for whatever fails.
    pub fn code(self, exit: Exit) -> u8 {
        match exit {
            Exit::NotAsWanted | Exit::Usage | Exit::Stack | Exit::Engine | Exit::Locked
                if self.is_compose() =>
            {
                1
            }
            exit => exit.code(),
        }
    }
}

/// A call, taken apart.
#[derive(Debug)]
pub enum Called {
    /// The docker CLI asks what kind of plugin this is.
    Metadata,
    /// Something is to be done.
    ToDo {
        /// Whose manners are wanted.
        persona: Persona,
        /// The arguments, the program's name first.
        args: Vec<OsString>,
        /// The environment, with what docker's own flags say.
        env: Environment,
    },
}

/// What the docker CLI calls a plugin with to know it.
const METADATA: &str = "docker-cli-plugin-metadata";
/// Set by the docker CLI for its plugins.
const CALLED_BY_DOCKER: &str = "DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND";
/// The plugin's name, which stands before its own arguments.
const PLUGIN: &str = "compose";

/// Flags of the docker CLI with a value, and the variable that means the same.
const WITH_VALUE: [(&str, &str, Option<&str>); 7] = [
    ("--config", "", Some(env::DOCKER_CONFIG)),
    ("--context", "-c", Some(env::DOCKER_CONTEXT)),
    ("--host", "-H", Some(env::DOCKER_HOST)),
    ("--log-level", "-l", None),
    ("--tlscacert", "", None),
    ("--tlscert", "", None),
    ("--tlskey", "", None),
];
/// Flags of the docker CLI without a value.
const WITHOUT_VALUE: [(&str, &str, Option<&str>); 3] = [
    ("--debug", "-D", None),
    ("--tls", "", None),
    ("--tlsverify", "", Some(env::DOCKER_TLS_VERIFY)),
];

/// Takes a call apart: under which name, and with which of docker's own flags.
pub fn called(args: impl IntoIterator<Item = OsString>, env: Environment) -> Called {
    let args: Vec<OsString> = args.into_iter().collect();
    if args.get(1).is_some_and(|arg| arg == METADATA) {
        return Called::Metadata;
    }
    let program = args.first().map(Path::new).and_then(Path::file_stem);
    if program != Some(OsStr::new("docker-compose")) {
        return Called::ToDo {
            persona: Persona::Platform,
            args,
            env,
        };
    }
    let face = match env.get(CALLED_BY_DOCKER) {
        Some(_) => Face::Plugin,
        None => Face::Standalone,
    };
    let (args, env) = without_dockers_flags(args, env, face);
    Called::ToDo {
        persona: Persona::Compose(face),
        args,
        env,
    }
}

/// The arguments from the program's own on, and what stood before them as environment.
fn without_dockers_flags(
    args: Vec<OsString>,
    mut env: Environment,
    face: Face,
) -> (Vec<OsString>, Environment) {
    let mut args = args.into_iter();
    let mut own: Vec<OsString> = args.next().into_iter().collect();
    let mut args = args.peekable();
    while let Some(arg) = args.peek().and_then(|arg| arg.to_str()).map(str::to_owned) {
        let (flag, mut value) = match arg.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value.to_owned())),
            _ => (arg.as_str(), None),
        };
        let is = |(long, short, _): &&(&str, &str, Option<&str>)| {
            *long == flag || (!short.is_empty() && *short == flag)
        };
        let variable = if let Some((.., variable)) = WITHOUT_VALUE.iter().find(is) {
            value = Some(value.unwrap_or_else(|| "1".to_owned()));
            variable
        } else if let Some((.., variable)) = WITH_VALUE.iter().find(is) {
            variable
        } else {
            break;
        };
        args.next();
        if value.is_none() {
            value = args.next().map(|value| value.to_string_lossy().into_owned());
        }
        if let (Some(variable), Some(value)) = (variable, value) {
            env = env.with(variable, &value);
        }
    }
    if face == Face::Plugin && args.peek().is_some_and(|arg| arg == PLUGIN) {
        args.next();
    }
    own.extend(args);
    (own, env)
}

/// What the docker CLI is told of this plugin.
pub fn metadata(version: &str) -> String {
    let metadata = serde_json::json!({
        "SchemaVersion": "0.1.0",
        "Vendor": "platform",
        "Version": version,
        "ShortDescription": "Docker Compose, by platform",
    });
    format!("{metadata}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(args: &[&str], vars: &[(&str, &str)]) -> (Persona, Vec<String>, Environment) {
        let vars = vars
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let env = Environment::new(vars, "/".into());
        match called(args.iter().map(OsString::from), env) {
            Called::Metadata => panic!("this does something"),
            Called::ToDo { persona, args, env } => {
                let args = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned());
                (persona, args.collect(), env)
            }
        }
    }

    #[test]
    fn the_name_makes_the_manners() {
        assert_eq!(call(&["platform", "up"], &[]).0, Persona::Platform);
        let (persona, args, _) = call(&["/usr/bin/docker-compose", "up", "-d"], &[]);
        assert_eq!(persona, Persona::Compose(Face::Standalone));
        assert_eq!(args, ["up", "-d"]);
        assert_eq!(persona.code(Exit::Stack), 1);
        assert_eq!(persona.code(Exit::Command(3)), 3);
        assert_eq!(Persona::Platform.code(Exit::Stack), 3);
    }

    #[test]
    fn dockers_own_flags_stand_before_the_plugins_name() {
        let by_docker = [(CALLED_BY_DOCKER, "/usr/bin/docker")];
        let (persona, args, env) = call(
            &[
                "/root/.docker/cli-plugins/docker-compose",
                "--context=other",
                "-H",
                "tcp://there",
                "-D",
                "--tlsverify",
                "compose",
                "-f",
                "x.yaml",
                "--context",
            ],
            &by_docker,
        );
        assert_eq!(persona, Persona::Compose(Face::Plugin));
        assert_eq!(args, ["-f", "x.yaml", "--context"]);
        assert_eq!(env.get(env::DOCKER_CONTEXT), Some("other"));
        assert_eq!(env.get(env::DOCKER_HOST), Some("tcp://there"));
        assert_eq!(env.get(env::DOCKER_TLS_VERIFY), Some("1"));
    }

    #[test]
    fn a_plugin_tells_what_it_is() {
        let args = ["docker-compose", METADATA].map(OsString::from);
        assert!(matches!(called(args, Environment::default()), Called::Metadata));
        let metadata: serde_json::Value = serde_json::from_str(&metadata("1.2.3")).unwrap();
        assert_eq!(metadata["SchemaVersion"], "0.1.0");
        assert_eq!(metadata["Version"], "1.2.3");
    }
}
