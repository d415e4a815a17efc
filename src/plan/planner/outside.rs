//! What programs beside the engine bring up: providers and models. They come before everything else, since
//! what they answer is part of what is wanted of the services that depend on them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Planner, UpOptions, in_dependency_order};
use crate::base::ServiceName;
use crate::model::{Project, Service, model_variables, provider_prefix};
use crate::plan::step::{Action, Cause, Plan, Step, StepId};

/// How far providers and models are when a plan is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Outside {
    /// They are part of the plan, so that nobody knows yet what they will answer.
    #[default]
    Planned,
    /// They have done their part, and the project has what they answered.
    Done,
}

/// The part of `up`'s plan that is done before the rest can be planned; empty where there are no providers
/// and no models.
pub fn plan_outside(project: &Project, options: &UpOptions) -> Plan {
    let ordered = in_dependency_order(project, &options.selected(project));
    Plan {
        steps: steps(project, &ordered),
        ..Plan::default()
    }
}

fn steps(project: &Project, ordered: &[ServiceName]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut push = |action, after| {
        let id = StepId(u32::try_from(steps.len()).unwrap_or(u32::MAX));
        steps.push(Step {
            id,
            action,
            after,
            gates: Vec::new(),
            cause: Cause::EveryRun,
            undo: None,
        });
        id
    };
    let services = || {
        ordered
            .iter()
            .filter_map(|name| Some((name, project.services.get(name)?)))
    };
    let used = |key: &String| services().any(|(_, service)| service.models.contains_key(key));
    let models: Vec<_> = project.models.iter().filter(|(key, _)| used(key)).collect();
    if !models.is_empty() {
        let runner = push(Action::FindModelRunner, Vec::new());
        for (key, spec) in models {
            let action = Action::PrepareModel {
                key: key.clone(),
                model: spec.model.clone(),
            };
            push(action, vec![runner]);
        }
    }
    let mut asked: BTreeMap<&ServiceName, StepId> = BTreeMap::new();
    for (name, service) in services() {
        let Some(provider) = &service.provider else {
            continue;
        };
        let before = project.closure(std::slice::from_ref(name));
        let after = before
            .iter()
            .filter_map(|other| asked.get(other).copied())
            .collect();
        let action = Action::RunProvider {
            service: name.clone(),
            kind: provider.kind.clone(),
            up: true,
        };
        asked.insert(name, push(action, after));
    }
    steps
}

impl Planner<'_> {
    pub(super) fn plan_what_is_outside(&mut self, ordered: &[ServiceName]) {
        if self.options.outside == Outside::Planned {
            self.plan.steps = steps(self.project, ordered);
            return;
        }
        let provided = ordered.iter().filter(|name| {
            let service = self.project.services.get(*name);
            service.is_some_and(|service| service.provider.is_some())
        });
        self.plan.provided = provided.cloned().collect();
    }

    /// Whether a service's environment is not known in full yet.
    pub(super) fn lacks_answers(&self, service: &Service) -> bool {
        self.options.outside == Outside::Planned
            && (!service.models.is_empty() || self.providers_of(service).next().is_some())
    }

    /// A definition with the variables, as they were, that only a provider or the runner of models can tell.
    pub(super) fn with_what_is_not_known(&self, service: &Service, was: &Value, definition: &Value) -> Value {
        let mut out = definition.clone();
        let Some(known) = was["environment"]
            .as_object()
            .filter(|_| self.lacks_answers(service))
        else {
            return out;
        };
        let prefixes: Vec<String> = self.providers_of(service).map(provider_prefix).collect();
        let names: Vec<String> = service
            .models
            .iter()
            .flat_map(|(key, used)| {
                let variables = model_variables(key, used.as_ref());
                [variables.model, variables.endpoint]
            })
            .collect();
        for (name, value) in known {
            let not_known = names.contains(name) || prefixes.iter().any(|prefix| name.starts_with(prefix));
            if not_known && out["environment"].get(name).is_none() {
                out["environment"][name] = value.clone();
            }
        }
        out
    }

    fn providers_of<'s>(&'s self, service: &'s Service) -> impl Iterator<Item = &'s ServiceName> {
        service.depends_on.keys().filter(|name| {
            let on = self.project.services.get(*name);
            on.is_some_and(|on| on.provider.is_some())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Observed;
    use crate::plan::{ImageState, lint, plan_up, text};
    use crate::stack::testing::Case;

    fn project(text: &str) -> Project {
        Case::new(text).load().project.unwrap()
    }

    const STACK: &str = "
name: shop
services:
  app: { image: a, depends_on: [cache, db], models: [llm] }
  cache: { provider: { type: cloud } , depends_on: [queue] }
  queue: { image: q, depends_on: [db] }
  db: { provider: { type: cloud, options: { size: 1 } } }
  lone: { provider: { type: other } }
models:
  llm: { model: ai/small }
  unused: { model: ai/large }
networks: { default: { external: true, name: there } }
";

    fn steps(plan: &Plan) -> String {
        assert_eq!(lint::lint(plan), Vec::<String>::new());
        text::plan(plan)
    }

    #[test]
    fn providers_and_models_come_first_and_depend_on_each_other() {
        let project = project(STACK);
        let options = UpOptions {
            services: vec!["app".into()],
            ..UpOptions::default()
        };
        let plan = plan_outside(&project, &options);
        insta::assert_snapshot!(steps(&plan), @r"
        #0  ask where models are served — it is asked on every run, and knows itself what is there
        #1  prepare the model ai/small — it is asked on every run, and knows itself what is there; after #0
        #2  bring up db through the provider cloud — it is asked on every run, and knows itself what is there
        #3  bring up cache through the provider cloud — it is asked on every run, and knows itself what is there; after #2
        ");
        assert!(plan.is_settled());
    }

    #[test]
    fn what_only_a_provider_knows_is_no_difference_before_it_is_asked() {
        let wanted = project(
            "
name: shop
services:
  app: { image: a, network_mode: none, depends_on: [db], environment: { A: '1' } }
  db: { provider: { type: cloud } }
",
        );
        let app: ServiceName = "app".into();
        let mut told = wanted.clone();
        let environment = &mut told.services.get_mut(&app).unwrap().environment;
        environment.insert("DB_URL".into(), Some("db://1".into()));
        let definition = crate::model::render::comparable(&told, &told.services[&app], &[]);
        let mut container = crate::model::testing::container("app", 1);
        container
            .labels
            .insert(crate::model::labels::SPEC.into(), definition.to_string());
        let images = BTreeMap::from([(app.clone(), ImageState::Present(container.image.clone()))]);
        let observed = Observed {
            containers: vec![container],
            ..Observed::default()
        };
        let with = |project: &Project, outside| {
            let options = UpOptions {
                outside,
                ..UpOptions::default()
            };
            plan_up(project, &observed, &images, &options)
        };
        // Shown before anybody is asked: nothing but the question.
        let shown = with(&wanted, Outside::Planned);
        assert!(shown.is_settled() && !shown.is_empty(), "{}", steps(&shown));
        // The same answer as before: nothing at all.
        let same = with(&told, Outside::Done);
        assert!(same.is_empty(), "{}", steps(&same));
        assert_eq!(same.provided, ["db".into()]);
        // Another one, or none: it is made anew.
        let environment = &mut told.services.get_mut(&app).unwrap().environment;
        environment.insert("DB_URL".into(), Some("db://2".into()));
        for project in [&told, &wanted] {
            let other = with(project, Outside::Done);
            assert!(steps(&other).contains("environment.DB_URL"), "{}", steps(&other));
        }
    }
}
