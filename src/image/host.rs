//! What the host knows that a build needs to work as on the host: proxies, certificate
//! authorities, pip's and apt's settings. It reaches builds as hidden arguments and secrets only.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::base::Secret;

/// The secret with the host's CA bundle (PEM).
pub const CA_SECRET: &str = "platform_ca";
/// The secret with pip's settings.
pub const PIP_SECRET: &str = "platform_pip_conf";
/// The secret with apt's settings.
pub const APT_SECRET: &str = "platform_apt_conf";

/// BuildKit refuses secrets that are larger.
const LARGEST_SECRET: usize = 500 << 10;

/// The host's environment, as it was handed in.
#[derive(Debug, Clone)]
pub struct HostEnv {
    vars: BTreeMap<String, Secret<String>>,
    root: PathBuf,
    /// Whether we may install packages.
    pub is_root: bool,
}

/// What kind of system the host is, from `os-release`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Its name for people.
    pub name: String,
    /// Whether it is Debian or made from it, so that packages bear Debian's names.
    pub is_debian_like: bool,
}

impl HostEnv {
    /// The host with these environment variables.
    pub fn new(vars: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            vars: vars.into_iter().map(|(k, v)| (k, Secret::new(v))).collect(),
            root: PathBuf::from("/"),
            is_root: rustix::process::geteuid().is_root(),
        }
    }

    #[cfg(test)]
    pub(crate) fn rooted(root: &Path, vars: &[(&str, &str)], is_root: bool) -> Self {
        Self {
            vars: vars
                .iter()
                .map(|(k, v)| ((*k).to_owned(), Secret::new((*v).to_owned())))
                .collect(),
            root: root.to_owned(),
            is_root,
        }
    }

    /// A variable that is set and not empty.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.vars
            .get(name)
            .map(|v| v.expose().as_str())
            .filter(|v| !v.is_empty())
    }

    /// Where temporary files go.
    pub fn temp_dir(&self) -> PathBuf {
        PathBuf::from(self.var("TMPDIR").unwrap_or("/tmp"))
    }

    /// The file of a command on the search path.
    pub fn find_program(&self, name: &str) -> Option<PathBuf> {
        use std::os::unix::fs::PermissionsExt;
        let default = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let path = self.var("PATH").unwrap_or(default);
        // Tools such as mmdebstrap's helpers stand where a plain user's search path does not reach.
        path.split(':')
            .chain(["/usr/sbin", "/sbin"])
            .filter(|dir| dir.starts_with('/'))
            .map(|dir| self.at(dir).join(name))
            .find(|file| {
                file.metadata()
                    .is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
            })
    }

    /// Whether a file is there.
    pub fn has_file(&self, path: &Path) -> bool {
        path.to_str().is_some_and(|p| self.at(p).exists())
    }

    /// What the host is.
    pub fn distribution(&self) -> Distribution {
        let text = fs::read_to_string(self.at("/etc/os-release"))
            .or_else(|_| fs::read_to_string(self.at("/usr/lib/os-release")))
            .unwrap_or_default();
        let field = |name: &str| {
            text.lines()
                .filter_map(|line| line.split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.trim_matches(['"', '\'']).to_owned())
        };
        let id = field("ID").unwrap_or_default();
        let like = field("ID_LIKE").unwrap_or_default();
        Distribution {
            name: field("PRETTY_NAME").unwrap_or_else(|| "this system".to_owned()),
            is_debian_like: std::iter::once(id.as_str())
                .chain(like.split_whitespace())
                .any(|id| id == "debian" || id == "ubuntu"),
        }
    }

    /// Proxy variables in both spellings, from the environment, else from the engine client's
    /// `config.json` (`proxies.default`).
    pub fn proxies(&self) -> BTreeMap<String, String> {
        let configured = self.client_proxies();
        let mut out = BTreeMap::new();
        for (name, key) in [
            ("HTTP_PROXY", "httpProxy"),
            ("HTTPS_PROXY", "httpsProxy"),
            ("FTP_PROXY", "ftpProxy"),
            ("NO_PROXY", "noProxy"),
        ] {
            let lower = name.to_ascii_lowercase();
            let value = self
                .var(&lower)
                .or_else(|| self.var(name))
                .map(str::to_owned)
                .or_else(|| configured.get(key)?.as_str().map(str::to_owned));
            if let Some(value) = value.filter(|v| !v.is_empty()) {
                out.insert(lower, value.clone());
                out.insert(name.to_owned(), value);
            }
        }
        out
    }

    fn client_proxies(&self) -> serde_json::Value {
        let folder = match (self.var("DOCKER_CONFIG"), self.var("HOME")) {
            (Some(folder), _) => PathBuf::from(folder),
            (None, Some(home)) => Path::new(home).join(".docker"),
            (None, None) => return serde_json::Value::Null,
        };
        fs::read(folder.join("config.json"))
            .ok()
            .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok())
            .and_then(|config| config.get("proxies")?.get("default").cloned())
            .unwrap_or_default()
    }

    /// The variables that make a child process of ours use the host's proxies and authorities.
    pub fn network_vars(&self) -> BTreeMap<String, String> {
        let mut vars = self.proxies();
        for name in CA_VARS.iter().chain(&["SSL_CERT_DIR"]) {
            if let Some(value) = self.var(name) {
                vars.insert((*name).to_owned(), value.to_owned());
            }
        }
        vars
    }

    /// The host's CA bundle: where the environment names one that can be read, there; else where
    /// distributions keep it. `None` where there is none, or it is larger than a secret may be.
    pub fn ca_bundle(&self) -> Option<Vec<u8>> {
        let named = CA_VARS.iter().filter_map(|name| self.var(name));
        let bundle = named
            .chain(CA_FILES.iter().copied())
            .filter_map(|path| fs::read(self.at(path)).ok())
            .find(|bytes| find(bytes, PEM_BEGIN).is_some())?;
        let bundle = if bundle.len() > LARGEST_SECRET {
            certificates_only(&bundle)
        } else {
            bundle
        };
        (bundle.len() <= LARGEST_SECRET).then_some(bundle)
    }

    /// pip's index settings from its files and variables, as one pip.conf. Paths of the host
    /// (`cert`, `find-links`) mean nothing in a build and are left out.
    pub fn pip_conf(&self) -> Option<String> {
        const KEPT: [&str; 6] = [
            "index-url",
            "extra-index-url",
            "trusted-host",
            "timeout",
            "retries",
            "proxy",
        ];
        let mut settings: BTreeMap<&str, String> = BTreeMap::new();
        let mut set = |key: &str, value: &str| {
            let key = if key == "default-timeout" { "timeout" } else { key };
            if let Some(kept) = KEPT.iter().find(|k| **k == key) {
                settings.insert(kept, value.split_whitespace().collect::<Vec<_>>().join("\n    "));
            }
        };
        if self.var("PIP_CONFIG_FILE") != Some("/dev/null") {
            for file in self.pip_files() {
                let Ok(text) = fs::read_to_string(self.at(&file)) else {
                    continue;
                };
                for section in ["global", "install"] {
                    for (key, value) in ini_section(&text, section) {
                        set(&key, &value);
                    }
                }
            }
        }
        for (name, value) in &self.vars {
            let Some(key) = name.strip_prefix("PIP_") else {
                continue;
            };
            if !value.expose().is_empty() {
                set(&key.to_ascii_lowercase().replace('_', "-"), value.expose());
            }
        }
        let lines: String = settings
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| format!("{key} = {value}\n"))
            .collect();
        (!lines.is_empty()).then(|| format!("[global]\n{lines}"))
    }

    /// pip's files, weakest first (pip's documentation, "Configuration").
    fn pip_files(&self) -> Vec<String> {
        let mut files = vec!["/etc/xdg/pip/pip.conf".to_owned(), "/etc/pip.conf".to_owned()];
        if let Some(home) = self.var("HOME") {
            files.push(format!("{home}/.pip/pip.conf"));
            let config = self
                .var("XDG_CONFIG_HOME")
                .map_or_else(|| format!("{home}/.config"), str::to_owned);
            files.push(format!("{config}/pip/pip.conf"));
        }
        if let Some(venv) = self.var("VIRTUAL_ENV") {
            files.push(format!("{venv}/pip.conf"));
        }
        files.extend(self.var("PIP_CONFIG_FILE").map(str::to_owned));
        files
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }
}

