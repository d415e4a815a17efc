//! Instructions into stages and the images that they need.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::lines::{Instruction, split};
use super::words::{expand, split_words};

/// A Dockerfile, as far as it tells which images it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    /// The text, as read.
    pub text: String,
    /// Stages in order.
    pub stages: Vec<Stage>,
    /// The image of `# syntax=…` and the line (from 0) that names it.
    pub syntax: Option<(usize, String)>,
    /// `RUN` lines (from 0) that ask for secrets by `# platform:secrets`, with their ids.
    pub marked_runs: Vec<(usize, Vec<String>)>,
    /// All ids of secrets that a `RUN --mount=type=secret` or a mark asks for.
    pub secret_ids: Vec<String>,
}

/// A stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// `AS name`, in small letters.
    pub name: Option<String>,
    /// What it starts from.
    pub base: Base,
    /// `--platform`, variables replaced.
    pub platform: Option<String>,
    /// The words of the `FROM`, flags and `AS` included, as written.
    pub(super) words: Vec<String>,
    /// Index into `words` of the image.
    pub(super) image_word: usize,
    /// The lines of the `FROM`, from 0.
    pub(super) lines: RangeInclusive<usize>,
    /// Earlier stages that it copies or mounts from.
    pub uses: Vec<usize>,
    /// Images that it copies or mounts from: reference, and lines of the instruction.
    pub copies: Vec<(String, RangeInclusive<usize>)>,
    /// Earlier stages that it names by number, and lines of the instruction.
    pub(super) numbered: Vec<(usize, RangeInclusive<usize>)>,
}

/// What a stage starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// Nothing.
    Scratch,
    /// An earlier stage.
    Stage(usize),
    /// An image.
    Image(String),
}

/// What is wrong with a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DockerfileError {
    /// No `FROM`.
    #[error("it has no FROM")]
    Empty,
    /// A `FROM` that names nothing.
    #[error("line {line}: {reason}")]
    BadFrom {
        /// From 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// No stage of that name.
    #[error("it has no stage `{0}`")]
    NoSuchTarget(String),
}

impl Dockerfile {
    /// Reads a Dockerfile. `args` are build arguments; `builtin` the builder's own
    /// (`TARGETARCH`, …), which hold before the first `FROM` without being declared.
    ///
    /// # Errors
    /// What makes it impossible to know the base images. All else is left to the builder.
    pub fn parse(
        text: &str,
        args: &BTreeMap<String, String>,
        builtin: &BTreeMap<String, String>,
    ) -> Result<Self, DockerfileError> {
        let split = split(text);
        let mut values = builtin.clone();
        let mut stages: Vec<Stage> = Vec::new();
        let mut secret_ids: Vec<String> = Vec::new();
        for instruction in &split.instructions {
            let words = split_words(&instruction.rest, split.escape);
            match (instruction.keyword.as_str(), stages.last_mut()) {
                ("FROM", _) => {
                    let stage = from(instruction, words, split.escape, &values, &stages)?;
                    stages.push(stage);
                }
                ("ARG", None) => {
                    for word in words {
                        let (name, default) = match word.split_once('=') {
                            Some((name, default)) => (name, Some(default)),
                            None => (word.as_str(), None),
                        };
                        let value = match (args.get(name), default) {
                            (Some(given), _) => Some(given.clone()),
                            (None, Some(default)) => Some(
                                expand(default, split.escape, &values)
                                    .map_err(|reason| bad_from(instruction, reason))?,
                            ),
                            (None, None) => None,
                        };
                        if let Some(value) = value {
                            values.insert(name.to_owned(), value);
                        }
                    }
                }
                ("COPY" | "ADD" | "RUN", Some(_)) => {
                    for source in flag_sources(instruction, &words, &mut secret_ids) {
                        use_source(&source, instruction, &mut stages);
                    }
                }
                _ => {}
            }
        }
        if stages.is_empty() {
            return Err(DockerfileError::Empty);
        }
        let mut marked_runs = Vec::new();
        for (line, ids) in split.secrets {
            let next = split.instructions.iter().find(|i| *i.lines.start() > line);
            if let Some(run) = next.filter(|i| i.keyword == "RUN") {
                secret_ids.extend(ids.iter().cloned());
                marked_runs.push((*run.lines.start(), ids));
            }
        }
        secret_ids.sort();
        secret_ids.dedup();
        Ok(Self {
            text: text.to_owned(),
            stages,
            syntax: split.syntax,
            marked_runs,
            secret_ids,
        })
    }

