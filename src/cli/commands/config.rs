//! `platform config`: the stack as it is understood.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Map, Value};

use crate::base::ServiceName;
use crate::base::secret::MASK;
use crate::model::compose::service_hash;
use crate::model::{MountKind, Project};
use crate::stack::explain::{Explanation, to_text};
use crate::stack::interpolate::used_variables;
use crate::stack::load::{load_explanation, load_undecoded};
use crate::stack::render::{pretty_json, project_json, project_yaml, to_yaml};
use crate::stack::{Disk, LoadRequest, Loaded, load};
use crate::view::template::columns;
use crate::view::text::one_line;

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::load::is_secret_name;
use super::super::output;
use super::super::settings::{ConfigFormat, ConfigList, ConfigSettings};
use super::check_services;

/// Shows the stack. Needs no engine.
///
/// # Errors
/// No stack, or one that is wrong.
pub fn run(context: &Context, settings: &ConfigSettings) -> Outcome {
    let text = text(context, settings)?;
    match &settings.output {
        None => output::data(&text)?,
        Some(path) => fs::write(path, text.as_bytes()).map_err(|source| ExpectedError::File {
            action: "write",
            path: path.display().to_string(),
            source,
        })?,
    }
    Ok(Exit::AsWanted)
}

/// What is loaded: with the steps left out that were asked for, and as docker compose's hash has it, environment
/// files unread.
fn request(context: &Context, settings: &ConfigSettings) -> LoadRequest {
    let mut request = context.load_request(&settings.services, &context.settings.profiles);
    request.skip = settings.skip;
    request.skip.env_files = matches!(settings.list, ConfigList::Hashes(_));
    request
}

fn text(context: &Context, settings: &ConfigSettings) -> Result<String, ExpectedError> {
    if let ConfigList::Explanation(name, format) = &settings.list {
        return explanation(context, settings, name, *format);
    }
    if settings.skip.interpolation {
        match settings.list {
            ConfigList::Nothing => return undecoded(context, settings, |_| String::new()),
            ConfigList::Stack(ConfigFormat::Yaml) => return undecoded(context, settings, to_yaml),
            ConfigList::Stack(ConfigFormat::Json) => {
                return undecoded(context, settings, |model| {
                    pretty_json(&without_empty_lists(model))
                });
            }
            ConfigList::Services => {
                return undecoded(context, settings, |model| {
                    let services = model.get("services").and_then(Value::as_object);
                    lines(services.into_iter().flat_map(Map::keys))
                });
            }
            _ => {}
        }
    }
    let loaded = load(&request(context, settings), &Disk);
    let variables: BTreeMap<String, String> = match settings.list {
        ConfigList::Environment => loaded.variables.clone().into_iter().collect(),
        _ => BTreeMap::new(),
    };
    if settings.list == ConfigList::Variables && !loaded.is_not_found() {
        // Also of a stack that lacks some of them.
        return Ok(variables_table(&loaded));
    }
    let project = context.checked(loaded)?;
    check_services(&settings.services, Some(&project), &[])?;
    if settings.list == ConfigList::Profiles {
        return Ok(lines(profiles(context)?));
    }
    let mut project = Project::clone(&project);
    if !settings.services.is_empty() {
        narrow(&mut project, &settings.services);
    }
    // On a terminal the stack is shown; elsewhere it is data, which a mask would falsify.
    if context.settings.terminal.stdout && settings.output.is_none() {
        hide_secrets(&mut project);
    }
    Ok(match &settings.list {
        ConfigList::Nothing | ConfigList::Profiles | ConfigList::Variables | ConfigList::Explanation(..) => {
            String::new()
        }
        ConfigList::Models => lines(project.models.keys()),
        ConfigList::Stack(ConfigFormat::Yaml) => project_yaml(&project),
        ConfigList::Stack(ConfigFormat::Json) => project_json(&project),
        ConfigList::Services => lines(project.services.keys()),
        ConfigList::Images => lines(
            project
                .services
                .iter()
                .map(|(name, service)| service.image_reference(project.name.as_str(), name.as_str())),
        ),
        ConfigList::Volumes => lines(project.volumes.keys()),
        ConfigList::Networks => lines(project.networks.keys()),
        ConfigList::Hashes(names) => hashes(&project, names)?,
        ConfigList::Environment => lines(
            variables
                .iter()
                .map(|(name, value)| format!("{name}={}", context.masker.mask(value))),
        ),
    })
}

/// The stack with its variables in place.
fn undecoded(
    context: &Context,
    settings: &ConfigSettings,
    write: impl FnOnce(&Value) -> String,
) -> Result<String, ExpectedError> {
    let loaded = load_undecoded(&request(context, settings), &Disk);
    Ok(write(&context.told(loaded)?))
}

