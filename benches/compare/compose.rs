//! docker compose: found, or got by ci/get-compose.sh.

use tokio::process::Command;

use super::settings::root;

/// The version of the `docker compose` that is there, 2 or later; got where there is none.
pub async fn version() -> Result<String, String> {
    if let Some(version) = installed().await {
        return Ok(version);
    }
    eprintln!("docker compose v2 is not here; ci/get-compose.sh gets it");
    let script = root().join("ci/get-compose.sh");
    let status = Command::new("bash")
        .arg(&script)
        .status()
        .await
        .map_err(|e| e.to_string())?;
    match installed().await {
        Some(version) => Ok(version),
        None => Err(format!(
            "no docker compose to compare with ({} ended with {status})",
            script.display()
        )),
    }
}

async fn installed() -> Option<String> {
    let output = Command::new("docker")
        .args(["compose", "version", "--short"])
        .output()
        .await
        .ok()?;
    let version = String::from_utf8(output.stdout)
        .ok()?
        .trim()
        .trim_start_matches('v')
        .to_owned();
    let major: u32 = version.split('.').next()?.parse().ok()?;
    (output.status.success() && major >= 2).then_some(version)
}