    /// The images that building `target` (the last stage where absent) needs, each once, in order.
    /// BuildKit skips stages that the target does not use; `all` is for a builder that does not.
    ///
    /// # Errors
    /// No such stage.
    pub fn images(&self, target: Option<&str>, all: bool) -> Result<Vec<String>, DockerfileError> {
        let last = match target.filter(|t| !t.is_empty()) {
            None => self.stages.len().saturating_sub(1),
            Some(target) => self
                .stages
                .iter()
                .rposition(|s| s.name.as_deref() == Some(&target.to_lowercase()))
                .or_else(|| target.parse().ok().filter(|n| *n < self.stages.len()))
                .ok_or_else(|| DockerfileError::NoSuchTarget(target.to_owned()))?,
        };
        let mut needed = vec![all; last + 1];
        if let Some(target) = needed.last_mut() {
            *target = true;
        }
        // A stage uses earlier ones only, so one pass from the end finds all.
        for index in (0..=last).rev() {
            if !needed.get(index).copied().unwrap_or_default() {
                continue;
            }
            let Some(stage) = self.stages.get(index) else {
                continue;
            };
            let base = match stage.base {
                Base::Stage(base) => Some(base),
                _ => None,
            };
            for used in stage.uses.iter().copied().chain(base) {
                if let Some(slot) = needed.get_mut(used) {
                    *slot = true;
                }
            }
        }
        let mut images: Vec<String> = Vec::new();
        for (stage, _) in self.stages.iter().zip(&needed).filter(|(_, needed)| **needed) {
            let base = match &stage.base {
                Base::Image(image) => Some(image),
                _ => None,
            };
            for image in base
                .into_iter()
                .chain(stage.copies.iter().map(|(image, _)| image))
            {
                if !images.contains(image) {
                    images.push(image.clone());
                }
            }
        }
        Ok(images)
    }
}

fn bad_from(instruction: &Instruction, reason: impl Into<String>) -> DockerfileError {
    DockerfileError::BadFrom {
        line: instruction.lines.start() + 1,
        reason: reason.into(),
    }
}

fn from(
    instruction: &Instruction,
    words: Vec<String>,
    escape: char,
    values: &BTreeMap<String, String>,
    earlier: &[Stage],
) -> Result<Stage, DockerfileError> {
    let image_word = words
        .iter()
        .position(|w| !w.starts_with("--"))
        .ok_or_else(|| bad_from(instruction, "FROM names no image"))?;
    let expanded = |word: &str| expand(word, escape, values).map_err(|reason| bad_from(instruction, reason));
    let platform = match words
        .iter()
        .take(image_word)
        .find_map(|w| w.strip_prefix("--platform="))
    {
        Some(platform) => Some(expanded(platform)?).filter(|p| !p.is_empty()),
        None => None,
    };
    let written = words.get(image_word).map_or("", String::as_str);
    let image = expanded(written)?;
    if image.is_empty() {
        return Err(bad_from(
            instruction,
            format!("`{written}` gives an empty image name"),
        ));
    }
    let name = match (words.get(image_word + 1), words.get(image_word + 2)) {
        (None, _) => None,
        (Some(keyword), Some(name)) if keyword.eq_ignore_ascii_case("as") => Some(name.to_lowercase()),
        _ => return Err(bad_from(instruction, "FROM takes an image and `AS name`")),
    };
    let lower = image.to_lowercase();
    let base = match earlier
        .iter()
        .rposition(|s| s.name.as_deref() == Some(lower.as_str()))
    {
        Some(stage) => Base::Stage(stage),
        None if image == "scratch" => Base::Scratch,
        None => Base::Image(image),
    };
    Ok(Stage {
        name,
        base,
        platform,
        words,
        image_word,
        lines: instruction.lines.clone(),
        uses: Vec::new(),
        copies: Vec::new(),
        numbered: Vec::new(),
    })
}