/// What of `apt-config dump` reaches a build: how the archive is reached and how fresh it must be.
pub fn apt_conf(dump: &str) -> Option<String> {
    const KEPT: [&str; 9] = [
        "acquire::http::proxy",
        "acquire::https::proxy",
        "acquire::ftp::proxy",
        "acquire::http::timeout",
        "acquire::https::timeout",
        "acquire::retries",
        "acquire::check-valid-until",
        "acquire::check-date",
        "acquire::max-futuretime",
    ];
    let kept: String = dump
        .lines()
        .filter(|line| {
            let Some((key, value)) = line.split_once(' ') else {
                return false;
            };
            let key = key.to_ascii_lowercase();
            let wanted = KEPT.iter().any(|kept| {
                key.strip_prefix(kept)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            });
            wanted && value != "\"\";"
        })
        .map(|line| format!("{line}\n"))
        .collect();
    (!kept.is_empty()).then_some(kept)
}

/// Variables that name a CA bundle, the most general first.
const CA_VARS: [&str; 6] = [
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "GIT_SSL_CAINFO",
    "NIX_SSL_CERT_FILE",
];

/// Where distributions keep it.
const CA_FILES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/ssl/cert.pem",
];

const PEM_BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const PEM_END: &[u8] = b"-----END CERTIFICATE-----";

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|w| w == what)
}

