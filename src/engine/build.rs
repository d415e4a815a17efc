//! Builds: the request in the engine's terms, and its progress in ours.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bollard::models::BuildInfoAux;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use hyper::Method;
use hyper::header::HeaderName;
use serde::Deserialize;
use serde_json::json;

use super::api::Result;
use super::docker::Docker;
use super::images::file_body;
use super::lines::JsonLines;
use super::raw::Call;
use super::{BuildProgress, BuildRequest, EngineError, EngineErrorKind, registry, sort};
use crate::base::ImageId;

/// So many of the last lines are told with a failure.
const LAST_LINES: usize = 40;

impl Docker {
    /// Builds an image: with BuildKit where that is asked for and the engine has it, else with the
    /// classic builder.
    pub(super) fn build_image(&self, request: BuildRequest) -> BoxStream<'static, Result<BuildProgress>> {
        let docker = self.clone();
        stream::once(async move {
            let operation = operation(&request);
            refuse_unsupported(&request).map_err(|kind| EngineError::new(&operation, kind))?;
            let ping = docker
                .http
                .ping()
                .await
                .map_err(|e| EngineError::new(&operation, sort::send_error(&e)))?;
            if request.buildkit && ping.can_buildkit() {
                docker.start_buildkit(operation, request).await
            } else {
                docker.start_classic(operation, request).await
            }
        })
        .try_flatten()
        .boxed()
    }

    async fn start_buildkit(
        &self,
        operation: String,
        request: BuildRequest,
    ) -> Result<BoxStream<'static, Result<BuildProgress>>> {
        let id = random_id();
        let body = file_body(&request.context_tar, &operation).await?;
        let session = self.open_session(id, request.secrets.clone()).await?;
        let call = call(&operation, &request)
            .query("version", "2")
            .query("session", session.id.as_str())
            .query("buildid", session.id.as_str())
            .body("application/x-tar", body);
        let idle = self.shared.deadlines.build_idle;
        let messages = JsonLines::<Message>::open(self.http.clone(), call, operation.clone(), idle);
        let progress = follow(operation, Trace::default(), messages);
        // The session lives as long as the stream.
        Ok(progress
            .inspect(move |_| {
                let _ = &session;
            })
            .boxed())
    }

    async fn start_classic(
        &self,
        operation: String,
        request: BuildRequest,
    ) -> Result<BoxStream<'static, Result<BuildProgress>>> {
        if !request.secrets.is_empty() {
            return Err(EngineError::new(
                operation,
                EngineErrorKind::Unsupported("build secrets need BuildKit, which is not used here".into()),
            ));
        }
        let body = file_body(&request.context_tar, &operation).await?;
        let mut call = call(&operation, &request)
            .query("rm", "1")
            // A failing step leaves its container behind otherwise.
            .query("forcerm", "1")
            .body("application/x-tar", body);
        if let Some(auth) = registry::all(&self.shared.env).await {
            call = call.header(HeaderName::from_static("x-registry-config"), auth.expose());
        }
        let idle = self.shared.deadlines.build_idle;
        let messages = JsonLines::<Message>::open(self.http.clone(), call, operation.clone(), idle);
        Ok(follow(operation, Classic::default(), messages))
    }
}

/// What a build may ask for and the engine's build call has no word for.
fn refuse_unsupported(request: &BuildRequest) -> std::result::Result<(), EngineErrorKind> {
    let build = &request.build;
    let what = if !build.ssh.is_empty() {
        "build.ssh"
    } else if !build.cache_to.is_empty() {
        "build.cache_to"
    } else if build.privileged {
        "build.privileged"
    } else if build.platforms.len() > 1 {
        "more than one of build.platforms"
    } else {
        return Ok(());
    };
    Err(EngineErrorKind::Unsupported(format!("{what} is not supported")))
}

fn random_id() -> String {
    use std::hash::{BuildHasher, RandomState};
    let half = |seed: u8| RandomState::new().hash_one(seed);
    format!("{:016x}{:016x}", half(0), half(1))
}

