//! Where the programs are: docker's plugins, and the search path.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where docker's plugins are on every machine, in the order in which docker looks.
const SYSTEM: [&str; 4] = [
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
];
/// Tells a docker plugin that docker called it; whoever else calls it leaves it out.
const CALLED_BY_DOCKER: &str = "DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND";

/// What is known of the programs of this machine: the environment that they are given, which is the
/// project's own, and where that says that they are.
#[derive(Debug, Clone, Default)]
pub struct Programs {
    variables: BTreeMap<String, String>,
}

impl Programs {
    /// Programs that are given these variables.
    pub fn new(mut variables: BTreeMap<String, String>) -> Self {
        variables.remove(CALLED_BY_DOCKER);
        Self { variables }
    }

    pub(super) fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|v| !v.is_empty())
    }

    /// The folder of docker's own settings.
    pub(super) fn docker_folder(&self) -> Option<PathBuf> {
        let configured = self.variable("DOCKER_CONFIG").map(PathBuf::from);
        configured.or_else(|| Some(Path::new(self.variable("HOME")?).join(".docker")))
    }

    /// A plugin of docker's command line: `docker-NAME` in the folders that docker's settings name, the
    /// user's own and the system's.
    pub fn plugin(&self, name: &str) -> Option<PathBuf> {
        let folder = self.docker_folder();
        let settings = folder
            .as_ref()
            .and_then(|folder| fs::read(folder.join("config.json")).ok())
            .and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
        let extra = settings.iter().flat_map(|settings| {
            let listed = settings["cliPluginsExtraDirs"].as_array();
            listed
                .into_iter()
                .flatten()
                .filter_map(|dir| dir.as_str().map(PathBuf::from))
        });
        extra
            .chain(folder.iter().map(|folder| folder.join("cli-plugins")))
            .chain(SYSTEM.map(PathBuf::from))
            .map(|dir| dir.join(format!("docker-{name}")))
            .find(|file| file.is_file())
    }

    /// A program on the search path, or the file where the name is a path.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let runs = |file: &PathBuf| {
            fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
        };
        if name.contains('/') {
            return Some(PathBuf::from(name)).filter(runs);
        }
        let path = self.variable("PATH")?;
        path.split(':')
            .filter(|dir| dir.starts_with('/'))
            .map(|dir| Path::new(dir).join(name))
            .find(runs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_of_the_users_own_and_a_program_on_the_path_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str, mode: u32| {
            let file = dir.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "#!/bin/sh\n").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            file
        };
        let own = make(".docker/cli-plugins/docker-cloud", 0o755);
        let further = make("more/docker-cloudy", 0o755);
        let program = make("bin/cloudlet", 0o755);
        make("bin/data", 0o644);
        let more = serde_json::json!({"cliPluginsExtraDirs": [dir.path().join("more")]});
        fs::write(dir.path().join(".docker/config.json"), more.to_string()).unwrap();
        let text = |path: &str| dir.path().join(path).display().to_string();
        let programs = Programs::new(BTreeMap::from([
            ("HOME".to_owned(), text("")),
            ("PATH".to_owned(), format!("relative:{}", text("bin"))),
            (CALLED_BY_DOCKER.to_owned(), "docker".to_owned()),
        ]));
        assert_eq!(programs.plugin("cloud"), Some(own));
        assert_eq!(programs.plugin("cloudy"), Some(further));
        assert_eq!(programs.plugin("cloudlet"), None);
        assert_eq!(programs.program("cloudlet"), Some(program.clone()));
        assert_eq!(programs.program(&program.display().to_string()), Some(program));
        assert_eq!(programs.program("data"), None, "it is not executable");
        assert!(!programs.variables().contains_key(CALLED_BY_DOCKER));
    }
}
