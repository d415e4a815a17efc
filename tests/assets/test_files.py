"""The stack file, its variables, the recipes and the locks agree with one another."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from conftest import ROOT

STACK = ROOT / "stacks/devops.yaml"
TEXT = STACK.read_text()
MODEL = yaml.safe_load(TEXT)
SERVICES = MODEL["services"]
RECIPES = {
    file.parent.name: yaml.safe_load(file.read_text())
    for file in sorted((ROOT / "images").glob("*/recipe.yaml"))
}
COMMON = {"recipe", "kind", "provides", "title", "timeout", "version_file", "stand_in"}
KINDS = {
    "rootfs": COMMON | {"run", "environment", "tools", "files", "config"},
    "dockerfile": COMMON | {"dockerfile", "context"},
}


def ours() -> list[Path]:
    """Every file of the reference platform that Git knows or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--"]
        + ["stacks", "app", "nginx", "monitoring", "grafana", "images", "tests/assets", "ci"]
        + [".env.example"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).is_file()]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_more_than_it_needs(name):
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert not service.get("cap_add")
    assert not service.get("privileged")
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert re.fullmatch(r"[1-9]\d*:\d+", service["user"]), "a user that is not root, by number"
    assert service["mem_limit"]
    assert service["pids_limit"] > 0
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    assert service["stop_grace_period"]
    assert service["networks"] == ["devops"]
    assert service["healthcheck"]["interval"] == "30s"
    assert service["x-platform"]["probe"]
    for mount in service.get("volumes", []):
        assert "docker.sock" not in mount
        source, _, rest = mount.partition(":")
        assert not source.startswith(".") or rest.endswith(":ro"), f"{mount} may be written to"
    for port in service.get("ports", []):
        assert port.startswith("${BIND_ADDRESS:-127.0.0.1}:")


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_pinned(name):
    image = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", SERVICES[name]["image"])
    assert re.search(r":v?\d+\.\d+\.\d+$", image), image


def test_only_grafana_is_optional():
    assert {n for n, s in SERVICES.items() if s["x-platform"].get("optional")} == {"grafana"}


def test_what_is_mounted_exists_on_a_clean_clone():
    for service in SERVICES.values():
        for mount in service.get("volumes", []):
            source = mount.partition(":")[0]
            assert source in MODEL["volumes"] or (STACK.parent / source).is_dir(), source
    for name, secret in MODEL["secrets"].items():
        default = re.fullmatch(r"\$\{\w+:-(.+)\}", secret["file"])
        assert default, f"the file of {name} cannot be set"
        assert "placeholder" in (STACK.parent / default[1]).read_text()
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert used == set(MODEL["secrets"])