fn operation(request: &BuildRequest) -> String {
    match request.tags.first() {
        Some(tag) => format!("build {tag}"),
        None => format!("build {}", request.build.context),
    }
}

/// The parameters that both builders take.
fn call(operation: &str, request: &BuildRequest) -> Call {
    let build = &request.build;
    let args: BTreeMap<&String, &String> = request.hidden_args.iter().chain(&build.args).collect();
    let mut call = Call::new(operation, Method::POST, "/build")
        .query("dockerfile", &request.dockerfile)
        .query("buildargs", json!(args).to_string())
        .query("labels", json!(build.labels).to_string());
    for tag in request.tags.iter().chain(&build.tags) {
        call = call.query("t", tag);
    }
    if let Some(target) = &build.target {
        call = call.query("target", target);
    }
    if let Some(network) = &build.network {
        call = call.query("networkmode", network);
    }
    if let Some(platform) = request.platform.as_ref().or(build.platforms.first()) {
        call = call.query("platform", platform);
    }
    if let Some(bytes) = build.shm_size {
        call = call.query("shmsize", bytes.to_string());
    }
    if !build.ulimits.is_empty() {
        let limits: Vec<serde_json::Value> = build
            .ulimits
            .iter()
            .map(|(name, limit)| json!({"Name": name, "Soft": limit.soft, "Hard": limit.hard}))
            .collect();
        call = call.query("ulimits", json!(limits).to_string());
    }
    if let Some(isolation) = &build.isolation {
        call = call.query("isolation", isolation);
    }
    if !build.extra_hosts.is_empty() {
        let hosts: Vec<String> = build
            .extra_hosts
            .iter()
            .map(|line| line.replacen('=', ":", 1))
            .collect();
        call = call.query("extrahosts", hosts.join(","));
    }
    if !build.cache_from.is_empty() {
        call = call.query("cachefrom", json!(build.cache_from).to_string());
    }
    if request.no_cache || build.no_cache {
        call = call.query("nocache", "1");
    }
    if build.pull {
        call = call.query("pull", "1");
    }
    call
}

/// A message of a build.
#[derive(Debug, Default, Deserialize)]
struct Message {
    #[serde(default)]
    id: String,
    #[serde(default)]
    stream: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    aux: serde_json::Value,
}

/// Turns a builder's messages into progress.
trait Decode: Send + 'static {
    /// What a message says; lines of output are whole.
    fn decode(&mut self, message: Message, out: &mut Vec<BuildProgress>);
    /// What is left when the stream has ended.
    fn finish(&mut self, out: &mut Vec<BuildProgress>);
}

