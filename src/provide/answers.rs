//! What providers and the runner of models answered, and who is told of it.

use std::collections::BTreeMap;

use crate::base::ServiceName;
use crate::model::{Project, model_variables, provider_prefix};

/// What providers and the runner of models answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// What each provider said of the service that it brought up: variables and their values.
    pub variables: BTreeMap<ServiceName, Vec<(String, String)>>,
    /// Where models are served, where anybody asked.
    pub endpoint: Option<String>,
}

impl Answers {
    /// The project with the answers in the environment of the services that depend on them.
    #[must_use]
    pub fn applied_to(&self, project: &Project) -> Project {
        let mut out = project.clone();
        for service in out.services.values_mut() {
            let told = self
                .variables
                .iter()
                .filter(|(name, _)| service.depends_on.contains_key(*name));
            for (name, variables) in told {
                let prefix = provider_prefix(name);
                let named = variables
                    .iter()
                    .map(|(key, value)| (format!("{prefix}{key}"), Some(value.clone())));
                service.environment.extend(named);
            }
            for (key, used) in &service.models {
                let Some(model) = project.models.get(key) else {
                    continue;
                };
                let variables = model_variables(key, used.as_ref());
                service
                    .environment
                    .insert(variables.model, Some(model.model.clone()));
                if let Some(endpoint) = &self.endpoint {
                    service
                        .environment
                        .insert(variables.endpoint, Some(endpoint.clone()));
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::testing::Case;

    fn project(text: &str) -> Project {
        Case::new(text).load().project.unwrap()
    }

    #[test]
    fn dependents_and_users_of_models_are_told() {
        let before = project(
            "services:
  app: { image: a, depends_on: [my-db], models: { llm-small: {}, big: { endpoint_var: AT, model_var: WHAT } } }
  other: { image: a }
  my-db: { provider: { type: cloud } }
models:
  llm-small: { model: ai/small }
  big: { model: ai/big }
",
        );
        let answers = Answers {
            variables: BTreeMap::from([("my-db".into(), vec![("URL".to_owned(), "db://1".to_owned())])]),
            endpoint: Some("http://models/".into()),
        };
        let after = answers.applied_to(&before);
        let told: Vec<String> = after.services["app"]
            .environment
            .iter()
            .map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or("-")))
            .collect();
        assert_eq!(
            told,
            [
                "MY-DB_URL=db://1",
                "LLM_SMALL_MODEL=ai/small",
                "LLM_SMALL_URL=http://models/",
                "WHAT=ai/big",
                "AT=http://models/"
            ]
        );
        assert!(after.services["other"].environment.is_empty());
    }
}
