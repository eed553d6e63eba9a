"""The examples for several processes fit the program: settings, probes, numbers, and each other."""

import json
import re
from dataclasses import fields

import pytest
import requests
import yaml

from fer_web.commands.worker import SETTINGS as WORKER_SETTINGS
from fer_web.settings import Settings, settings_from
from tests.support.servers import ROOT, ServerProcess
from tests.support.several_processes import SECRET, TOKEN

DEPLOY = ROOT / "examples" / "deploy"
SETTING_NAMES = {f"FER_{item.name.upper()}" for item in fields(Settings)}
FILLED = {
    "FER_SECRET": SECRET,
    "FER_HOST_TOKEN": TOKEN,
    "FER_METRICS_TOKEN": "metrics-token-of-the-tests",
    "FER_PUBLIC_URL": "https://fer.example.org",
    "POSTGRES_PASSWORD": "secret",
}


def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def filled(environment):
    """The variables of a service, with what .env says put in."""
    return {name: re.sub(r"\$\{(\w+)\}", lambda m: FILLED[m[1]], text) for name, text in environment.items()}


def objects():
    return list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))


def pods():
    """The container and the volumes of each Deployment, by its name."""
    for each in objects():
        if each["kind"] == "Deployment":
            spec = each["spec"]["template"]["spec"]
            yield each["metadata"]["name"], spec["containers"][0], spec


@pytest.fixture(scope="module")
def server():
    """A server with the settings of the example that need no other program."""
    environment = filled(compose()["services"]["app-1"]["environment"])
    alone = {
        name: text for name, text in environment.items() if not re.search(r"DATABASE|REDIS|JOB|HOST$", name)
    }
    with ServerProcess(environment=alone) as running:
        yield running


def test_every_variable_of_compose_is_a_setting_that_is_allowed():
    services = compose()["services"]
    for name in ("app-1", "app-2", "worker-1", "worker-2"):
        environment = filled(services[name]["environment"])
        assert environment.keys() <= SETTING_NAMES
        settings = settings_from([], environment)
        assert settings.job_workers == "redis://redis:6379/1"
        if "worker" in name:
            assert {each[4:].lower() for each in environment} - {"database_url", "log_format"} <= set(
                WORKER_SETTINGS
            )
        else:
            assert (settings.proxies, settings.host, settings.has_others) == (1, "0.0.0.0", True)


def test_nobody_in_compose_is_more_than_it_must_be_and_all_files_are_there():
    services = compose()["services"]
    for name in ("app-1", "app-2", "worker-1", "worker-2"):
        assert services[name]["read_only"]
        assert services[name]["cap_drop"] == ["ALL"]
        assert "ports" not in services[name]
    assert services["postgres"]["networks"] == services["redis"]["networks"] == ["inside"]
    assert compose()["networks"]["inside"]["internal"]
    own = {"certificate.pem", "key.pem", "metrics_token"}
    for service in services.values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            path = DEPLOY / source
            assert path.is_file() or path.name in own or source in compose()["volumes"], volume
    parts = services["app-1"]["build"]["args"]["PARTS"].split()
    assert all((ROOT / f"requirements-{part}.txt").is_file() for part in parts)
    # What the command of nginx replaces is there to be replaced.
    replaced = re.findall(r"s/(127\.0\.0\.1:\d+)/(app-\d):5000/", " ".join(services["nginx"]["command"]))
    assert {name for _, name in replaced} <= services.keys()
    assert all(address in (DEPLOY / "nginx.conf").read_text() for address, _ in replaced)
    assert len(replaced) == 2


def test_what_kubernetes_gives_the_program_is_allowed_and_hangs_together():
    kinds = [each["kind"] for each in objects()]
    assert sorted(kinds) == sorted(
        ["Deployment", "Deployment", "PersistentVolumeClaim", "Service", "Ingress", "PodDisruptionBudget"]
    )
    labels = []
    for each in objects():
        if each["kind"] == "Deployment":
            spec = each["spec"]
            labels.append(spec["template"]["metadata"]["labels"])
            assert spec["selector"]["matchLabels"] == labels[-1]
    by_kind = {each["kind"]: each for each in objects()}
    assert by_kind["Service"]["spec"]["selector"] in labels
    assert by_kind["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] in labels
    (path,) = by_kind["Ingress"]["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"]["name"] == by_kind["Service"]["metadata"]["name"]
    claim = by_kind["PersistentVolumeClaim"]["metadata"]["name"]
    for _, container, spec in pods():
        environment = {each["name"]: each["value"] for each in container["env"]}
        assert environment.keys() <= SETTING_NAMES
        settings_from([], environment)
        volumes = {each["name"]: each for each in spec["volumes"]}
        assert volumes.keys() == {each["name"] for each in container["volumeMounts"]}
        assert volumes["videos"]["persistentVolumeClaim"]["claimName"] == claim
        assert spec["securityContext"]["runAsNonRoot"]
        assert container["securityContext"]["readOnlyRootFilesystem"]


def test_probes_are_answered_to_who_has_no_token(server):
    ((_, container, _), _) = pods()
    probes = [container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")]
    for probe in probes:
        assert requests.get(server.url + probe["path"], timeout=60).status_code == 200, probe
        assert probe["port"] in {each["name"] for each in container["ports"]}


def test_every_number_of_alerts_and_dashboard_is_there(server):
    scraped = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    assert scraped["rule_files"] == ["alerts.yml"]
    (job,) = scraped["scrape_configs"]
    headers = {"Authorization": f"Bearer {FILLED['FER_METRICS_TOKEN']}"}
    assert requests.get(server.url + job["metrics_path"], timeout=60).status_code in (401, 403)
    answer = requests.get(server.url + job["metrics_path"], headers=headers, timeout=60)
    assert answer.status_code == 200
    # Prometheus adds `up`; one of several processes has the number of Redis.
    known = set(re.findall(r"^# TYPE (\w+) ", answer.text, re.MULTILINE)) | {"up", "fer_redis_connected"}
    known |= {f"{name}{end}" for name in known for end in ("_bucket", "_count", "_sum")}
    rules = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"][0]["rules"]
    panels = json.loads((DEPLOY / "grafana" / "fer-web.json").read_text())["panels"]
    asked = [rule["expr"] for rule in rules]
    asked += [target["expr"] for panel in panels for target in panel["targets"]]
    assert len(asked) > 15
    for expression in asked:
        names = re.findall(r"\b(?:fer|process)_\w+|\bup\b", expression)
        assert names, expression
        assert set(names) <= known, expression
    assert all(rule["annotations"]["summary"] for rule in rules)


def test_reasons_that_alerts_ask_for_are_those_of_the_program():
    code = "\n".join((ROOT / "fer_web" / name).read_text() for name in ("errors.py", "realtime/protocol.py"))
    for reason in re.findall(r'reason="(\w+)"', (DEPLOY / "alerts.yml").read_text()):
        assert re.search(rf'= ?"{reason}"', code), reason