/// Follows a build to its end: progress, then the image, or the failure with the last lines.
fn follow(
    operation: String,
    decode: impl Decode,
    messages: BoxStream<'static, Result<Message>>,
) -> BoxStream<'static, Result<BuildProgress>> {
    struct State<D> {
        operation: String,
        decode: D,
        messages: BoxStream<'static, Result<Message>>,
        last: VecDeque<String>,
        ready: VecDeque<Result<BuildProgress>>,
        image: Option<ImageId>,
        done: bool,
    }
    impl<D: Decode> State<D> {
        fn take(&mut self, progress: Vec<BuildProgress>) {
            for item in progress {
                match item {
                    // The last one named is the result; earlier ones are stages.
                    BuildProgress::Built(id) => self.image = Some(id),
                    BuildProgress::Step(text) => {
                        self.keep(&text);
                        self.ready.push_back(Ok(BuildProgress::Step(text)));
                    }
                    BuildProgress::Output(text) => {
                        self.keep(&text);
                        self.ready.push_back(Ok(BuildProgress::Output(text)));
                    }
                }
            }
        }

        fn keep(&mut self, line: &str) {
            if self.last.len() == LAST_LINES {
                self.last.pop_front();
            }
            self.last.push_back(line.to_owned());
        }

        fn fail(&mut self, message: &str) -> EngineError {
            let kind = match sort::stream(message) {
                EngineErrorKind::StreamFailed(message) => {
                    let lines: Vec<&str> = self.last.iter().map(String::as_str).collect();
                    EngineErrorKind::StreamFailed(if lines.is_empty() {
                        message
                    } else {
                        format!("{message}\n{}", lines.join("\n"))
                    })
                }
                other => other,
            };
            EngineError::new(&self.operation, kind)
        }

        async fn next(&mut self) -> Option<Result<BuildProgress>> {
            loop {
                if let Some(item) = self.ready.pop_front() {
                    return Some(item);
                }
                if self.done {
                    return None;
                }
                let mut progress = Vec::new();
                match self.messages.next().await {
                    Some(Ok(message)) if message.error.is_empty() => {
                        self.decode.decode(message, &mut progress);
                        self.take(progress);
                    }
                    Some(Ok(message)) => {
                        self.done = true;
                        self.decode.finish(&mut progress);
                        self.take(progress);
                        let error = self.fail(&message.error);
                        self.ready.push_back(Err(error));
                    }
                    Some(Err(error)) => {
                        self.done = true;
                        self.ready.push_back(Err(error));
                    }
                    None => {
                        self.done = true;
                        self.decode.finish(&mut progress);
                        self.take(progress);
                        self.ready.push_back(match self.image.take() {
                            Some(id) => Ok(BuildProgress::Built(id)),
                            None => Err(EngineError::new(
                                &self.operation,
                                EngineErrorKind::OutcomeUnknown("the stream ended without an image".into()),
                            )),
                        });
                    }
                }
            }
        }
    }
    let state = State {
        operation,
        decode,
        messages,
        last: VecDeque::with_capacity(LAST_LINES),
        ready: VecDeque::new(),
        image: None,
        done: false,
    };
    stream::unfold(state, |mut state| async move {
        let item = state.next().await?;
        Some((item, state))
    })
    .boxed()
}

/// The image that a message names as the result.
fn image_in(aux: &serde_json::Value) -> Option<ImageId> {
    Some(ImageId::from(aux.get("ID")?.as_str()?))
}

/// The classic builder's messages.
#[derive(Debug, Default)]
struct Classic {
    /// A line that is not ended yet.
    open: String,
}

impl Decode for Classic {
    fn decode(&mut self, message: Message, out: &mut Vec<BuildProgress>) {
        if let Some(id) = image_in(&message.aux) {
            out.push(BuildProgress::Built(id));
        }
        // Pulls of base images tell their progress layer by layer; the whole is enough here.
        if !message.status.is_empty() && message.id.is_empty() {
            out.push(BuildProgress::Output(message.status));
        }
        self.open.push_str(&message.stream);
        while let Some(end) = self.open.find('\n') {
            let line: String = self.open.drain(..=end).collect();
            let line = line.trim_end();
            if line.starts_with("Step ") {
                out.push(BuildProgress::Step(line.to_owned()));
            } else if !line.is_empty() {
                out.push(BuildProgress::Output(line.to_owned()));
            }
        }
    }

    fn finish(&mut self, out: &mut Vec<BuildProgress>) {
        let rest = std::mem::take(&mut self.open);
        if !rest.trim().is_empty() {
            out.push(BuildProgress::Output(rest.trim_end().to_owned()));
        }
    }
}

/// BuildKit's messages: a graph of steps with their output.
#[derive(Debug, Default)]
struct Trace {
    /// Steps that were told, by digest.
    told: BTreeSet<String>,
    /// Unended lines, by the step's digest.
    open: BTreeMap<String, String>,
}

