//! The project's name (Compose Specification, 04-version-and-name).

use std::path::Path;

use crate::base::ProjectName;

/// Where a name comes from; earlier ones win.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameSource {
    /// `-p`.
    Argument,
    /// `COMPOSE_PROJECT_NAME`.
    Environment,
    /// `name:` in a file.
    File,
    /// The project's folder.
    Folder,
}

/// The project's name, or the text that is none and where it came from.
///
/// # Errors
/// The first name given, where it is not one.
pub fn project_name(
    argument: Option<&str>,
    environment: Option<&str>,
    file: Option<&str>,
    folder: &Path,
) -> Result<ProjectName, (NameSource, String)> {
    // Compose makes a name of what a file says, and takes the other two as they are.
    let file_name = file
        .and_then(ProjectName::normalised)
        .map(|n| n.as_str().to_owned());
    let given = [
        (NameSource::Argument, argument),
        (NameSource::Environment, environment),
        (NameSource::File, file_name.as_deref().or(file)),
    ];
    for (source, name) in given {
        match name {
            None | Some("") => {}
            Some(name) if ProjectName::is_valid(name) => return Ok(ProjectName::from(name)),
            Some(name) => return Err((source, name.to_owned())),
        }
    }
    let folder = folder
        .file_name()
        .map(|n| n.to_string_lossy())
        .unwrap_or_default();
    ProjectName::normalised(&folder).ok_or_else(|| (NameSource::Folder, folder.into_owned()))
}
