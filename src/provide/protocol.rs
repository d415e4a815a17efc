//! Compose's extension protocol: what a provider is called with, and what it says (docker compose,
//! `docs/extension.md`).

use serde::Deserialize;

use super::ProvideError;
use crate::model::Provider;

/// More than this without a whole message is none.
const LARGEST_MESSAGE: usize = 1 << 20;

/// What a provider says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// How far it is.
    Info(String),
    /// Something for whoever writes providers.
    Debug(String),
    /// What went wrong.
    Error(String),
    /// A variable for whoever depends on the service, and its value.
    Variable(String, String),
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    message: String,
}

/// Takes a provider's output apart: JSON values, one after the other.
#[derive(Debug)]
pub(super) struct Decoder {
    program: String,
    rest: Vec<u8>,
}

impl Decoder {
    pub(super) fn new(program: &str) -> Self {
        Self {
            program: program.to_owned(),
            rest: Vec::new(),
        }
    }

    /// The messages that are complete with these bytes.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Vec<Said>, ProvideError> {
        self.rest.extend_from_slice(bytes);
        let mut found = Vec::new();
        let mut values = serde_json::Deserializer::from_slice(&self.rest).into_iter::<Message>();
        let mut used = 0;
        let unfinished = loop {
            match values.next() {
                Some(Ok(message)) => found.push(message),
                Some(Err(error)) if error.is_eof() => break true,
                Some(Err(error)) => {
                    let line = String::from_utf8_lossy(self.rest.get(used..).unwrap_or_default());
                    let line = line.trim_start().lines().next().unwrap_or_default().to_owned();
                    return Err(self.broken(format!("expected a JSON message, found {line:?} ({error})")));
                }
                None => break false,
            }
            used = values.byte_offset();
        };
        if unfinished {
            self.rest.drain(..used);
            if self.rest.len() > LARGEST_MESSAGE {
                return Err(self.broken("a message of more than 1 MiB".into()));
            }
        } else {
            self.rest.clear();
        }
        found.into_iter().map(|message| self.said(message)).collect()
    }

    /// After the last bytes: nothing may be left half said.
    pub(super) fn finish(&self) -> Result<(), ProvideError> {
        if self.rest.iter().all(u8::is_ascii_whitespace) {
            Ok(())
        } else {
            let half = String::from_utf8_lossy(&self.rest).trim().to_owned();
            Err(self.broken(format!("its output ends within a message: {half:?}")))
        }
    }

    fn said(&self, message: Message) -> Result<Said, ProvideError> {
        let text = message.message;
        match message.kind.as_str() {
            "info" => Ok(Said::Info(text)),
            "debug" => Ok(Said::Debug(text)),
            "error" => Ok(Said::Error(text)),
            "setenv" => match text.split_once('=') {
                Some((name, value)) => Ok(Said::Variable(name.to_owned(), value.to_owned())),
                // The value may be a secret: it is not repeated.
                None => Err(self.broken("expected NAME=VALUE in a setenv message, found no `=`".into())),
            },
            other => Err(self.broken(format!(
                "expected a message of type info, error, setenv or debug, found {other:?}"
            ))),
        }
    }

    fn broken(&self, what: String) -> ProvideError {
        ProvideError::Protocol {
            program: self.program.clone(),
            what,
        }
    }
}

/// What a provider tells of itself (`compose metadata`); all of it is optional.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Metadata {
    #[serde(default)]
    description: String,
    #[serde(default)]
    pub(super) up: Command,
    #[serde(default)]
    pub(super) down: Command,
}

/// One of the two commands.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Command {
    #[serde(default)]
    parameters: Option<Vec<Parameter>>,
}

#[derive(Debug, Deserialize)]
struct Parameter {
    name: String,
    #[serde(default)]
    required: bool,
}

impl Metadata {
    fn says_nothing(&self) -> bool {
        self.description.is_empty() && self.up.parameters.is_none() && self.down.parameters.is_none()
    }

    /// The options for one of the commands, as flags: all where the provider says nothing of itself, else
    /// those that it knows.
    pub(super) fn flags(&self, command: &Command, provider: &Provider) -> Result<Vec<String>, ProvideError> {
        let known = command.parameters.as_deref().unwrap_or_default();
        if let Some(missing) = known
            .iter()
            .find(|parameter| parameter.required && !provider.options.contains_key(&parameter.name))
        {
            return Err(ProvideError::MissingOption {
                option: missing.name.clone(),
                kind: provider.kind.clone(),
            });
        }
        let takes = |name: &String| self.says_nothing() || known.iter().any(|known| known.name == *name);
        Ok(provider
            .options
            .iter()
            .filter(|(name, _)| takes(name))
            .flat_map(|(name, values)| values.iter().map(move |value| format!("--{name}={value}")))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_wherever_the_pieces_are_cut() {
        let text = "{\"type\":\"info\",\"message\":\"10%\"}\n{ \"type\": \"setenv\",\n \"message\": \"URL=a=b\" }{\"type\":\"debug\",\"message\":\"x\"}\n";
        let expected = [
            Said::Info("10%".into()),
            Said::Variable("URL".into(), "a=b".into()),
            Said::Debug("x".into()),
        ];
        for size in 1..text.len() {
            let mut decoder = Decoder::new("cloud");
            let said: Vec<Said> = text
                .as_bytes()
                .chunks(size)
                .flat_map(|piece| decoder.take(piece).unwrap())
                .collect();
            assert_eq!(said, expected, "in pieces of {size}");
            decoder.finish().unwrap();
        }
    }

    #[test]
    fn what_is_no_message_is_told() {
        let said = |text: &str| {
            let mut decoder = Decoder::new("cloud");
            match decoder.take(text.as_bytes()).and_then(|_| decoder.finish()) {
                Ok(()) => "fine".to_owned(),
                Err(error) => error.to_string(),
            }
        };
        assert_eq!(said("  \n"), "fine");
        assert!(
            said("{\"type\":\"info\",\"message\":\"a\"}\nhello\n")
                .starts_with("invalid response from cloud: expected a JSON message, found \"hello\"")
        );
        assert_eq!(
            said("{\"type\":\"setenv\",\"message\":\"secret\"}"),
            "invalid response from cloud: expected NAME=VALUE in a setenv message, found no `=`"
        );
        assert_eq!(
            said("{\"type\":\"panic\"}"),
            "invalid response from cloud: expected a message of type info, error, setenv or debug, found \"panic\""
        );
        assert_eq!(
            said("{\"type\":"),
            "invalid response from cloud: its output ends within a message: \"{\\\"type\\\":\""
        );
    }

    #[test]
    fn options_are_flags_where_the_provider_knows_them() {
        let provider = Provider {
            kind: "cloud".into(),
            options: [
                ("size".to_owned(), vec!["1".into(), "2".into()]),
                ("type".to_owned(), vec!["x".into()]),
            ]
            .into_iter()
            .collect(),
        };
        let nothing = Metadata::default();
        assert_eq!(
            nothing.flags(&nothing.up, &provider).unwrap(),
            ["--size=1", "--size=2", "--type=x"]
        );
        let metadata: Metadata = serde_json::from_str(
            r#"{"description":"d","up":{"parameters":[{"name":"type","required":true},{"name":"else"}]},
               "down":{"parameters":[{"name":"name","required":true}]}}"#,
        )
        .unwrap();
        assert_eq!(metadata.flags(&metadata.up, &provider).unwrap(), ["--type=x"]);
        assert_eq!(
            metadata.flags(&metadata.down, &provider).unwrap_err().to_string(),
            "required parameter \"name\" is missing from provider \"cloud\" definition"
        );
    }
}
