//! What the dashboard asks of the machine it runs on: a shell, a browser, a file.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use async_trait::async_trait;
use tokio::sync::mpsc::UnboundedSender;

use crate::base::ContainerId;
use crate::engine::ExecSpec;
use crate::engine::api::SharedEngine;
use crate::event::request::Request;
use crate::view::tui;

use super::super::super::attached::{self, Attachment};
use super::super::super::context::Context;
use super::super::super::env;

/// Does what the dashboard asks for.
pub struct Handler<'c> {
    /// The run's context.
    pub context: &'c Context,
    /// The engine.
    pub engine: SharedEngine,
    /// Requests go to who acts on them.
    pub requests: UnboundedSender<Request>,
}

/// The best shell that a container has.
const SHELL: &str = "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi";

#[async_trait]
impl tui::Handler for Handler<'_> {
    fn request(&mut self, request: Request) {
        // Who acts ends only with the dashboard.
        let _ = self.requests.send(request);
    }

    async fn shell(&mut self, container: &ContainerId) -> Result<(), String> {
        let keys = attached::detach_keys(self.context, None).map_err(|error| error.to_text())?;
        let spec = ExecSpec {
            detach_keys: Some(keys.as_str().to_owned()),
            command: ["sh", "-c", SHELL].map(str::to_owned).into(),
            env: self
                .context
                .env
                .get(env::TERM)
                .map(|term| vec![format!("TERM={term}")])
                .unwrap_or_default(),
            ..ExecSpec::default()
        };
        let session = self
            .engine
            .exec_attach(container, &spec, true)
            .await
            .map_err(|error| error.to_string())?;
        let how = Attachment {
            tty: true,
            stdin: true,
            keys,
            joined: false,
        };
        match attached::stay(self.context, session, &how).await {
            // The exit code of a shell is that of whatever was run last in it.
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_text()),
        }
    }

    fn browse(&mut self, url: &str) -> Result<String, String> {
        let env = &self.context.env;
        let program = match env.get(env::BROWSER) {
            Some(program) => program,
            None if env.get("DISPLAY").is_some() || env.get("WAYLAND_DISPLAY").is_some() => "xdg-open",
            None => return Err(format!("no browser here (BROWSER, DISPLAY): {url}")),
        };
        Command::new(program)
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map(|_| format!("{program} {url}"))
            .map_err(|error| format!("{program} cannot be run ({error}): {url}"))
    }

    fn save(&mut self, name: &str, extension: &str, text: &str) -> Result<String, String> {
        let folder = self.context.env.cwd().map(PathBuf::from).unwrap_or_default();
        let time = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S");
        let path = folder.join(format!("{name}-{time}.{extension}"));
        let written = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()));
        match written {
            Ok(()) => Ok(format!("saved: {}", path.display())),
            Err(error) => Err(format!("cannot write {}: {error}", path.display())),
        }
    }

    fn suspend(&mut self) {
        self.context.terminal.suspend();
    }
}
