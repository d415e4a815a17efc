//! Recipes: how an image is made from distribution packages (`images/README.md`).

mod decode;
mod yaml;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

pub(super) use decode::{provenance_labels, version_label};

use super::ImageError;
use super::context::{Context, hash_folder};
use crate::stack::scope::clean;

/// A recipe: a folder with a `recipe.yaml`, or with a Dockerfile alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// Its folder.
    pub folder: PathBuf,
    /// The image it stands in for, where it says.
    pub provides: Option<String>,
    /// One line for people.
    pub title: String,
    /// How long it may take.
    pub timeout: Duration,
    /// Where the image holds its version in one line.
    pub version_file: String,
    /// Whether it only imitates the image, for tests.
    pub stand_in: bool,
    /// How it makes the image.
    pub kind: Kind,
}

/// How a recipe makes its image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A command writes a root file system as a tar, which is imported.
    RootFs(RootFs),
    /// A build.
    Dockerfile {
        /// The Dockerfile, relative to the recipe's folder.
        dockerfile: String,
        /// The build context, relative to the recipe's folder; that folder itself where absent.
        context: Option<String>,
    },
}

/// A command that writes a root file system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RootFs {
    /// The command, run in the recipe's folder.
    pub run: Vec<String>,
    /// Variables for it.
    pub environment: BTreeMap<String, String>,
    /// Commands that it needs, each with its package.
    pub tools: Vec<Need>,
    /// Files that it needs, each with its package.
    pub files: Vec<Need>,
    /// Configuration of the image, as instructions of a Dockerfile.
    pub changes: Vec<String>,
}

/// Something that a recipe needs on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// A command's name, or a file's absolute path.
    pub name: String,
    /// The Debian or Ubuntu package that has it.
    pub package: String,
}

/// A recipe that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {message}", .path.display(), .line.map(|l| format!(":{l}")).unwrap_or_default())]
pub struct RecipeError {
    /// The file or folder.
    pub path: PathBuf,
    /// The line, from 1, where one is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

/// How long a recipe may take that does not say.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// Where images made here hold their version in one line.
pub const VERSION_FILE: &str = "/usr/share/platform/image.version";
/// Part of every hash; raised when the way in which recipes are carried out changes.
const HASH_VERSION: &[u8] = b"platform recipe 1";

impl Recipe {
    /// Reads the recipe of a folder.
    ///
    /// # Errors
    /// No recipe there, or one that is wrong.
    pub fn read(folder: &Path) -> Result<Self, RecipeError> {
        let path = folder.join("recipe.yaml");
        match fs::read_to_string(&path) {
            Ok(text) => {
                decode::decode(&text, folder).map_err(|(line, message)| RecipeError { path, line, message })
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound && folder.join("Dockerfile").is_file() => {
                Ok(Self {
                    folder: folder.to_owned(),
                    provides: None,
                    title: format!("built from {}", folder.display()),
                    timeout: DEFAULT_TIMEOUT,
                    version_file: VERSION_FILE.to_owned(),
                    stand_in: false,
                    kind: Kind::Dockerfile {
                        dockerfile: "Dockerfile".to_owned(),
                        context: None,
                    },
                })
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => Err(RecipeError {
                path: folder.to_owned(),
                line: None,
                message: "it has neither a recipe.yaml nor a Dockerfile".to_owned(),
            }),
            Err(e) => Err(RecipeError {
                path,
                line: None,
                message: e.to_string(),
            }),
        }
    }

    /// The folder whose files decide the result: the build context, else the recipe's own.
    pub fn context(&self) -> PathBuf {
        match &self.kind {
            Kind::Dockerfile {
                context: Some(context),
                ..
            } => clean(&self.folder.join(context)),
            _ => self.folder.clone(),
        }
    }

    /// What the result depends on beside the archive: the context's files and the base images.
    /// Blocking. In hexadecimal.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn hash(&self, bases: &[String]) -> Result<String, ImageError> {
        let mut hasher = Sha256::new();
        hasher.update(HASH_VERSION);
        let dockerfile = match &self.kind {
            Kind::RootFs(_) => None,
            Kind::Dockerfile { dockerfile, .. } => Some(self.folder.join(dockerfile)),
        };
        let root = self.context();
        let ignore = Context::ignore_for(&root, dockerfile.as_deref())?;
        hash_folder(&root, &ignore, &mut hasher)?;
        // What the ignore file leaves out of the context, but decides the result all the same.
        for path in dockerfile.into_iter().chain([self.folder.join("recipe.yaml")]) {
            if let Ok(bytes) = fs::read(path) {
                hasher.update((bytes.len() as u64).to_le_bytes());
                hasher.update(&bytes);
            }
        }
        for base in bases {
            hasher.update((base.len() as u64).to_le_bytes());
            hasher.update(base);
        }
        Ok(hasher.finalize().iter().map(|b| format!("{b:02x}")).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dockerfile_alone_is_a_recipe() {
        let dir = tempfile::tempdir().unwrap();
        let error = Recipe::read(dir.path()).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("it has neither a recipe.yaml nor a Dockerfile")
        );
        fs::write(dir.path().join("Dockerfile"), "FROM a").unwrap();
        let recipe = Recipe::read(dir.path()).unwrap();
        assert!(matches!(recipe.kind, Kind::Dockerfile { .. }));
    }

    #[test]
    fn the_hash_follows_inputs_and_bases() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("Dockerfile"), "FROM a").unwrap();
        fs::write(dir.path().join(".dockerignore"), "*\n!kept").unwrap();
        fs::write(dir.path().join("kept"), "1").unwrap();
        let recipe = Recipe::read(dir.path()).unwrap();
        let first = recipe.hash(&["x".into()]).unwrap();
        assert_eq!(first.len(), 64);
        fs::write(dir.path().join("ignored"), "1").unwrap();
        assert_eq!(recipe.hash(&["x".into()]).unwrap(), first);
        assert_ne!(recipe.hash(&["y".into()]).unwrap(), first);
        fs::write(dir.path().join("kept"), "2").unwrap();
        let second = recipe.hash(&["x".into()]).unwrap();
        assert_ne!(second, first);
        fs::write(dir.path().join("Dockerfile"), "FROM b").unwrap();
        assert_ne!(recipe.hash(&["x".into()]).unwrap(), second);
    }

    #[test]
    fn a_context_above_shares_files_between_recipes() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("a/recipe.yaml", "{recipe: 1, kind: dockerfile, context: ..}");
        write("a/Dockerfile", "FROM a");
        write("a/Dockerfile.dockerignore", "*\n!shared/*\n!a/*.conf");
        write("a/a.conf", "1");
        write("b/b.conf", "1");
        write("shared/x", "1");
        let recipe = Recipe::read(&dir.path().join("a")).unwrap();
        assert_eq!(recipe.context(), dir.path());
        let hash = || recipe.hash(&[]).unwrap();
        let first = hash();
        write("b/b.conf", "another recipe's own");
        assert_eq!(hash(), first);
        for file in ["a/a.conf", "a/Dockerfile", "shared/x"] {
            let before = hash();
            write(file, "FROM 2");
            assert_ne!(hash(), before, "{file}");
        }
    }
}