def test_every_variable_is_explained_with_its_default():
    used = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", TEXT))
    assert set(re.findall(r"\$\{(\w+)", TEXT)) == set(used), "a variable without a default"
    explained = dict(
        re.findall(r"^#(\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    )
    used["APP_REVISION"] = ""  # the smoke test gives a pattern in its place
    assert explained == used


def test_smoke_tests_name_what_there_is():
    names = [test["name"] for test in MODEL["x-platform"]["smoke"]]
    assert len(set(names)) == len(names)
    for test in MODEL["x-platform"]["smoke"]:
        (kind,) = set(test) & {"http", "tcp", "exec", "promql", "dashboards"}
        assert set(test) <= {"name", kind, "expect", "retry", "timeout", "needs"}
        assert test[kind]["service"] in SERVICES
        assert set(test.get("needs", [])) <= set(SERVICES)
        if "grafana" in str(test[kind]) and kind != "dashboards":
            assert "grafana" in test.get("needs", []) or 'job!="grafana"' in str(test[kind])


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_well_formed(name):
    recipe, folder = RECIPES[name], ROOT / "images" / name
    assert recipe["recipe"] == 1
    assert set(recipe) <= KINDS[recipe["kind"]]
    assert {"provides", "title", "version_file"} <= set(recipe)
    if recipe["kind"] == "dockerfile":
        assert (folder / recipe["dockerfile"]).is_file()
    else:
        assert (folder / recipe["run"][-1]).is_file()


def test_what_is_built_provides_what_the_stack_names():
    for service in SERVICES.values():
        build = service.get("build", {})
        if "dockerfile" in build:
            context = (STACK.parent / build["context"]).resolve()
            file = context / build["dockerfile"]
            recipe = RECIPES[file.parent.name]
            assert recipe["provides"] == service["image"]
            assert (file.parent / recipe["context"]).resolve() == context
    for image, folder in MODEL["x-platform"]["base_images"].items():
        assert RECIPES[(STACK.parent / folder).resolve().name]["provides"] == image
    assert RECIPES["grafana-standin"]["provides"] == SERVICES["grafana"]["image"]


def test_every_base_image_has_a_recipe():
    for file in [ROOT / "app/Dockerfile", *(ROOT / "images").glob("*/Dockerfile")]:
        for base in re.findall(r"^FROM (\S+)", file.read_text(), re.MULTILINE):
            assert base in MODEL["x-platform"]["base_images"], f"{file} is from {base}"


@pytest.mark.parametrize(
    "file",
    [ROOT / "app/Dockerfile", *sorted((ROOT / "images").glob("*/Dockerfile"))],
    ids=lambda file: file.parent.name,
)
def test_a_dockerfile_serves_both_builders_and_keeps_nothing(file):
    text = file.read_text()
    assert "--mount" not in text, "the classic builder refuses it"
    assert not re.search(r"^(ARG|ENV).*proxy", text, re.MULTILINE | re.IGNORECASE)
    *stages, final = re.split(r"^(?=FROM )", text, flags=re.MULTILINE)[1:]
    if not stages:
        assert 'dev.platform.stand-in="true"' in final
        return
    assert not re.search(r"^(RUN|ARG|ADD)", final, re.MULTILINE), (
        "the final stage only takes and describes"
    )
    assert all(
        line.startswith("COPY --from=") for line in re.findall(r"^COPY.*", final, re.MULTILINE)
    )
    for stage in stages:
        assert "LABEL dev.platform.stage=build" in stage
        asked = re.search(r"^# platform:secrets (.+)\nRUN ", stage, re.MULTILINE)
        assert asked, "no secrets are asked for"
        assert set(asked[1].split()) <= {"platform_ca", "platform_pip_conf", "platform_apt_conf"}
    own = file.parent / "Dockerfile.dockerignore"
    ignored = (own if own.exists() else file.parent / ".dockerignore").read_text().split()
    assert "!platform_*" in ignored


def test_the_collector_is_there_once_and_reaches_its_users():
    assert [file.parent.name for file in (ROOT / "images").glob("*/collect.sh")] == ["shared"]
    users = 0
    for file in (ROOT / "images").glob("*/Dockerfile"):
        if "collect.sh" in file.read_text():
            users += 1
            assert "COPY shared/collect.sh " in file.read_text()
            assert RECIPES[file.parent.name]["context"] == ".."
            assert "!shared/collect.sh" in Path(f"{file}.dockerignore").read_text().split()
    assert users == 4


def test_versions_of_image_and_stack_agree():
    version = re.search(r"\$\{APP_VERSION:-([^}]+)\}", TEXT)[1]
    assert f'version = "{version}"' in (ROOT / "app/pyproject.toml").read_text()
    assert f"ARG APP_VERSION={version}\n" in (ROOT / "app/Dockerfile").read_text()


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_a_lock_is_hashed_and_names_no_host(name):
    text = (ROOT / f"app/{name}.lock").read_text()
    entries = re.findall(r"^([a-z0-9][^\s=]*)==\S+(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    assert entries
    assert all("--hash=sha256:" in rest for _, rest in entries)
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    wanted = re.findall(r"^([a-z][\w-]*)", (ROOT / f"app/{name}.in").read_text(), re.MULTILINE)
    assert set(wanted) <= {entry for entry, _ in entries}


def test_no_file_names_an_archive_or_an_index():
    # Put together here, so that this file does not name them either.
    hosts = ["pypi" + ".org", "python" + "hosted.org", "deb.debian" + ".org", "docker" + ".io/"]
    for file in ours():
        text = file.read_text(errors="replace")
        for host in hosts:
            assert host not in text, f"{file} names {host}"


def test_nothing_that_only_a_build_may_see_is_known_to_git():
    assert not [file for file in ours() if file.name.startswith("platform_")]
    assert not [file for file in ours() if file.name == ".env"]
