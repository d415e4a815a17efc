//! Credentials for registries, as the Docker command line keeps them.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::Deserialize;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::connect::EngineEnv;
use crate::base::Secret;

/// How long a credential helper may take.
const HELPER: Duration = Duration::from_secs(10);
/// The key of Docker's own registry in the configuration.
const DOCKER_IO: &str = "https://index.docker.io/v1/";

/// A user of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    /// Name; empty with a token.
    pub(super) username: String,
    /// Password.
    pub(super) password: Secret<String>,
    /// Token in the place of both.
    pub(super) identity_token: Option<Secret<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ConfigFile {
    auths: BTreeMap<String, AuthEntry>,
    #[serde(rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(rename = "credsStore")]
    store: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AuthEntry {
    auth: String,
    username: String,
    password: String,
    #[serde(rename = "identitytoken")]
    identity_token: String,
}

/// The value of `X-Registry-Auth` for an image, where there are credentials.
pub(super) async fn auth_for(env: &EngineEnv, reference: &str) -> Option<Secret<String>> {
    let host = registry_of(reference);
    let credentials = credentials(env, &host).await?;
    Some(Secret::new(
        URL_SAFE.encode(credentials.to_json(&host).to_string()),
    ))
}

/// The value of `X-Registry-Config`: all stored credentials, for builds of which only the builder
/// knows what they pull. Helpers are asked for the hosts that are listed with them.
pub(super) async fn all(env: &EngineEnv) -> Option<Secret<String>> {
    let known: serde_json::Map<String, serde_json::Value> = every(env)
        .await?
        .iter()
        .map(|(host, found)| (host.clone(), found.to_json(host)))
        .collect();
    (!known.is_empty()).then(|| Secret::new(URL_SAFE.encode(serde_json::Value::Object(known).to_string())))
}

/// All that the Docker command line may pull and push with, as settings of its own that need no helpers.
pub async fn portable_settings(env: &EngineEnv) -> Secret<String> {
    let mut known = serde_json::Map::new();
    for (host, found) in every(env).await.unwrap_or_default() {
        let pair = format!("{}:{}", found.username, found.password.expose());
        let mut entry = json!({});
        if !found.username.is_empty() {
            entry["auth"] = json!(STANDARD.encode(pair));
        }
        if let Some(token) = &found.identity_token {
            entry["identitytoken"] = json!(token.expose());
        }
        known.insert(host, entry);
    }
    Secret::new(json!({ "auths": known }).to_string())
}

/// The credentials of every host that the configuration names; none without one.
async fn every(env: &EngineEnv) -> Option<BTreeMap<String, Credentials>> {
    let text = tokio::fs::read(env.docker_config_dir()?.join("config.json"))
        .await
        .ok()?;
    let config: ConfigFile = serde_json::from_slice(&text).ok()?;
    let mut known = BTreeMap::new();
    for (host, entry) in &config.auths {
        // A store keeps the secrets of hosts that are named here without any.
        let found = match decode(entry) {
            None if !config.store.is_empty() => ask_helper(env, &config.store, host).await,
            found => found,
        };
        known.extend(found.map(|found| (host.clone(), found)));
    }
    for (host, helper) in &config.helpers {
        let found = ask_helper(env, helper, host).await;
        known.extend(found.map(|found| (host.clone(), found)));
    }
    Some(known)
}

impl Credentials {
    fn to_json(&self, host: &str) -> serde_json::Value {
        let mut value = json!({
            "username": self.username,
            "password": self.password.expose(),
            "serveraddress": host,
        });
        if let (Some(token), Some(fields)) = (&self.identity_token, value.as_object_mut()) {
            fields.insert("identitytoken".into(), json!(token.expose()));
        }
        value
    }
}

/// The registry of an image: what stands before the first slash if it looks like a host.
fn registry_of(reference: &str) -> String {
    match reference.split_once('/') {
        Some((host, _)) if host.contains('.') || host.contains(':') || host == "localhost" => host.to_owned(),
        _ => "docker.io".to_owned(),
    }
}

/// The credentials for a registry's host; none where there are none or they cannot be had.
pub(super) async fn credentials(env: &EngineEnv, host: &str) -> Option<Credentials> {
    let text = tokio::fs::read(env.docker_config_dir()?.join("config.json"))
        .await
        .ok()?;
    let config: ConfigFile = serde_json::from_slice(&text).ok()?;
    let docker = matches!(host, "docker.io" | "registry-1.docker.io" | "index.docker.io");
    let key = if docker { DOCKER_IO } else { host };
    let helper = config
        .helpers
        .get(key)
        .or_else(|| config.helpers.get(host))
        .or((!config.store.is_empty()).then_some(&config.store));
    if let Some(helper) = helper
        && let Some(found) = ask_helper(env, helper, key).await
    {
        return Some(found);
    }
    let entry = config.auths.iter().find_map(|(name, entry)| {
        let bare = name
            .trim_start_matches("https://")
            .trim_start_matches("http://")
            .split('/')
            .next()
            .unwrap_or_default();
        (name == key || bare == host || (docker && bare == "index.docker.io")).then_some(entry)
    })?;
    decode(entry)
}

fn decode(entry: &AuthEntry) -> Option<Credentials> {
    let (username, password) = if entry.auth.is_empty() {
        (entry.username.clone(), entry.password.clone())
    } else {
        let plain = String::from_utf8(STANDARD.decode(entry.auth.trim()).ok()?).ok()?;
        let (name, password) = plain.split_once(':')?;
        (name.to_owned(), password.trim_end_matches('\0').to_owned())
    };
    let token = (!entry.identity_token.is_empty()).then(|| Secret::new(entry.identity_token.clone()));
    if username.is_empty() && token.is_none() {
        return None;
    }
    Some(Credentials {
        username,
        password: Secret::new(password),
        identity_token: token,
    })
}

/// Asks `docker-credential-NAME get`.
async fn ask_helper(env: &EngineEnv, name: &str, key: &str) -> Option<Credentials> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        username: String,
        secret: String,
    }
    if !name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    {
        return None;
    }
    let work = async {
        let mut child = tokio::process::Command::new(format!("docker-credential-{name}"))
            .arg("get")
            .envs(&env.vars)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .ok()?;
        let mut stdin = child.stdin.take()?;
        stdin.write_all(key.as_bytes()).await.ok()?;
        drop(stdin);
        let output = child.wait_with_output().await.ok()?;
        if !output.status.success() {
            return None;
        }
        serde_json::from_slice::<Answer>(&output.stdout).ok()
    };
    let answer = tokio::time::timeout(HELPER, work).await.ok()??;
    Some(if answer.username == "<token>" {
        Credentials {
            username: String::new(),
            password: Secret::new(String::new()),
            identity_token: Some(Secret::new(answer.secret)),
        }
    } else {
        Credentials {
            username: answer.username,
            password: Secret::new(answer.secret),
            identity_token: None,
        }
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn env(dir: &std::path::Path, config: &str) -> EngineEnv {
        std::fs::write(dir.join("config.json"), config).unwrap();
        let path = format!("{}:{}", dir.display(), std::env::var("PATH").unwrap_or_default());
        EngineEnv {
            vars: [
                ("DOCKER_CONFIG".to_owned(), dir.display().to_string()),
                ("PATH".to_owned(), path),
            ]
            .into(),
            uid: 0,
        }
    }

    #[test]
    fn the_registry_is_the_first_part_if_it_looks_like_a_host() {
        for (reference, host) in [
            ("nginx", "docker.io"),
            ("library/nginx:1", "docker.io"),
            ("ghcr.io/a/b", "ghcr.io"),
            ("localhost:5000/a", "localhost:5000"),
            ("localhost/a", "localhost"),
        ] {
            assert_eq!(registry_of(reference), host);
        }
    }

    #[tokio::test]
    async fn stored_credentials_are_found_by_host() {
        let dir = tempfile::tempdir().unwrap();
        // "me:pa:ss"
        let env = env(
            dir.path(),
            r#"{"auths":{"https://index.docker.io/v1/":{"auth":"bWU6cGE6c3M="},"r.example:5000":{"identitytoken":"t"}}}"#,
        );
        let docker = credentials(&env, "docker.io").await.unwrap();
        assert_eq!(
            (docker.username.as_str(), docker.password.expose().as_str()),
            ("me", "pa:ss")
        );
        assert!(
            credentials(&env, "r.example:5000")
                .await
                .unwrap()
                .identity_token
                .is_some()
        );
        assert_eq!(credentials(&env, "other.example").await, None);
        let header = auth_for(&env, "nginx").await.unwrap();
        let value: serde_json::Value =
            serde_json::from_slice(&URL_SAFE.decode(header.expose()).unwrap()).unwrap();
        assert_eq!(value["password"], "pa:ss");
    }

    #[tokio::test]
    async fn a_helper_is_asked_where_one_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let helper = dir.path().join("docker-credential-ours");
        std::fs::write(
            &helper,
            "#!/bin/sh\nread host\nprintf '{\"ServerURL\":\"%s\",\"Username\":\"u\",\"Secret\":\"s-%s\"}' $host $host\n",
        )
        .unwrap();
        std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
        let env = env(dir.path(), r#"{"credHelpers":{"r.example":"ours"}}"#);
        // The program is looked for in this process's path, so that it is named in full here.
        let full = dir.path().join("docker-credential-ours");
        assert!(full.exists());
        let found = ask_helper(&env, "ours", "r.example").await;
        assert_eq!(
            found.map(|c| c.password.expose().clone()),
            Some("s-r.example".into())
        );
        assert_eq!(ask_helper(&env, "../evil", "x").await, None);
    }
}
