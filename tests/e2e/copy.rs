//! `cp`, `export` and `commit` against a real engine; what `cp` gives is docker compose's.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::engine::peer;
use crate::support::cli::Cli;
use crate::support::images;
use crate::support::project::Project;

fn stack() -> Project {
    let project = Project::shared();
    project.stack("services:\n  app: { image: \"@image@\", scale: 2 }\n  off: { image: \"@image@\" }\n");
    project.file("src/sub/file", "one\n");
    symlink("sub/file", project.dir().join("src/link")).unwrap();
    project.run(["up", "-d"]).expect(0);
    project.run(["stop", "off"]).expect(0);
    project
}

/// Every path below a folder, with what is in files and where links lead.
fn listing(folder: &Path) -> Vec<String> {
    let mut out = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let kind = path.symlink_metadata().unwrap().file_type();
            let what = if kind.is_symlink() {
                format!("-> {}", fs::read_link(&path).unwrap().display())
            } else if kind.is_dir() {
                folders.push(path.clone());
                "/".to_owned()
            } else {
                fs::read_to_string(&path).unwrap_or_else(|_| "bytes".into())
            };
            out.push(format!("{} {what}", path.display()));
        }
    }
    out.sort();
    out
}

#[test]
fn copies_go_where_docker_compose_puts_them() {
    let project = stack();
    let ours = round(&project, &|words| project.platform(words.iter().copied()));
    let Some(compose) = peer::required() else { return };
    let theirs = round(&project, &|words| {
        project.program(compose.to_str().unwrap()).args(words)
    });
    assert!(ours == theirs, "ours:\n{ours}\ntheirs:\n{theirs}");
}

/// Copies in and out in every way, and tells what came of each.
fn round(project: &Project, program: &dyn Fn(&[&str]) -> Cli) -> String {
    let dir = project.dir().to_owned();
    let out = dir.join("out");
    drop(fs::remove_dir_all(&out));
    fs::create_dir_all(out.join("there")).unwrap();
    for index in ["1", "2"] {
        let fresh = ["sh", "-c", "rm -rf /tmp/*; mkdir /tmp/in; ln -s in /tmp/way"];
        let words = ["exec", "-T", "--index", index, "app"].into_iter().chain(fresh);
        project.run(words).expect(0);
    }
    let mut said = String::new();
    for words in [
        &["src", "app:/tmp/"][..],
        &["src/sub/file", "app:/tmp/new"],
        &["src/sub/file", "app:/tmp/none/new"],
        &["src/.", "app:/tmp/whole"],
        &["src", "app:/tmp/new"],
        &["src/link", "app:/tmp/as-link"],
        &["-L", "src/link", "app:/tmp/as-file"],
        &["-a", "src/sub", "app:/tmp/way"],
        &["src/sub/file", "app:tmp/relative"],
        &["none", "app:/tmp"],
        &["app:/none", "out"],
        &["app:/tmp/src", "out/new"],
        &["app:/tmp/src", "out/there"],
        &["app:/tmp/src/.", "out/contents"],
        &["app:/tmp/src/link", "out/link"],
        &["-L", "app:/tmp/src/link", "out/file"],
        &["app:/tmp/new", "out/none/"],
        &["app:/tmp/src", "out/file"],
        &["--index", "2", "app:/etc/passwd", "out/second"],
        &["off:/www/index.html", "out/stopped"],
    ] {
        let mut all = vec!["cp"];
        all.extend(words);
        // Compose has no other code for a failure.
        let good = program(&all).cwd(&dir).run().code() == Some(0);
        said.push_str(&format!("{words:?} {good}\n"));
    }
    let inside = project.run([
        "exec",
        "-T",
        "app",
        "sh",
        "-c",
        "cd /tmp; ls -lR . | sed 's/[A-Z][a-z][a-z] [ 0-9:]*//'",
    ]);
    said.push_str(&inside.expect(0).stdout);
    said.push_str(&listing(&out).join("\n"));
    said
}

#[test]
fn tars_go_in_and_out_by_the_standard_streams() {
    let project = stack();
    let tar = project.run(["cp", "app:/www", "-"]).expect(0).stdout;
    let names: Vec<String> = tar::Archive::new(tar.as_bytes())
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().display().to_string())
        .collect();
    assert_eq!(names, ["www/", "www/index.html"]);
    // Into one container; all of a service get files.
    project
        .platform(["cp", "-", "app:/tmp"])
        .stdin(tar.clone())
        .run()
        .expect(2)
        .says("--index");
    project
        .platform(["cp", "--index", "2", "-", "app:/tmp"])
        .stdin(tar.clone())
        .run()
        .expect(0);
    let there = |index: &str, path: &str| {
        project
            .run(["exec", "-T", "--index", index, "app", "test", "-e", path])
            .code()
            == Some(0)
    };
    assert!(there("2", "/tmp/www/index.html") && !there("1", "/tmp/www"));
    project.run(["cp", "src/sub/file", "app:/tmp/all"]).expect(0);
    assert!(there("1", "/tmp/all") && there("2", "/tmp/all"));
    project
        .platform(["cp", "--index", "1", "-", "app:/tmp/all"])
        .stdin(tar)
        .run()
        .expect(1)
        .says("is no folder");
    project.run(["cp", "a", "b"]).expect(2).says("SERVICE:PATH");
    project
        .run(["cp", "app:/a", "off:/b"])
        .expect(2)
        .says("between services");
}

#[test]
fn a_container_becomes_an_archive_or_an_image() {
    let project = stack();
    project
        .run(["exec", "-T", "app", "sh", "-c", "echo new > /new"])
        .expect(0);
    project.run(["export", "-o", "whole.tar", "app"]).expect(0);
    let file = fs::File::open(project.dir().join("whole.tar")).unwrap();
    let mut archive = tar::Archive::new(file);
    let has_new = archive
        .entries()
        .unwrap()
        .any(|entry| entry.unwrap().path().unwrap() == Path::new("new"));
    assert!(has_new);
    assert!(!project.dir().join("whole.tar.part").exists());
    project
        .run(["export", "nothing"])
        .expect(2)
        .says("no service `nothing`");

    let name = format!("{}:kept", project.name());
    let id = project
        .run([
            "commit",
            "-m",
            "why",
            "-a",
            "who",
            "-c",
            "ENV X=1",
            "--pause=false",
            "app",
            &name,
        ])
        .expect(0)
        .stdout;
    let image = project.engine().get(&format!("/images/{name}/json"));
    assert_eq!(image["Id"], id.trim());
    assert_eq!(
        (&image["Comment"], &image["Author"]),
        (&"why".into(), &"who".into())
    );
    assert!(
        image["Config"]["Env"].as_array().unwrap().contains(&"X=1".into()),
        "{image}"
    );
    images::remove(project.engine(), &name);
    project
        .run(["commit", "app", "Not A Name"])
        .expect(2)
        .says("is no name");
}
