//! Which services take part (Compose Specification, 15-profiles).

use indexmap::IndexMap;

use crate::base::ServiceName;
use crate::stack::decode::DecodedService;

/// Whether each service is active: it has no profile, one of its profiles is, `*` is, or it was
/// asked for by name.
pub(super) fn is_active(
    service: &DecodedService,
    name: &ServiceName,
    profiles: &[String],
    asked: &[String],
) -> bool {
    let own = &service.service.profiles;
    own.is_empty()
        || profiles.iter().any(|p| p == "*" || own.contains(p))
        || asked.iter().any(|a| a == name.as_str())
}

/// The profiles to use: those given, and those of services asked for by name, so that their
/// dependencies of the same profile take part.
pub(super) fn effective(
    services: &IndexMap<ServiceName, DecodedService>,
    profiles: &[String],
    asked: &[String],
) -> Vec<String> {
    let mut out = profiles.to_vec();
    for name in asked {
        if let Some(service) = services.get(name.as_str()) {
            for profile in &service.service.profiles {
                if !out.contains(profile) {
                    out.push(profile.clone());
                }
            }
        }
    }
    out
}
