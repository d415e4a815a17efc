//! The way from one tree to what was asked for: a project, or the tree in long forms.

use std::collections::HashMap;

use super::assemble::{Assembled, Loading, assemble};
use super::files::Files;
use super::request::{LoadRequest, Loaded};
use super::service_files;
use crate::base::ServiceName;
use crate::model::Project;
use crate::stack::canonical::{canonical, write_implied};
use crate::stack::decode::decode;
use crate::stack::diagnostic::{Findings, Label};
use crate::stack::explain::{Evidence, Explanation, explain};
use crate::stack::resolve::{self, Places, Wanted};
use crate::stack::source::SourceMap;

/// Loads a project.
pub fn load(request: &LoadRequest, files: &dyn Files) -> Loaded {
    load_as(request, files, project)
}

/// Loads a stack without decoding it: the merged tree in long forms, as JSON (see [`canonical`]). Steps are left
/// out as [`LoadRequest::skip`] says; it is made for leaving out interpolation.
///
/// [`canonical`]: crate::stack::canonical
pub fn load_undecoded(request: &LoadRequest, files: &dyn Files) -> Loaded<serde_json::Value> {
    load_as(request, files, undecoded)
}

/// Loads a stack as far as it takes to say where a value came from; no project where there is no such value.
pub fn load_explanation(request: &LoadRequest, files: &dyn Files, name: &str) -> Loaded<Explanation> {
    load_as(request, files, |assembled, request, loading| {
        let evidence = Evidence {
            root: &assembled.root,
            sources: &loading.sources,
            environment: &request.environment,
            env_files: &assembled.env_files,
            variables: &assembled.scope.variables,
        };
        explain(name, evidence)
    })
}

fn load_as<T>(
    request: &LoadRequest,
    files: &dyn Files,
    finish: impl FnOnce(Assembled, &LoadRequest, &mut Loading<'_>) -> Option<T>,
) -> Loaded<T> {
    let mut loading = Loading {
        files,
        sources: SourceMap::default(),
        findings: Findings::default(),
    };
    let mut variables = HashMap::new();
    let project = assemble(request, &mut loading, &mut variables)
        .and_then(|assembled| finish(assembled, request, &mut loading));
    Loaded {
        project: project.filter(|_| !loading.findings.has_errors()),
        findings: loading.findings.into_sorted(),
        sources: loading.sources,
        variables,
    }
}

fn project(assembled: Assembled, request: &LoadRequest, loading: &mut Loading<'_>) -> Option<Project> {
    let Assembled {
        root,
        scopes,
        scope,
        name,
        stack_files,
        env_files,
    } = assembled;
    let Loading {
        files,
        sources,
        findings,
    } = loading;
    let mut decoded = decode(&root, &scopes, !request.skip.normalization, findings);
    let profiles = if request.profiles.is_empty() {
        let listed = scope.variables.get("COMPOSE_PROFILES").map_or("", String::as_str);
        listed
            .split(',')
            .map(str::trim)
            .filter(|p| !p.is_empty())
            .map(str::to_owned)
            .collect()
    } else {
        request.profiles.clone()
    };
    let wanted = Wanted {
        name,
        working_dir: scope.base.clone(),
        files: stack_files,
        env_files,
        profiles,
        asked: request.services.clone(),
        implied: !request.skip.normalization,
    };
    let service_files = service_files::Wanted::take(&mut decoded, !request.skip.env_files);
    let places = Places::new(&root);
    let mut project = resolve::complete(decoded, &wanted, places, findings);
    project.places = places.of_project(&project, sources);
    let asked: Vec<ServiceName> = request.services.iter().map(|name| name.as_str().into()).collect();
    service_files.read_into(&mut project, &asked, &scope.variables, *files, sources, findings);
    if !request.skip.consistency {
        resolve::check(&project, places, findings);
    }
    if !request.all_resources {
        resolve::forget_unused(&mut project);
    }
    service_files::digests(&mut project, places, *files, findings);
    Some(project)
}

fn undecoded(
    assembled: Assembled,
    request: &LoadRequest,
    loading: &mut Loading<'_>,
) -> Option<serde_json::Value> {
    let Assembled {
        root, scopes, scope, ..
    } = assembled;
    // What has a variable in it may still become right: of that, nothing is said.
    let mut found = Findings::default();
    decode(&root, &scopes, false, &mut found);
    for finding in found.into_sorted() {
        let has_variable = |label: &Label| loading.sources.text(label.span).contains('$');
        if !finding.labels.iter().any(has_variable) {
            loading.findings.push(finding);
        }
    }
    let mut model = canonical(&root, &scopes);
    if !request.skip.normalization {
        write_implied(&mut model, assembled.name.as_str(), &scope.variables);
    }
    let mut model = serde_json::Value::Object(model);
    model.sort_all_objects();
    Some(model)
}