/// Where a value came from. On a terminal, values of variables that hold secrets are hidden.
fn explanation(
    context: &Context,
    settings: &ConfigSettings,
    name: &str,
    format: ConfigFormat,
) -> Result<String, ExpectedError> {
    let loaded = load_explanation(&request(context, settings), &Disk, name);
    if loaded.project.is_none() && loaded.errors().next().is_none() {
        return Err(ExpectedError::NoSuchThing {
            message: format!("no file says anything of `{name}`, and no variable has this name"),
            hint: Some("`platform config` shows the whole stack, also what is only implied".to_owned()),
        });
    }
    let mut explanation = context.told(loaded)?;
    if context.settings.terminal.stdout && settings.output.is_none() {
        hide_values(&mut explanation);
    }
    Ok(match format {
        ConfigFormat::Yaml => to_text(&explanation),
        ConfigFormat::Json => pretty_json(&serde_json::to_value(&explanation).unwrap_or_default()),
    })
}

fn hide_values(explanation: &mut Explanation) {
    let own_name = explanation.name.rsplit('.').next().unwrap_or_default();
    let of_variable = explanation
        .variables
        .iter()
        .any(|variable| is_secret_name(&variable.name));
    if is_secret_name(own_name) || of_variable {
        explanation.value = explanation.value.as_ref().map(|_| MASK.to_owned());
        for origin in explanation.from.iter_mut().chain(&mut explanation.lost) {
            MASK.clone_into(&mut origin.written);
        }
    }
    let inner = explanation.variables.iter_mut().chain(&mut explanation.parts);
    inner.for_each(hide_values);
}

/// docker compose's JSON has `null` where a list is empty.
fn without_empty_lists(value: &Value) -> Value {
    match value {
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::Array(items) => items.iter().map(without_empty_lists).collect(),
        Value::Object(table) => table
            .iter()
            .map(|(key, value)| (key.clone(), without_empty_lists(value)))
            .collect(),
        other => other.clone(),
    }
}

/// Hides the values of variables that hold secrets, as far as their names tell.
fn hide_secrets(project: &mut Project) {
    for service in project.services.values_mut() {
        for (name, value) in &mut service.environment {
            if is_secret_name(name) && value.is_some() {
                *value = Some(MASK.to_owned());
            }
        }
        for (name, value) in service.build.iter_mut().flat_map(|build| &mut build.args) {
            if is_secret_name(name) {
                MASK.clone_into(value);
            }
        }
    }
}

fn lines<T: std::fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| format!("{item}\n")).collect()
}

/// All profiles that the stack has, active or not.
fn profiles(context: &Context) -> Result<BTreeSet<String>, ExpectedError> {
    let loaded = context.load_with(&[], &["*".to_owned()]);
    let project = context.checked(loaded)?;
    Ok(project
        .services
        .values()
        .flat_map(|service| service.profiles.iter().cloned())
        .collect())
}

/// Keeps the named services, what they depend on, and what those use.
fn narrow(project: &mut Project, services: &[ServiceName]) {
    let kept = project.closure(services);
    project.services.retain(|name, _| kept.contains(name));
    let services: Vec<_> = project.services.values().collect();
    let mounts: BTreeSet<&str> = services
        .iter()
        .flat_map(|s| &s.volumes)
        .filter_map(|mount| match &mount.kind {
            MountKind::Volume {
                source: Some(source), ..
            } => Some(source.as_str()),
            _ => None,
        })
        .collect();
    project
        .networks
        .retain(|key, _| services.iter().any(|s| s.networks.contains_key(key)));
    project.volumes.retain(|key, _| mounts.contains(key.as_str()));
    project.secrets.retain(|key, _| {
        services
            .iter()
            .any(|s| s.secrets.iter().any(|m| m.source == *key))
    });
    project.configs.retain(|key, _| {
        services
            .iter()
            .any(|s| s.configs.iter().any(|m| m.source == *key))
    });
}

/// The variables that the stack uses, in docker compose's columns.
fn variables_table(loaded: &Loaded) -> String {
    let titles = ["NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE"].map(str::to_owned);
    let mut lines = vec![titles.to_vec()];
    for (name, used) in used_variables(&loaded.sources) {
        let words = [
            name.as_str(),
            if used.required { "true" } else { "false" },
            &used.default,
            &used.alternate,
        ];
        lines.push(words.map(|word| one_line(word).into_owned()).to_vec());
    }
    columns(&lines, 20, 3)
}

fn hashes(project: &Project, names: &[ServiceName]) -> Result<String, ExpectedError> {
    let mut out = String::new();
    if let Some(missing) = names.iter().find(|name| !project.services.contains_key(*name)) {
        return Err(ExpectedError::NoSuchThing {
            message: format!("no service `{missing}`"),
            hint: None,
        });
    }
    for (name, service) in &project.services {
        if names.is_empty() || names.contains(name) {
            let hash = service_hash(service);
            out.push_str(&format!("{name} {hash}\n"));
        }
    }
    Ok(out)
}
