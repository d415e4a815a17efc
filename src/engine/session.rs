//! A session that a BuildKit build asks back through: for its secrets, and for credentials of the
//! registries it pulls from.
//!
//! bollard's own builds offer either progress (`/build`, no secrets) or secrets (its gRPC driver, no
//! progress). This session goes beside a plain `/build` call, so that a build has both. Secrets go
//! from memory to the builder and touch neither disk, environment nor arguments.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bollard::health::health_check_response::ServingStatus;
use bollard::health::health_server::{Health, HealthServer};
use bollard::health::{HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse};
use bollard::moby::buildkit::secrets::v1::secrets_server::{Secrets, SecretsServer};
use bollard::moby::buildkit::secrets::v1::{GetSecretRequest, GetSecretResponse};
use bollard::moby::filesync::v1::auth_server::{Auth, AuthServer};
use bollard::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse, GetTokenAuthorityRequest,
    GetTokenAuthorityResponse, VerifyTokenAuthorityRequest, VerifyTokenAuthorityResponse,
};
use futures_util::stream::{self, BoxStream, StreamExt};
use hyper::Method;
use hyper::header::HeaderName;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::server::Connected;
use tonic::{Request, Response, Status};

use super::api::Result;
use super::connect::EngineEnv;
use super::docker::Docker;
use super::raw::{Call, within};
use super::registry;
use crate::base::Secret;

/// An open session; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Session {
    /// What the build names it by.
    pub(super) id: String,
    _open: DropGuard,
}

impl Docker {
    /// Opens a session that serves these secrets.
    pub(super) async fn open_session(
        &self,
        id: String,
        secrets: BTreeMap<String, Secret<Vec<u8>>>,
    ) -> Result<Session> {
        const OPERATION: &str = "open a build session";
        let mut call = Call::new(OPERATION, Method::POST, "/session").header(
            HeaderName::from_static("x-docker-expose-session-uuid"),
            id.as_str(),
        );
        for method in [
            "/moby.buildkit.secrets.v1.Secrets/GetSecret",
            "/moby.filesync.v1.Auth/Credentials",
        ] {
            call = call.header(
                HeaderName::from_static("x-docker-expose-session-grpc-method"),
                method,
            );
        }
        let io = within(OPERATION, self.short(), self.http.upgrade(call, "h2c")).await?;
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let server = tonic::transport::Server::builder()
            .add_service(HealthServer::new(Alive))
            .add_service(SecretsServer::new(Given(Arc::new(secrets))))
            .add_service(AuthServer::new(Registries(self.shared.env.clone())));
        let incoming = stream::once(async { Ok::<_, std::io::Error>(Io(io)) }).chain(stream::pending());
        tokio::spawn(async move {
            let _ = server.serve_with_incoming_shutdown(incoming, stopped).await;
        });
        Ok(Session {
            id,
            _open: stop.drop_guard(),
        })
    }
}

/// Says that we are there.
struct Alive;

#[tonic::async_trait]
impl Health for Alive {
    async fn check(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> std::result::Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(HealthCheckResponse {
            status: ServingStatus::Serving.into(),
        }))
    }

    async fn list(
        &self,
        _: Request<HealthListRequest>,
    ) -> std::result::Result<Response<HealthListResponse>, Status> {
        Err(Status::unimplemented("list"))
    }

    type WatchStream = BoxStream<'static, std::result::Result<HealthCheckResponse, Status>>;

    async fn watch(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> std::result::Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("watch"))
    }
}

/// The secrets that the build was given.
struct Given(Arc<BTreeMap<String, Secret<Vec<u8>>>>);

#[tonic::async_trait]
impl Secrets for Given {
    async fn get_secret(
        &self,
        request: Request<GetSecretRequest>,
    ) -> std::result::Result<Response<GetSecretResponse>, Status> {
        let id = &request.get_ref().id;
        match self.0.get(id) {
            Some(secret) => Ok(Response::new(GetSecretResponse {
                data: secret.expose().clone(),
            })),
            // The builder passes over a secret that is not required and not found.
            None => Err(Status::not_found(format!("secret {id} not found"))),
        }
    }
}

/// Credentials as the Docker command line keeps them.
struct Registries(EngineEnv);

#[tonic::async_trait]
impl Auth for Registries {
    async fn credentials(
        &self,
        request: Request<CredentialsRequest>,
    ) -> std::result::Result<Response<CredentialsResponse>, Status> {
        let found = registry::credentials(&self.0, &request.get_ref().host).await;
        let answer = found.map(|c| match c.identity_token {
            Some(token) => CredentialsResponse {
                username: String::new(),
                secret: token.expose().clone(),
            },
            None => CredentialsResponse {
                username: c.username,
                secret: c.password.expose().clone(),
            },
        });
        Ok(Response::new(answer.unwrap_or_default()))
    }

    // The builder fetches tokens itself, with the credentials.
    async fn fetch_token(
        &self,
        _: Request<FetchTokenRequest>,
    ) -> std::result::Result<Response<FetchTokenResponse>, Status> {
        Err(Status::unimplemented("fetch_token"))
    }

    async fn get_token_authority(
        &self,
        _: Request<GetTokenAuthorityRequest>,
    ) -> std::result::Result<Response<GetTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("get_token_authority"))
    }

    async fn verify_token_authority(
        &self,
        _: Request<VerifyTokenAuthorityRequest>,
    ) -> std::result::Result<Response<VerifyTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("verify_token_authority"))
    }
}

/// The connection, as the server wants it.
struct Io(TokioIo<Upgraded>);

impl Connected for Io {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