/// What the flags of `COPY`, `ADD` and `RUN` take files from; secrets' ids go to `secret_ids`.
fn flag_sources(instruction: &Instruction, words: &[String], secret_ids: &mut Vec<String>) -> Vec<String> {
    let mut sources = Vec::new();
    for flag in words.iter().map_while(|w| w.strip_prefix("--")) {
        if instruction.keyword != "RUN" {
            sources.extend(flag.strip_prefix("from=").map(str::to_owned));
            continue;
        }
        let Some(mount) = flag.strip_prefix("mount=") else {
            continue;
        };
        let field = |name: &str| {
            mount
                .split(',')
                .filter_map(|f| f.split_once('='))
                .find(|(k, _)| *k == name)
                .map(|(_, v)| v.trim_matches('"').to_owned())
        };
        if field("type").as_deref() == Some("secret") {
            // Without an id, the target's file name is the id.
            let by_target = || {
                let target = field("target")
                    .or_else(|| field("dst"))
                    .or_else(|| field("destination"))?;
                target.rsplit('/').next().map(str::to_owned)
            };
            secret_ids.extend(field("id").or_else(by_target));
        } else {
            sources.extend(field("from"));
        }
    }
    sources
}

/// Notes a source as a stage or an image of the current stage.
fn use_source(source: &str, instruction: &Instruction, stages: &mut [Stage]) {
    let Some((current, earlier)) = stages.split_last_mut() else {
        return;
    };
    let lower = source.to_lowercase();
    let named = earlier
        .iter()
        .rposition(|s| s.name.as_deref() == Some(lower.as_str()));
    let numbered = || source.parse().ok().filter(|n| *n < earlier.len());
    if let (None, Some(stage)) = (named, numbered()) {
        current.numbered.push((stage, instruction.lines.clone()));
    }
    match named.or_else(numbered) {
        Some(stage) => current.uses.push(stage),
        // Variables are not replaced here by every builder: then it is the builder's to resolve.
        None if source.is_empty() || source.contains('$') || source == "scratch" => {}
        None => current
            .copies
            .push((source.to_owned(), instruction.lines.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, args: &[(&str, &str)]) -> Result<Dockerfile, DockerfileError> {
        let map = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect()
        };
        Dockerfile::parse(text, &map(args), &map(&[("TARGETARCH", "amd64")]))
    }

    fn images(text: &str, args: &[(&str, &str)]) -> String {
        parse(text, args).unwrap().images(None, false).unwrap().join(" ")
    }

    #[test]
    fn base_images_are_found() {
        // (Dockerfile, build arguments, images)
        type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
        let table: &[Case<'_>] = &[
            ("FROM debian:12\nRUN x", &[], "debian:12"),
            ("from debian:12 as a\nFrom a\n", &[], "debian:12"),
            ("FROM scratch\nCOPY x /", &[], ""),
            ("ARG V=1\nFROM a:$V", &[], "a:1"),
            ("ARG V=1\nFROM a:${V}", &[("V", "2")], "a:2"),
            ("ARG V\nFROM a:${V:-3}", &[], "a:3"),
            ("ARG V\nFROM a:${V:-3}", &[("V", "4")], "a:4"),
            ("FROM a:${V:-3}", &[("V", "4")], "a:3"), // not declared: not visible
            ("ARG A=x B=\"y z\" C=${A}q\nFROM ${C}", &[], "xq"),
            ("FROM --platform=linux/${TARGETARCH} a AS b\nFROM b", &[], "a"),
            ("FROM a AS one\nFROM b AS two\nCOPY --from=one /x /x", &[], "a b"),
            ("FROM a AS one\nFROM b AS two\nCOPY --from=0 /x /x", &[], "a b"),
            ("FROM a AS unused\nFROM b", &[], "b"),
            ("FROM b\nCOPY --chown=1:1 --from=nginx:1 /x /x", &[], "b nginx:1"),
            (
                "FROM b\nRUN --mount=type=bind,from=tools:2,target=/t cc",
                &[],
                "b tools:2",
            ),
            ("FROM b\nRUN --mount=from=b,target=/t cc", &[], "b"),
            (
                "# escape=`\nFROM a`\n:1 `\n# comment\n\n AS x\nRUN dir c:\\",
                &[],
                "a:1",
            ),
            ("# comment\n#escape=`\nFROM a\\\n:1", &[], "a:1"),
            ("FROM a \\\n  # inner comment\n  AS x \\\n\nFROM x", &[], "a"),
            (
                "FROM a\nRUN <<EOF\nFROM not-an-image\nEOF\nCOPY --from=z / /",
                &[],
                "a z",
            ),
            (
                "FROM a\nCOPY <<-\"X\" <<Y /d\n\tX-not\n\tX\nFROM no\nY\nCOPY --from=z / /",
                &[],
                "a z",
            ),
            ("FROM a\nRUN cat <<<here\nFROM b", &[], "b"),
            ("\u{feff}FROM a\r\nRUN x\r\n", &[], "a"),
            ("FROM a AS B\nFROM c\nCOPY --from=b / /", &[], "a c"),
            ("FROM a AS x\nFROM b AS x\nFROM x", &[], "b"),
            ("FROM a\nONBUILD COPY --from=z / /", &[], "a"),
        ];
        for (text, args, expected) in table {
            assert_eq!(images(text, args), *expected, "{text}");
        }
    }

    #[test]
    fn targets_choose_what_is_needed() {
        let file = parse("FROM a AS one\nFROM b AS two\nFROM one AS three", &[]).unwrap();
        let of = |target, all| file.images(target, all).map(|i| i.join(" "));
        assert_eq!(of(Some("two"), false).unwrap(), "b");
        assert_eq!(of(Some("TWO"), true).unwrap(), "a b");
        assert_eq!(of(Some("0"), false).unwrap(), "a");
        assert_eq!(of(None, false).unwrap(), "a");
        assert_eq!(
            of(Some("x"), false),
            Err(DockerfileError::NoSuchTarget("x".into()))
        );
    }

    #[test]
    fn what_cannot_be_known_is_said() {
        let message = |text| parse(text, &[]).unwrap_err().to_string();
        assert_eq!(message("RUN x"), "it has no FROM");
        assert_eq!(
            message("ARG V\nFROM $V"),
            "line 2: `$V` gives an empty image name"
        );
        assert_eq!(
            message("\nFROM a b c"),
            "line 2: FROM takes an image and `AS name`"
        );
        assert_eq!(message("FROM --platform=x"), "line 1: FROM names no image");
        assert_eq!(
            message("FROM ${X"),
            "line 1: `${X…}` uses a form that is not supported"
        );
    }

    #[test]
    fn secrets_asked_for_are_listed() {
        let file = parse(
            "# syntax=docker/dockerfile:1\nFROM a\n# platform:secrets platform_ca\nRUN a\n\
             # platform:secrets platform_x\nCOPY a b\n\
             RUN --mount=type=secret,id=npm --mount=type=secret,target=/x/tok --network=none b",
            &[],
        )
        .unwrap();
        assert_eq!(file.secret_ids, ["npm", "platform_ca", "tok"]);
        assert_eq!(file.marked_runs, [(3, vec!["platform_ca".to_owned()])]);
        assert_eq!(file.syntax, Some((0, "docker/dockerfile:1".to_owned())));
    }
}
