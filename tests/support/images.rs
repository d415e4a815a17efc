//! Tiny images made without any registry: one static busybox and its links.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{FlockOperation, flock};

use super::docker::{Docker, Failure, encode};

/// The commands that a test image has.
const APPLETS: &[&str] = &[
    "cat", "chmod", "cp", "date", "dd", "echo", "env", "false", "grep", "head", "hostname", "httpd", "id",
    "kill", "ls", "mkdir", "mv", "nc", "printf", "ps", "rm", "sed", "seq", "sh", "sleep", "stat", "tail",
    "test", "touch", "true", "usleep", "wc", "wget", "yes",
];

/// What a test image does unless told otherwise.
const DEFAULTS: &[&str] = &["ENV PATH=/bin", "CMD [\"pause\"]"];

/// Runs for ever, and ends at once when asked to: as process 1, plain `sleep` does not hear SIGTERM.
const PAUSE: &str = "#!/bin/sh\ntrap 'exit 0' TERM INT\nsleep 2147483647 &\nwait\n";
/// Serves `/www` on port 80 or the given one, after so many seconds; ends at once when asked to.
const SERVE: &str =
    "#!/bin/sh\ntrap 'exit 0' TERM INT\nsleep ${2:-0} & wait $!\nhttpd -f -p ${1:-80} -h /www &\nwait\n";

/// The files of a test image as a tar archive, made once for all test processes.
pub fn rootfs() -> Vec<u8> {
    let dir = cache();
    fs::create_dir_all(&dir).unwrap();
    let lock = File::create(dir.join("lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let path = dir.join("rootfs-2.tar");
    if !path.exists() {
        let busybox = fs::read(find_busybox(&dir)).unwrap();
        let part = dir.join("rootfs.part");
        fs::write(&part, archive(&busybox)).unwrap();
        fs::rename(&part, &path).unwrap();
    }
    fs::read(path).unwrap()
}

/// Makes the image `reference` in `engine`. `changes` are Dockerfile lines (`CMD`, `EXPOSE`, `USER`,
/// `ENV`, `HEALTHCHECK` …), laid over those that make it run for ever (`pause`).
#[track_caller]
pub fn make(engine: &Docker, reference: &str, changes: &[&str]) {
    let (repository, tag) = reference.rsplit_once(':').unwrap_or((reference, "latest"));
    let mut path = format!(
        "/images/create?fromSrc=-&repo={}&tag={}",
        encode(repository),
        encode(tag)
    );
    for change in DEFAULTS.iter().chain(changes) {
        path.push_str("&changes=");
        path.push_str(&encode(change));
    }
    let answer = engine
        .raw("POST", &path, "application/x-tar", &rootfs())
        .unwrap_or_else(|failure| panic!("import {reference}: {failure}"));
    let answer = String::from_utf8_lossy(&answer);
    assert!(
        answer.contains("sha256:") && !answer.contains("\"error\""),
        "import {reference}: {answer}"
    );
}

/// Takes the image away, also from containers' use; none of that name is fine.
pub fn remove(engine: &Docker, reference: &str) {
    match engine.raw("DELETE", &format!("/images/{reference}?force=1"), "", &[]) {
        Ok(_) | Err(Failure::Status(404 | 409, _)) => {}
        Err(failure) => panic!("remove image {reference}: {failure}"),
    }
}

/// Where the archive is kept: `target/test-images`.
fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .unwrap()
        .join("test-images")
}

/// A static busybox: `PLATFORM_TEST_BUSYBOX`, else Debian's package, else one on the path.
fn find_busybox(dir: &Path) -> PathBuf {
    if let Some(path) = std::env::var_os("PLATFORM_TEST_BUSYBOX") {
        return path.into();
    }
    let unpacked = dir.join("package");
    fs::create_dir_all(&unpacked).unwrap();
    let script = "apt-get download -q busybox-static >&2 && dpkg-deb -x busybox-static_*.deb . && rm busybox-static_*.deb";
    let fetched = Command::new("sh")
        .args(["-c", script])
        .current_dir(&unpacked)
        .output()
        .unwrap();
    let found = ["bin/busybox", "usr/bin/busybox"].map(|path| unpacked.join(path));
    if let Some(path) = found.into_iter().find(|path| path.exists()) {
        return path;
    }
    let on_path = ["/bin/busybox", "/usr/bin/busybox"].map(PathBuf::from);
    let static_one = on_path
        .into_iter()
        .find(|path| fs::read(path).is_ok_and(|bytes| is_static(&bytes)));
    static_one.unwrap_or_else(|| {
        panic!(
            "no static busybox: install busybox-static or set PLATFORM_TEST_BUSYBOX\n{}",
            String::from_utf8_lossy(&fetched.stderr)
        )
    })
}

/// Whether the program names no loader.
fn is_static(program: &[u8]) -> bool {
    program.starts_with(b"\x7fELF") && !program.windows(8).any(|eight| eight == b"ld-linux")
}

/// The archive: busybox, its links, a user list and the folders that programs expect.
pub fn archive(busybox: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for dir in ["bin/", "etc/", "tmp/", "www/", "data/"] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_size(0);
        header.set_mode(if dir == "tmp/" { 0o1777 } else { 0o755 });
        tar.append_data(&mut header, dir, &[][..]).unwrap();
    }
    let users = b"root:x:0:0:root:/:/bin/sh\nuser:x:1000:1000:user:/:/bin/sh\n";
    for (path, mode, bytes) in [
        ("bin/busybox", 0o755, busybox),
        ("bin/pause", 0o755, PAUSE.as_bytes()),
        ("bin/serve", 0o755, SERVE.as_bytes()),
        ("etc/passwd", 0o644, &users[..]),
        ("etc/group", 0o644, b"root:x:0:\nuser:x:1000:\n"),
        ("www/index.html", 0o644, b"hello\n"),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(mode);
        tar.append_data(&mut header, path, bytes).unwrap();
    }
    for applet in APPLETS {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        header.set_mode(0o777);
        tar.append_link(&mut header, format!("bin/{applet}"), "busybox")
            .unwrap();
    }
    tar.into_inner().unwrap()
}