/// A bundle without the comments between certificates, which make up half of some.
fn certificates_only(bundle: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut inside = false;
    for line in bundle.split(|b| *b == b'\n') {
        inside |= line.starts_with(PEM_BEGIN);
        if inside {
            out.extend_from_slice(line);
            out.push(b'\n');
        }
        inside &= !line.starts_with(PEM_END);
    }
    out
}

/// The settings of one section of an INI file; indented lines continue the one before.
fn ini_section(text: &str, section: &str) -> Vec<(String, String)> {
    let mut settings: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            inside = name.trim() == section;
        } else if inside && line.starts_with([' ', '\t']) {
            if let Some((_, value)) = settings.last_mut() {
                value.push(' ');
                value.push_str(trimmed);
            }
        } else if inside && let Some((key, value)) = trimmed.split_once(['=', ':']) {
            settings.push((
                key.trim().to_ascii_lowercase().replace('_', "-"),
                value.trim().to_owned(),
            ));
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(files: &[(&str, &str)], vars: &[(&str, &str)]) -> (tempfile::TempDir, HostEnv) {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let env = HostEnv::rooted(dir.path(), vars, false);
        (dir, env)
    }

    const CERT: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    #[test]
    fn proxies_reach_a_build_in_both_spellings() {
        let (_dir, env) = host(
            &[],
            &[
                ("https_proxy", "http://p:1"),
                ("NO_PROXY", "a,b"),
                ("HTTP_PROXY", ""),
            ],
        );
        let names: Vec<_> = env
            .proxies()
            .into_iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        assert_eq!(
            names,
            [
                "HTTPS_PROXY=http://p:1",
                "NO_PROXY=a,b",
                "https_proxy=http://p:1",
                "no_proxy=a,b"
            ]
        );
        let config = tempfile::tempdir().unwrap();
        fs::write(
            config.path().join("config.json"),
            r#"{"proxies": {"default": {"httpProxy": "http://q:2"}}}"#,
        )
        .unwrap();
        let folder = config.path().to_str().unwrap();
        let (_dir, env) = host(&[], &[("DOCKER_CONFIG", folder)]);
        assert_eq!(
            env.proxies().get("http_proxy").map(String::as_str),
            Some("http://q:2")
        );
    }

    #[test]
    fn the_bundle_that_the_environment_names_comes_first() {
        let other = CERT.replace("AAAA", "BBBB");
        let files = [
            ("etc/ssl/certs/ca-certificates.crt", CERT),
            ("opt/ca.pem", other.as_str()),
        ];
        let (_dir, env) = host(
            &files,
            &[("CURL_CA_BUNDLE", "/opt/ca.pem"), ("SSL_CERT_FILE", "/missing")],
        );
        assert_eq!(env.ca_bundle(), Some(other.clone().into_bytes()));
        let (_dir, env) = host(&files, &[]);
        assert_eq!(env.ca_bundle(), Some(CERT.into()));
        let (_dir, env) = host(&[], &[]);
        assert_eq!(env.ca_bundle(), None);
    }

    #[test]
    fn a_large_bundle_loses_its_comments() {
        let text = format!("{}\n{CERT}", "# comment\n".repeat(60_000));
        let (_dir, env) = host(&[("etc/ssl/cert.pem", &text)], &[]);
        assert_eq!(env.ca_bundle(), Some(CERT.into()));
        let (_dir, env) = host(&[("etc/ssl/cert.pem", &CERT.repeat(20_000))], &[]);
        assert_eq!(env.ca_bundle(), None);
    }

    #[test]
    fn pips_settings_are_merged_as_pip_does() {
        let (_dir, env) = host(
            &[
                (
                    "etc/pip.conf",
                    "[global]\ncert = /etc/ca.pem\nindex-url = https://one/simple\ntimeout: 5\n[install]\ntrusted-host =\n  a\n  b\n",
                ),
                (
                    "home/me/.config/pip/pip.conf",
                    "# c\n[global]\nindex_url=https://two/simple\nfind-links=/x\n",
                ),
            ],
            &[
                ("HOME", "/home/me"),
                ("PIP_DEFAULT_TIMEOUT", "180"),
                ("PIP_CERT", "/x"),
                ("PIP_FIND_LINKS", "/y"),
            ],
        );
        insta::assert_snapshot!(env.pip_conf().unwrap(), @r"
        [global]
        index-url = https://two/simple
        timeout = 180
        trusted-host = a
            b
        ");
        let (_dir, env) = host(&[("etc/pip.conf", "[global]\ncert=/x\n")], &[]);
        assert_eq!(env.pip_conf(), None);
    }

    #[test]
    fn apts_settings_are_filtered() {
        let dump = "APT \"\";\nAcquire::Check-Date \"false\";\nAcquire::http \"\";\nAcquire::http::Proxy \"http://u:p@h:1\";\n\
                    Acquire::http::Proxy::local \"DIRECT\";\nAcquire::https::CaInfo \"/etc/x\";\nAcquire::Retries \"\";\nDir \"/\";\n";
        insta::assert_snapshot!(apt_conf(dump).unwrap(), @r#"
        Acquire::Check-Date "false";
        Acquire::http::Proxy "http://u:p@h:1";
        Acquire::http::Proxy::local "DIRECT";
        "#);
        assert_eq!(apt_conf("APT \"\";\n"), None);
    }

    #[test]
    fn distributions_are_told_apart() {
        for (text, expected) in [
            ("ID=debian\nPRETTY_NAME=\"Debian 13\"", true),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"", true),
            ("ID=fedora\nID_LIKE=\"rhel\"", false),
            ("", false),
        ] {
            let (_dir, env) = host(&[("etc/os-release", text)], &[]);
            assert_eq!(env.distribution().is_debian_like, expected, "{text}");
        }
    }
}
