"""Rules, routes and dashboards, asked of the real Prometheus and Alertmanager."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import urllib.parse
from pathlib import Path

import httpx
import pytest
import yaml

from conftest import ROOT, answers, free_port, start_app, tool, wait

PROMETHEUS = ROOT / "monitoring/prometheus"
ALERTMANAGER = ROOT / "monitoring/alertmanager/alertmanager.yml"
DASHBOARDS = sorted((ROOT / "grafana/dashboards").glob("*.json"))
WORDS = frozenset(
    [
        "and",
        "or",
        "unless",
        "by",
        "without",
        "on",
        "ignoring",
        "group_left",
        "group_right",
        "bool",
        "offset",
        "sum",
        "min",
        "max",
        "avg",
        "count",
        "rate",
        "increase",
        "changes",
        "histogram_quantile",
        "max_over_time",
        "vector",
        "inf",
        "nan",
    ]
)


def run(*command: str) -> str:
    done = subprocess.run(
        [tool(command[0]), *command[1:]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_accepts_the_configuration():
    run("promtool", "check", "config", str(PROMETHEUS / "prometheus.yml"))


def test_the_rules_do_what_their_tests_say():
    tests = sorted(map(str, (PROMETHEUS / "tests").glob("*.test.yml")))
    assert tests
    run("promtool", "test", "rules", *tests)


def test_every_rule_has_a_test():
    tested = "".join(file.read_text() for file in (PROMETHEUS / "tests").glob("*.test.yml"))
    for file in (PROMETHEUS / "rules").glob("*.rules.yml"):
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                name = rule.get("alert") or rule["record"]
                used = any(
                    name in other.get("expr", "") for other in group["rules"] if other != rule
                )
                assert re.search(rf"\b{re.escape(name)}\b", tested) or used, f"{name} has no test"
                if "alert" in rule:
                    assert rule["labels"]["severity"] in {"critical", "warning"}, name
                    assert {"summary", "description"} <= set(rule["annotations"]), name


def test_amtool_accepts_the_configuration():
    assert "SUCCESS" in run("amtool", "check-config", str(ALERTMANAGER))


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ("severity=critical service=app", "pagerduty,slack"),
        ("severity=critical service=prometheus", "pagerduty,slack"),
        ("severity=warning service=app", "slack"),
        ("severity=warning service=grafana", "slack"),
        ("severity=info service=app", "webhook"),
        ("service=app", "webhook"),
        ("alertname=PlatformSmoke smoke=true severity=critical", "smoke"),
    ],
)
def test_alerts_go_where_they_should(labels, receivers):
    route = ("amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}")
    run(*route, f"--verify.receivers={receivers}", *labels.split())


def test_no_secret_stands_in_the_configuration():
    text = ALERTMANAGER.read_text()
    assert not re.search(
        r"^\s*-?\s*(url|api_url|routing_key|service_key|password):", text, re.MULTILINE
    )
    assert set(re.findall(r"\w+_file: (\S+)", text)) == {
        "/run/secrets/alertmanager_webhook_url",
        "/run/secrets/alertmanager_pagerduty_key",
        "/run/secrets/alertmanager_slack_url",
    }


def alertmanager() -> list[str]:
    """Debian's reads its template from /usr/share, where a package that is only unpacked has none: it
    gets a view of the file system in which /usr/share is that of its package."""
    program = tool("prometheus-alertmanager")
    if Path("/usr/share/prometheus/alertmanager/default.tmpl").exists():
        return [program]
    share = Path(program).parents[1] / "share"
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    mount = 'mount --bind "$0" /usr/share && exec "$@"'
    return [tool("unshare"), "--mount", *user, "sh", "-c", mount, str(share), program]


def recorded() -> set[str]:
    """The names of all recording rules."""
    return {
        rule["record"]
        for file in (PROMETHEUS / "rules").glob("*.rules.yml")
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
        if "record" in rule
    }


class Monitoring:
    """The app, Alertmanager and Prometheus, as the stack configures them."""

    def __init__(self, processes, folder: Path) -> None:
        app, self.prometheus, self.alertmanager = start_app(processes), free_port(), free_port()
        processes.start(
            "alertmanager",
            *alertmanager(),
            f"--config.file={ALERTMANAGER}",
            f"--storage.path={folder}/am",
            f"--web.listen-address=127.0.0.1:{self.alertmanager}",
            "--cluster.listen-address=",
        )
        config = (PROMETHEUS / "prometheus.yml").read_text()
        for name, port in (
            ("app:8000", app),
            ("localhost:9090", self.prometheus),
            ("alertmanager:9093", self.alertmanager),
        ):
            assert name in config
            config = config.replace(name, f"127.0.0.1:{port}")
        # Nothing is there; a name would be asked of whatever name server this machine has.
        config = config.replace("grafana:3000", "127.0.0.1:1").replace(
            "rules/", f"{PROMETHEUS}/rules/"
        )
        (folder / "prometheus.yml").write_text(config)
        processes.start(
            "prometheus",
            tool("prometheus"),
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{self.prometheus}",
        )
        wait("prometheus", lambda: answers(f"http://127.0.0.1:{self.prometheus}/-/ready"))
        base = f"http://127.0.0.1:{app}"
        up = 'count(up{job!="grafana"} == 1) == 3'
        wait("every target", lambda: bool(self.query(up)))
        end = time.monotonic() + 60
        # Rates need two scrapes with traffic between them; a quantile is there before, as NaN.
        while lacking := recorded() - self.names():
            assert time.monotonic() < end, f"the recording rules have no result: {lacking}"
            for path in ("/", "/version", "/no/such"):
                httpx.get(base + path)
            time.sleep(0.2)

    def query(self, expression: str) -> list:
        url = f"http://127.0.0.1:{self.prometheus}/api/v1/query"
        answer = httpx.get(url, params={"query": expression}).json()
        assert answer["status"] == "success", f"{expression}: {answer.get('error')}"
        return answer["data"]["result"]

    def names(self) -> set[str]:
        url = f"http://127.0.0.1:{self.prometheus}/api/v1/label/__name__/values"
        return set(httpx.get(url).json()["data"])


@pytest.fixture(scope="module")
def monitoring(processes, tmp_path_factory):
    return Monitoring(processes, tmp_path_factory.mktemp("monitoring"))


def metrics_of(expression: str) -> set[str]:
    """The metric names in an expression."""
    bare = re.sub(r'"(\\.|[^"\\])*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", bare)
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
    return {
        name for name in re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", bare) if name.lower() not in WORDS
    }


def panels(dashboard: dict) -> list[dict]:
    return [inner for panel in dashboard["panels"] for inner in (panel, *panel.get("panels", []))]


def queries() -> list[tuple[str, str]]:
    found = []
    for file in DASHBOARDS:
        dashboard = json.loads(file.read_text())
        for panel in panels(dashboard):
            found += [
                (f"{file.stem}: {panel['title']}", t["expr"]) for t in panel.get("targets", [])
            ]
        found += [
            (f"{file.stem}: {note['name']}", note["expr"])
            for note in dashboard["annotations"]["list"]
            if "expr" in note
        ]
    return found


@pytest.mark.parametrize(("where", "expression"), queries())
def test_every_query_of_a_dashboard_is_answered_from_metrics_that_exist(
    monitoring, where, expression
):
    resolved = expression.replace("$route", ".*")
    assert "$" not in resolved, f"{where} uses a variable that this test does not know"
    monitoring.query(resolved)
    missing = metrics_of(resolved) - monitoring.names() - {"ALERTS"}
    assert not missing, f"{where} asks for {missing}, which nothing exports"


def test_every_rule_uses_metrics_that_exist(monitoring):
    names = monitoring.names() | {"ALERTS"}
    for file in (PROMETHEUS / "rules").glob("*.rules.yml"):
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                missing = metrics_of(rule["expr"]) - names
                assert not missing, f"{rule} asks for {missing}, which nothing exports"


def test_a_posted_alert_is_accepted_and_routed(monitoring):
    base = f"http://127.0.0.1:{monitoring.alertmanager}/api/v2/alerts"
    alert = {"labels": {"alertname": "PlatformSmoke", "smoke": "true", "severity": "critical"}}
    assert httpx.post(base, json=[alert]).status_code == 200
    only = urllib.parse.urlencode({"receiver": "smoke", "filter": 'alertname="PlatformSmoke"'})
    wait("the alert", lambda: len(httpx.get(f"{base}?{only}").json()) == 1, 5)
    (seen,) = httpx.get(f"{base}?{only}").json()
    assert seen["receivers"] == [{"name": "smoke"}]


def test_what_is_down_hides_its_symptoms(monitoring):
    base = f"http://127.0.0.1:{monitoring.alertmanager}/api/v2/alerts"

    def alert(name, severity, service):
        return {"labels": {"alertname": name, "severity": severity, "service": service}}

    posted = [
        alert("TargetDown", "critical", "x"),
        alert("HighLatencyP95", "warning", "x"),
        alert("HighLatencyP95", "warning", "y"),
    ]
    assert httpx.post(base, json=posted).status_code == 200

    def states():
        return {
            (each["labels"]["alertname"], each["labels"]["service"]): each["status"]["state"]
            for each in httpx.get(base).json()
            if each["labels"].get("service") in {"x", "y"}
        }

    wait("inhibition", lambda: states().get(("HighLatencyP95", "x")) == "suppressed", 20)
    assert states()[("TargetDown", "x")] == "active"
    assert states()[("HighLatencyP95", "y")] == "active"


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_a_dashboard_is_well_formed(file):
    dashboard = json.loads(file.read_text())
    assert dashboard["uid"] == file.stem
    assert dashboard["schemaVersion"] >= 39
    variables = {each["name"] for each in dashboard["templating"]["list"]}
    everything = panels(dashboard)
    assert len({panel["id"] for panel in everything}) == len(everything)
    taken: set[tuple[int, int]] = set()
    for panel in everything:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, f"{panel['title']} lies over another panel"
        taken |= cells
        if panel["type"] != "row":
            assert panel["description"], f"{panel['title']} does not say what it shows"
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            refs = [target["refId"] for target in panel["targets"]]
            assert len(set(refs)) == len(refs)
            for target in panel["targets"]:
                assert set(re.findall(r"\$(\w+)", target["expr"])) <= variables
    for link in dashboard["links"]:
        assert (file.parent / f"{link['url'].rsplit('/', 1)[1]}.json").exists(), link["url"]


def test_grafana_is_provisioned_for_this_stack():
    provisioning = ROOT / "grafana/provisioning"
    stack = yaml.safe_load((ROOT / "stacks/devops.yaml").read_text())
    sources = yaml.safe_load((provisioning / "datasources/prometheus.yaml").read_text())
    assert sources["apiVersion"] == 1
    assert [each["uid"] for each in sources["datasources"] if each.get("isDefault")] == [
        "prometheus"
    ]
    for each in sources["datasources"]:
        assert urllib.parse.urlsplit(each["url"]).hostname in stack["services"]
    (provider,) = yaml.safe_load((provisioning / "dashboards/devops.yaml").read_text())["providers"]
    mounts = stack["services"]["grafana"]["volumes"]
    assert f"../grafana/dashboards:{provider['options']['path']}:ro" in mounts
