//! The inputs that fuzzing begins with, and those it once found something with (`fuzz/found`),
//! through the functions of the fuzz targets: without a fuzzer, on every run of the tests.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;
use std::process::Command;

#[path = "../fuzz/src/lib.rs"]
mod targets;

/// A fuzz target.
type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 4] = [
    ("stack", targets::stack),
    ("dotenv", targets::dotenv),
    ("interpolation", targets::interpolation),
    ("short_forms", targets::short_forms),
];

#[test]
fn every_seed_and_everything_found_passes_its_target() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seed.sh");
    let corpus = tempfile::tempdir().unwrap();
    let made = Command::new("bash")
        .arg(script)
        .arg(corpus.path())
        .status()
        .unwrap();
    assert!(made.success());
    let mut failed = Vec::new();
    for (name, target) in TARGETS {
        let mut inputs = 0;
        for entry in fs::read_dir(corpus.path().join(name)).unwrap() {
            let path = entry.unwrap().path();
            let data = fs::read(&path).unwrap();
            inputs += 1;
            if catch_unwind(|| target(&data)).is_err() {
                failed.push(format!("{name}/{}", path.file_name().unwrap().display()));
            }
        }
        assert!(inputs > 30, "{name} has {inputs} seeds");
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
