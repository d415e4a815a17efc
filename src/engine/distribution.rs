//! What a registry says of an image, asked by way of the engine.

use hyper::Method;

use super::api::Result;
use super::docker::Docker;
use super::raw::Call;
use super::{EngineErrorKind, registry};

impl Docker {
    /// Asks; pulls nothing. That the registry does not have the image, or not for us, is an answer too.
    pub(super) async fn ask_the_registry(&self, reference: &str) -> Result<()> {
        let mut call = Call::new(
            format!("ask the registry about {reference}"),
            Method::GET,
            format!("/distribution/{reference}/json"),
        );
        if let Some(auth) = registry::auth_for(&self.shared.env, reference).await {
            let name = hyper::header::HeaderName::from_static("x-registry-auth");
            call = call.header(name, auth.expose().clone());
        }
        match self.http.read(call, self.short()).await {
            Ok(_) => Ok(()),
            Err(error) => match error.kind {
                EngineErrorKind::ImageNotFound(_)
                | EngineErrorKind::NotFound(_)
                | EngineErrorKind::Refused {
                    status: 401 | 403 | 404,
                    ..
                } => Ok(()),
                _ => Err(error),
            },
        }
    }
}
