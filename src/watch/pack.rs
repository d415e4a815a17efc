//! Files as a tar for containers.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::Mapping;

/// Writes files into a tar, each under its place in the container, for unpacking at `/`. What went
/// meanwhile is left out; its going is told by another batch.
///
/// # Errors
/// What cannot be read, or written.
pub fn pack(mappings: &BTreeSet<Mapping>, to: impl Write) -> io::Result<()> {
    let mut tar = tar::Builder::new(to);
    tar.follow_symlinks(false);
    tar.sparse(false);
    for mapping in mappings {
        match append(&mut tar, mapping) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let text = format!("{}: {error}", mapping.host.display());
                return Err(io::Error::new(error.kind(), text));
            }
            Ok(()) => {}
        }
    }
    tar.into_inner()?.flush()
}

fn append(tar: &mut tar::Builder<impl Write>, mapping: &Mapping) -> io::Result<()> {
    let name = Path::new(mapping.container.trim_start_matches('/'));
    let found = fs::symlink_metadata(&mapping.host)?;
    if found.is_dir() {
        return tar.append_dir(name, &mapping.host);
    }
    if !found.is_file() {
        return tar.append_path_with_name(&mapping.host, name);
    }
    // A file may grow while it is read: its size is that of what was read.
    let bytes = fs::read(&mapping.host)?;
    let mut header = tar::Header::new_gnu();
    header.set_metadata(&found);
    header.set_size(bytes.len() as u64);
    tar.append_data(&mut header, name, bytes.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_at_its_place_and_what_is_gone_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sub")).unwrap();
        fs::write(dir.path().join("sub/a"), "text").unwrap();
        std::os::unix::fs::symlink("a", dir.path().join("sub/link")).unwrap();
        let mappings = ["sub", "sub/a", "sub/gone", "sub/link"].map(|path| Mapping {
            host: dir.path().join(path),
            container: format!("/app/{path}"),
        });
        let mut bytes = Vec::new();
        pack(&mappings.into(), &mut bytes).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let found: Vec<String> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let link = entry
                    .link_name()
                    .unwrap()
                    .map(|to| format!(" -> {}", to.display()));
                format!("{}{}", entry.path().unwrap().display(), link.unwrap_or_default())
            })
            .collect();
        assert_eq!(found, ["app/sub", "app/sub/a", "app/sub/link -> a"]);
    }
}
