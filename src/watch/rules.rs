//! Which change of which file means what.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::base::ServiceName;
use crate::image::ignore::Ignore;
use crate::model::{Hook, MountKind, Project, Service, WatchAction, WatchRule};

/// What editors and tools leave for a moment, on its way to nowhere.
const EPHEMERAL: &str = "**/*___jb_old___
**/*___jb_tmp___
**/.idea/**
**/.#*
**/#*#
**/4913
**/*~
**/.*.swp
**/.*.swx
**/.*.swo
**/.*.swn
**/.*.kate-swp
**/*-go-tmp-umask";

/// A file or folder here and its place in a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mapping {
    /// Here, absolute.
    pub host: PathBuf,
    /// There, absolute.
    pub container: String,
}

/// A command that runs in a service's containers once files were copied.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// The service.
    pub service: ServiceName,
    /// The command.
    pub hook: Hook,
}

/// What a batch of changes means. Done in this order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Work {
    /// Services whose images are built, and whose containers are replaced.
    pub rebuild: BTreeSet<ServiceName>,
    /// Files that are copied, or removed where they are not here any more.
    pub sync: BTreeMap<ServiceName, BTreeSet<Mapping>>,
    /// Services whose containers are restarted.
    pub restart: BTreeSet<ServiceName>,
    /// Commands that run, each once.
    pub exec: Vec<Command>,
}

impl Work {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.rebuild.is_empty() && self.sync.is_empty() && self.restart.is_empty()
    }
}

/// Why nothing can be watched as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotWatched {
    /// No service says what to watch.
    #[error("none of the selected services is configured for watch, consider setting a 'develop' section")]
    Nothing,
    /// A rebuild of what is not built.
    #[error("can't watch service \"{0}\" with action rebuild without a build context")]
    NoBuild(ServiceName),
    /// A copy to nowhere.
    #[error("can't watch service \"{service}\" with action {action} on {path} without a target")]
    NoTarget {
        /// The service.
        service: ServiceName,
        /// The action.
        action: &'static str,
        /// What is watched.
        path: String,
    },
    /// No command to run.
    #[error("can't watch with action \"sync+exec\" on service {0} without a command")]
    NoCommand(ServiceName),
    /// A pattern that is none.
    #[error("service {service} does not watch: {why}")]
    Pattern {
        /// The service.
        service: ServiceName,
        /// Which, and why.
        why: String,
    },
}

/// What is watched, and why.
#[derive(Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    /// What is not watched although it is asked for, in words.
    pub warnings: Vec<String>,
}

#[derive(Debug)]
struct Rule {
    service: ServiceName,
    spec: WatchRule,
    include: Option<Ignore>,
    ignore: Ignore,
    /// `.dockerignore` of the build, and the folder it is about.
    context: Option<(PathBuf, Ignore)>,
}

impl Rules {
    /// The rules of these services; reads their `.dockerignore` files.
    ///
    /// # Errors
    /// Rules that cannot be followed, or none at all.
    pub fn of(project: &Project, services: &[ServiceName]) -> Result<Self, NotWatched> {
        let mut out = Self::default();
        for name in services {
            let Some(service) = project.services.get(name) else {
                continue;
            };
            let specs = service.develop.iter().flat_map(|develop| &develop.watch);
            for spec in specs {
                out.add(name, service, spec)?;
            }
        }
        if out.rules.is_empty() {
            return Err(NotWatched::Nothing);
        }
        Ok(out)
    }

    fn add(&mut self, name: &ServiceName, service: &Service, spec: &WatchRule) -> Result<(), NotWatched> {
        if spec.action == WatchAction::Rebuild && service.build.is_none() {
            return Err(NotWatched::NoBuild(name.clone()));
        }
        if spec.action == WatchAction::SyncExec && spec.exec.as_ref().is_none_or(|e| e.command.is_empty()) {
            return Err(NotWatched::NoCommand(name.clone()));
        }
        if is_sync(spec.action) {
            if spec.target.as_deref().unwrap_or_default().is_empty() {
                return Err(NotWatched::NoTarget {
                    service: name.clone(),
                    action: word(spec.action),
                    path: spec.path.display().to_string(),
                });
            }
            if is_bound(service, &spec.path) {
                let path = spec.path.display();
                self.warnings.push(format!(
                    "path '{path}' also declared by a bind mount volume, this path won't be monitored!"
                ));
                return Ok(());
            }
        }
        let parse = |patterns: &str| {
            patterns_of(patterns).map_err(|why| NotWatched::Pattern {
                service: name.clone(),
                why,
            })
        };
        let include = match spec.include.as_slice() {
            [] => None,
            patterns => Some(parse(&patterns.join("\n"))?),
        };
        let context = match &service.build {
            Some(build) => match dockerignore(build.context.as_ref(), build.dockerfile.as_deref()) {
                Some((folder, text)) => Some((folder, parse(&text)?)),
                None => None,
            },
            None => None,
        };
        self.rules.push(Rule {
            service: name.clone(),
            ignore: parse(&spec.ignore.join("\n"))?,
            spec: spec.clone(),
            include,
            context,
        });
        Ok(())
    }

    /// The paths that are watched.
    pub fn paths(&self) -> BTreeSet<&Path> {
        self.rules.iter().map(|rule| rule.spec.path.as_path()).collect()
    }

    /// Whether any rule builds images.
    pub fn rebuilding(&self) -> Option<&ServiceName> {
        let rule = self
            .rules
            .iter()
            .find(|rule| rule.spec.action == WatchAction::Rebuild);
        rule.map(|rule| &rule.service)
    }

    /// What a batch of changed paths means.
    pub fn work(&self, changed: &BTreeSet<PathBuf>) -> Work {
        let mut work = Work::default();
        let mut commands: BTreeSet<usize> = BTreeSet::new();
        for path in changed {
            for (index, rule) in self
                .rules
                .iter()
                .enumerate()
                .filter(|(_, rule)| rule.counts(path))
            {
                let service = rule.service.clone();
                match rule.spec.action {
                    WatchAction::Rebuild => {
                        work.rebuild.insert(service);
                    }
                    WatchAction::Restart => {
                        work.restart.insert(service);
                    }
                    WatchAction::Sync | WatchAction::SyncRestart | WatchAction::SyncExec => {
                        let mut found = BTreeSet::new();
                        rule.collect(path, &mut found);
                        if found.is_empty() {
                            continue;
                        }
                        if rule.spec.action == WatchAction::SyncRestart {
                            work.restart.insert(service.clone());
                        }
                        if rule.spec.action == WatchAction::SyncExec {
                            commands.insert(index);
                        }
                        work.sync.entry(service).or_default().extend(found);
                    }
                }
            }
        }
        let rules = commands.into_iter().filter_map(|index| self.rules.get(index));
        work.exec = rules
            .filter_map(|rule| {
                Some(Command {
                    service: rule.service.clone(),
                    hook: rule.spec.exec.clone()?,
                })
            })
            .collect();
        work
    }

    /// What is copied before anything has changed (`initial_sync`).
    pub fn initial(&self) -> BTreeMap<ServiceName, BTreeSet<Mapping>> {
        let mut out: BTreeMap<ServiceName, BTreeSet<Mapping>> = BTreeMap::new();
        for rule in &self.rules {
            if rule.spec.initial_sync && is_sync(rule.spec.action) && rule.spec.path.exists() {
                let mut found = BTreeSet::new();
                rule.collect(&rule.spec.path, &mut found);
                out.entry(rule.service.clone()).or_default().extend(found);
            }
        }
        out.retain(|_, found| !found.is_empty());
        out
    }
}

impl Rule {
    /// Whether a change of this path means anything to the rule.
    fn counts(&self, path: &Path) -> bool {
        let Ok(within) = path.strip_prefix(&self.spec.path) else {
            return false;
        };
        let text = within.to_string_lossy();
        if let Some(include) = &self.include
            && !include.excludes(&text)
        {
            return false;
        }
        !self.is_ignored(path, &text)
    }

    fn is_ignored(&self, path: &Path, within: &str) -> bool {
        let in_git = || {
            path.components()
                .any(|part| part == Component::Normal(".git".as_ref()))
        };
        let ephemeral = || {
            let whole = path.to_string_lossy();
            Ignore::parse(EPHEMERAL).is_ok_and(|ignore| ignore.excludes(whole.trim_start_matches('/')))
        };
        let by_context = || {
            self.context.as_ref().is_some_and(|(folder, ignore)| {
                path.strip_prefix(folder)
                    .is_ok_and(|within| ignore.excludes(&within.to_string_lossy()))
            })
        };
        self.ignore.excludes(within) || by_context() || in_git() || ephemeral()
    }

    /// The path and, where it is a folder, all that counts below it. A folder may have come with its
    /// contents, of which nobody told.
    fn collect(&self, path: &Path, out: &mut BTreeSet<Mapping>) {
        let Ok(within) = path.strip_prefix(&self.spec.path) else {
            return;
        };
        let is_dir = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
        let is_root = within.as_os_str().is_empty();
        if is_dir {
            if !is_root && self.is_ignored(path, &within.to_string_lossy()) {
                return;
            }
            for entry in fs::read_dir(path).into_iter().flatten().flatten() {
                self.collect(&entry.path(), out);
            }
        }
        // The root itself is there already, or comes with the first file in it.
        if self.counts(path) && !(is_dir && is_root) {
            out.insert(Mapping {
                host: path.to_owned(),
                container: inside(self.spec.target.as_deref().unwrap_or("/"), within),
            });
        }
    }
}

/// A path below a target, as containers write it.
fn inside(target: &str, within: &Path) -> String {
    let mut out = Path::new("/").join(target);
    out.extend(within.components());
    out.to_string_lossy().into_owned()
}

fn is_sync(action: WatchAction) -> bool {
    matches!(
        action,
        WatchAction::Sync | WatchAction::SyncRestart | WatchAction::SyncExec
    )
}

fn word(action: WatchAction) -> &'static str {
    match action {
        WatchAction::Rebuild => "rebuild",
        WatchAction::Sync => "sync",
        WatchAction::Restart => "restart",
        WatchAction::SyncRestart => "sync+restart",
        WatchAction::SyncExec => "sync+exec",
    }
}

/// Whether the container sees the path anyway.
fn is_bound(service: &Service, path: &Path) -> bool {
    service.volumes.iter().any(|mount| match &mount.kind {
        MountKind::Bind { source, .. } => path.starts_with(source),
        _ => false,
    })
}

/// Patterns as docker compose reads them: a `*` among them takes back all but what is brought back, which
/// leaves nothing ignored.
fn patterns_of(text: &str) -> Result<Ignore, String> {
    if text.lines().any(|line| line.trim() == "*") {
        return Ok(Ignore::default());
    }
    Ignore::parse(text).map_err(|error| error.to_string())
}

/// What a build leaves behind: the folder and the text of its ignore file.
fn dockerignore(context: &str, dockerfile: Option<&str>) -> Option<(PathBuf, String)> {
    let folder = PathBuf::from(context);
    let own = format!("{}.dockerignore", dockerfile.unwrap_or("Dockerfile"));
    let text = fs::read_to_string(folder.join(own))
        .or_else(|_| fs::read_to_string(folder.join(".dockerignore")))
        .ok()?;
    Some((folder, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::testing::Case;

    struct Folder {
        dir: tempfile::TempDir,
        rules: Rules,
    }

    fn rules(stack: &str) -> Folder {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("src/a.txt", "a"),
            ("src/b.log", "b"),
            ("src/sub/c.txt", "c"),
            ("src/node_modules/d.js", "d"),
            ("src/.git/HEAD", "ref"),
            ("conf/app.conf", "x"),
            (".dockerignore", "src/node_modules\n"),
        ] {
            let file = dir.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let text = stack.replace("@", &dir.path().display().to_string());
        let project = Case::new(text).load().project.unwrap();
        let services: Vec<ServiceName> = project.services.keys().cloned().collect();
        let rules = Rules::of(&project, &services).unwrap();
        Folder { dir, rules }
    }

    impl Folder {
        /// What changed paths mean, a line a fact.
        fn work(&self, changed: &[&str]) -> String {
            let changed = changed.iter().map(|path| self.dir.path().join(path)).collect();
            let work = self.rules.work(&changed);
            let mut out: Vec<String> = work.rebuild.iter().map(|s| format!("rebuild {s}")).collect();
            out.extend(copies(&work.sync));
            out.extend(work.restart.iter().map(|s| format!("restart {s}")));
            out.extend(
                work.exec
                    .iter()
                    .map(|c| format!("exec {} {}", c.service, c.hook.command.join(" "))),
            );
            out.join("\n")
        }
    }

    fn copies(sync: &BTreeMap<ServiceName, BTreeSet<Mapping>>) -> Vec<String> {
        let lines = sync
            .iter()
            .flat_map(|(service, found)| found.iter().map(move |m| format!("{service} {}", m.container)));
        lines.collect()
    }

    const STACK: &str = r#"
services:
  app:
    build: "@"
    develop:
      watch:
        - { path: "@/src", action: sync, target: /app, ignore: ["*.log"], initial_sync: true }
        - { path: "@/conf", action: sync+restart, target: /etc/app }
        - { path: "@/requirements.txt", action: rebuild }
  web:
    image: w
    volumes: ["@/conf:/conf"]
    develop:
      watch:
        - { path: "@/src", action: sync+exec, target: /www, include: ["*.txt"], exec: { command: reload now } }
        - { path: "@/conf", action: restart }
        - { path: "@/conf/sub", action: sync, target: /never }
"#;

    #[test]
    fn each_change_means_what_its_rules_say() {
        let folder = rules(STACK);
        assert_eq!(
            folder.work(&["src/b.log", "other", "src/.git/HEAD", "src/.a.txt.swp", "src/x~"]),
            ""
        );
        assert_eq!(
            folder.work(&["src/a.txt", "src/sub/c.txt"]),
            "app /app/a.txt\napp /app/sub/c.txt\nweb /www/a.txt\nexec web reload now"
        );
        // What is gone counts as well; so does a folder, with all that counts below it.
        assert_eq!(folder.work(&["src/gone"]), "app /app/gone");
        assert_eq!(folder.work(&["src/sub"]), "app /app/sub\napp /app/sub/c.txt");
        assert_eq!(folder.work(&["src/node_modules", "src/node_modules/d.js"]), "");
        assert_eq!(
            folder.work(&["conf/app.conf", "requirements.txt"]),
            "rebuild app\napp /etc/app/app.conf\nrestart app\nrestart web"
        );
        assert_eq!(folder.rules.warnings.len(), 1, "{:?}", folder.rules.warnings);
        assert_eq!(
            copies(&folder.rules.initial()),
            ["app /app/a.txt", "app /app/sub", "app /app/sub/c.txt"]
        );
    }

    #[test]
    fn what_cannot_be_watched_is_said() {
        let said = |rule: &str| {
            let stack = format!("services: {{ a: {{ image: x, develop: {{ watch: [{rule}] }} }} }}");
            let project = Case::new(stack).load().project.unwrap();
            Rules::of(&project, &["a".into()]).unwrap_err().to_string()
        };
        assert_eq!(
            said("{ path: x, action: rebuild }"),
            "can't watch service \"a\" with action rebuild without a build context"
        );
        assert_eq!(
            said("{ path: /x, action: sync+exec, target: /y }"),
            "can't watch with action \"sync+exec\" on service a without a command"
        );
        assert!(said("").starts_with("none of the selected services is configured for watch"));
    }
}
