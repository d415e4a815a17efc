//! Streams of JSON values, one a line, with an idle watchdog.

use std::marker::PhantomData;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;

use super::api::Result;
use super::raw::{Call, Http, within};
use super::{EngineError, EngineErrorKind, sort};

/// A line of a stream is not longer than this.
const LONGEST: usize = 16 << 20;

/// Opens and decodes such a stream.
pub(super) struct JsonLines<T> {
    operation: String,
    idle: Option<Duration>,
    body: Incoming,
    buffer: BytesMut,
    ended: bool,
    of: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned + Send + 'static> JsonLines<T> {
    /// Sends a call and decodes its answer as it comes; silence for `idle`, before the first
    /// value or between two bytes, is an error.
    pub(super) fn open(
        http: Http,
        call: Call,
        operation: String,
        idle: Duration,
    ) -> BoxStream<'static, Result<T>> {
        let opened = async move {
            let (operation, response) = within(&operation, idle, http.open(call)).await?;
            Ok::<_, EngineError>(Self::decode(operation, response.into_body(), Some(idle)))
        };
        stream::once(opened).try_flatten().boxed()
    }

    /// Decodes a body as it comes.
    pub(super) fn decode(
        operation: String,
        body: Incoming,
        idle: Option<Duration>,
    ) -> BoxStream<'static, Result<T>> {
        let state = Self {
            operation,
            idle,
            body,
            buffer: BytesMut::new(),
            ended: false,
            of: PhantomData,
        };
        stream::unfold(state, |mut state| async move {
            let item = state.next().await?;
            Some((item, state))
        })
        .boxed()
    }

    async fn next(&mut self) -> Option<Result<T>> {
        loop {
            match self.take_value() {
                Ok(Some(value)) => return Some(Ok(value)),
                Ok(None) if self.ended => return None,
                Ok(None) => {}
                Err(kind) => return Some(self.fail(kind)),
            }
            let frame = match self.idle {
                None => self.body.frame().await,
                Some(idle) => match tokio::time::timeout(idle, self.body.frame()).await {
                    Ok(frame) => frame,
                    Err(_) => return Some(self.fail(EngineErrorKind::TimedOut(idle))),
                },
            };
            match frame {
                None => self.ended = true,
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.buffer.extend_from_slice(data);
                    }
                    if self.buffer.len() > LONGEST {
                        return Some(
                            self.fail(EngineErrorKind::Protocol("a line of more than 16 MiB".into())),
                        );
                    }
                }
                Some(Err(error)) => return Some(self.fail(sort::lost(&error))),
            }
        }
    }

    /// The next whole value in the buffer.
    fn take_value(&mut self) -> std::result::Result<Option<T>, EngineErrorKind> {
        while self.buffer.first().is_some_and(u8::is_ascii_whitespace) {
            self.buffer.advance(1);
        }
        if self.buffer.is_empty() {
            return Ok(None);
        }
        let mut values = serde_json::Deserializer::from_slice(&self.buffer).into_iter::<T>();
        match values.next() {
            Some(Ok(value)) => {
                let read = values.byte_offset();
                self.buffer.advance(read);
                Ok(Some(value))
            }
            Some(Err(error)) if error.is_eof() => {
                if self.ended {
                    return Err(EngineErrorKind::OutcomeUnknown("the stream was cut off".into()));
                }
                Ok(None)
            }
            Some(Err(error)) => Err(EngineErrorKind::Protocol(error.to_string())),
            None => Ok(None),
        }
    }

    fn fail(&mut self, kind: EngineErrorKind) -> Result<T> {
        self.ended = true;
        self.buffer.clear();
        Err(EngineError::new(&self.operation, kind))
    }
}