impl Decode for Trace {
    fn decode(&mut self, message: Message, out: &mut Vec<BuildProgress>) {
        if let Some(id) = image_in(&message.aux) {
            out.push(BuildProgress::Built(id));
        }
        if message.id != "moby.buildkit.trace" {
            return;
        }
        let Ok(BuildInfoAux::BuildKit(status)) = serde_json::from_value(message.aux) else {
            return;
        };
        for step in status.vertexes {
            // Those are the builder's own: reading the Dockerfile, the context.
            let internal = step.name.starts_with("[internal]");
            if (step.started.is_some() || step.cached) && !internal && self.told.insert(step.digest.clone()) {
                let cached = if step.cached { " (cached)" } else { "" };
                out.push(BuildProgress::Step(format!("{}{cached}", step.name)));
            }
            if step.completed.is_some() {
                self.end(&step.digest, out);
            }
            if !step.error.is_empty() {
                out.push(BuildProgress::Output(format!("{}: {}", step.name, step.error)));
            }
        }
        for log in status.logs {
            let open = self.open.entry(log.vertex).or_default();
            open.push_str(&String::from_utf8_lossy(&log.msg));
            while let Some(end) = open.find('\n') {
                let line: String = open.drain(..=end).collect();
                out.push(BuildProgress::Output(line.trim_end().to_owned()));
            }
        }
    }

    fn finish(&mut self, out: &mut Vec<BuildProgress>) {
        let steps: Vec<String> = self.open.keys().cloned().collect();
        for step in steps {
            self.end(&step, out);
        }
    }
}

impl Trace {
    /// Hands on a step's last line, which may have no newline.
    fn end(&mut self, step: &str, out: &mut Vec<BuildProgress>) {
        if let Some(rest) = self.open.remove(step)
            && !rest.trim().is_empty()
        {
            out.push(BuildProgress::Output(rest.trim_end().to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn progress(decode: impl Decode, lines: &[&str]) -> String {
        let messages: Vec<Result<Message>> = lines
            .iter()
            .map(|line| Ok(serde_json::from_str(line).unwrap()))
            .collect();
        let items: Vec<Result<BuildProgress>> =
            follow("build x".into(), decode, stream::iter(messages).boxed())
                .collect()
                .await;
        let text: Vec<String> = items
            .iter()
            .map(|item| match item {
                Ok(BuildProgress::Step(s)) => format!("step {s}"),
                Ok(BuildProgress::Output(s)) => format!("out {s}"),
                Ok(BuildProgress::Built(id)) => format!("built {id}"),
                Err(error) => format!("error {:?}", error.kind),
            })
            .collect();
        text.join("\n")
    }

    #[tokio::test]
    async fn the_classic_builders_stream_becomes_steps_lines_and_an_image() {
        let text = progress(
            Classic::default(),
            &[
                r#"{"stream":"Step 1/2 : FROM x"}"#,
                r#"{"stream":"\n"}"#,
                r#"{"stream":" ---\u003e 4be0697bc8d7\n"}"#,
                r#"{"status":"Pulling fs layer","progressDetail":{},"id":"abc"}"#,
                r#"{"stream":"a\nb"}"#,
                r#"{"stream":"c\n"}"#,
                r#"{"aux":{"ID":"sha256:01"}}"#,
                r#"{"stream":"Successfully built 01\n"}"#,
            ],
        )
        .await;
        insta::assert_snapshot!(text, @r"
        step Step 1/2 : FROM x
        out  ---> 4be0697bc8d7
        out a
        out bc
        out Successfully built 01
        built sha256:01
        ");
    }

    #[tokio::test]
    async fn a_failure_tells_the_last_forty_lines() {
        let mut lines: Vec<String> = (0..60).map(|n| format!(r#"{{"stream":"line {n}\n"}}"#)).collect();
        lines.push(
            r#"{"errorDetail":{"code":1,"message":"x"},"error":"The command '/bin/sh -c false' returned a non-zero code: 1"}"#
                .into(),
        );
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let text = progress(Classic::default(), &lines).await;
        let error = text.lines().last().unwrap();
        assert!(
            error.contains("returned a non-zero code: 1\\nline 20\\n"),
            "{error}"
        );
        assert!(error.contains("line 59") && !error.contains("line 19"), "{error}");
        let text = progress(Classic::default(), &[r#"{"stream":"x\n"}"#]).await;
        assert!(text.contains("OutcomeUnknown"), "{text}");
    }
}
