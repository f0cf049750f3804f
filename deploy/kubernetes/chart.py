"""What does Helm have to be told? The forms of kustomize as one chart, with a few values.

python -m deploy.kubernetes.chart KUBECTL     writes deploy/templates

deploy/ is the chart, so scenarios, rules and dashboards are read from where they stand. Everything
else is what kustomize renders, object by object: an object that several forms share stands once,
and where a value may say otherwise, an expression takes the place of what kustomize has.
"""

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
CHART = HERE.parent
TEMPLATES = CHART / "templates"
FORMS = ("job", "cronjob", "deployment", "daemon", "sidecar")
MONITORING = "monitoring"
# Where each form of a soak, and its monitoring, is built.
FOLDERS = {**{form: HERE / "overlays" / form for form in FORMS}, MONITORING: CHART}
FILES = ("kubernetes/base/scenarios/*.yaml", "kubernetes/overlays/*/*.yaml", "grafana/*/*.json")
RULES = "kubernetes/monitoring/rules.yaml"
HEADER = "{{- /* Written by `make chart` from what kustomize renders; change that, not this. */}}\n"
NAMES = """\
{{- /* Objects are called soak-SUFFIX: of a release called soak, as kustomize calls them. */}}
{{- define "soak.suffix" -}}
{{ ternary .Values.form (trimPrefix "soak-" .Release.Name) (eq .Release.Name "soak") }}
{{- end }}
{{- /* The files of the ConfigMap, as JSON. */}}
{{- define "soak.files" -}}
{{- $shipped := dict }}
SHIPPED
{{- $files := dict }}
{{- range get $shipped .Values.form }}
{{- $_ := set $files (base .) ($.Files.Get .) }}
{{- end }}
{{- mergeOverwrite $files .Values.scenarios | toJson }}
{{- end }}
{{- /* A change of the files is a change of the name, and so of the pods. */}}
{{- define "soak.scenarios" -}}
soak-scenarios-{{ include "soak.suffix" . }}-{{ include "soak.files" . | sha256sum | trunc 10 }}
{{- end }}
"""
# What stands, quoted by YAML, for what only Helm makes YAML of: a value, and keys of a mapping.
VALUE = re.compile(r"'@(.*)@'")
KEYS = re.compile(r"^( *)'@': '@(.*)@'\n", re.MULTILINE)

Object = dict[str, Any]


def rendered(kubectl: str, form: str) -> str:
    """What kustomize makes of a form. Raises RuntimeError: it failed, or warned."""
    command = [kubectl, "kustomize", str(FOLDERS[form])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode or done.stderr:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr or done.returncode}")
    return done.stdout


def templates(texts: Mapping[str, str]) -> dict[str, str]:
    """The files of the chart's templates, by name. texts: of each form and of monitoring."""
    having: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for form, text in texts.items():
        for found in filter(None, yaml.safe_load_all(text)):
            having[found["kind"].lower(), _text(_opened(found, form))].append(form)
    files: defaultdict[str, str] = defaultdict(lambda: HEADER)
    for (kind, text), forms in having.items():
        files[f"{kind}.yaml"] += _where(_condition(forms), text)
    files["namespace.yaml"] += _where(".Values.namespace.create", _text(_namespace()))
    files["_names.tpl"] += NAMES.replace("SHIPPED", _shipped(texts))
    return dict(files)


def _condition(forms: Sequence[str]) -> str:
    if forms == [MONITORING]:
        return ".Values.monitoring.enabled"
    # eq takes several to compare with.
    return "" if len(forms) == len(FORMS) else f"eq .Values.form {_quoted(forms)}"


def _where(condition: str, text: str) -> str:
    document = f"---\n{text}"
    return f"{{{{- if {condition} }}}}\n{document}{{{{- end }}}}\n" if condition else document


def _text(found: Object) -> str:
    plain = yaml.safe_dump(found, sort_keys=False, width=sys.maxsize, allow_unicode=True)
    with_keys = KEYS.sub(lambda match: _keys(match[1], _unquoted(match[2])), plain)
    return VALUE.sub(lambda match: f"{{{{ {_unquoted(match[1])} }}}}", with_keys)


def _keys(indent: str, expression: str) -> str:
    """Those of a mapping, or nothing where it is empty."""
    nested = f"{indent}{{{{- toYaml . | nindent {len(indent)} }}}}\n"
    return f"{indent}{{{{- with {expression} }}}}\n{nested}{indent}{{{{- end }}}}\n"


def _unquoted(text: str) -> str:
    return text.replace("''", "'")


def _quoted(words: Sequence[str]) -> str:
    return " ".join(json.dumps(word) for word in words)


def _opened(found: Object, form: str) -> Object:
    """The object, open to what the release is called and to its values."""
    opened: Object = _named(found, form)
    metadata, spec = opened["metadata"], opened.get("spec", {})
    metadata["namespace"] = "@.Release.Namespace@"
    match opened["kind"]:
        case "ConfigMap" if form == MONITORING:
            opened["data"] = {
                name: f"@.Files.Get {json.dumps(_file(name, text))} | toJson@"
                for name, text in found["data"].items()
            }
        case "ConfigMap":
            opened["data"] = '@include "soak.files" .@'
        case "NetworkPolicy":
            _open_policy(spec)
        case "PersistentVolumeClaim":
            # Runs are what it is all for: they outlive the release.
            metadata["annotations"] = {"helm.sh/resource-policy": "keep"}
            spec["resources"]["requests"]["storage"] = "@.Values.storage.size@"
            storage_class = '(dict "storageClassName" .Values.storage.class)'
            spec["@"] = f"@and .Values.storage.class {storage_class}@"
        case "PodMonitor":
            metadata["labels"]["@"] = "@.Values.monitoring.labels@"
        case "PrometheusRule":
            metadata["labels"]["@"] = "@.Values.monitoring.labels@"
            opened["spec"] = f'@get (.Files.Get {json.dumps(RULES)} | fromYaml) "spec" | toJson@'
        case "CronJob":
            spec["schedule"] = "@.Values.schedule | quote@"
            _open_pod(spec["jobTemplate"]["spec"]["template"]["spec"])
        case "Job" | "Deployment":
            _open_pod(spec["template"]["spec"])
    return opened


def _named(value: Any, form: str) -> Any:
    """The same, with the release's name where the form's stands."""
    if isinstance(value, dict):
        return {name: _named(inner, form) for name, inner in value.items()}
    if isinstance(value, list):
        return [_named(inner, form) for inner in value]
    if value == "kustomize":
        return "@.Release.Service@"
    if not (match := re.fullmatch(rf"(soak(?:-[a-z]+)?)-{form}(-[a-z0-9]{{10}})?", str(value))):
        return value
    if match[2]:
        return f'@include "{match[1].replace("-", ".")}" .@'
    return f'@printf "{match[1]}-%s" (include "soak.suffix" .)@'


def _open_policy(spec: Object) -> None:
    (allowed,) = spec["ingress"][0]["from"]
    labels = allowed["namespaceSelector"]["matchLabels"]
    labels["kubernetes.io/metadata.name"] = "@.Values.monitoring.namespace@"
    spec["egress"] = "@.Values.egress | toJson@"


def _open_pod(spec: Object) -> None:
    (soak,) = [each for each in spec["containers"] if each["name"] == "soak"]
    soak["image"] = f"@.Values.image | default {json.dumps(soak['image'])}@"
    soak["args"] = f"@.Values.args | default (list {_quoted(soak['args'])}) | toJson@"
    amounts = soak["resources"]["limits"]
    assert amounts == soak["resources"]["requests"], "a soak is guaranteed what it asks for"
    own = _quoted([word for pair in amounts.items() for word in pair])
    expression = f"@mergeOverwrite (dict {own}) .Values.resources | toJson@"
    soak["resources"] = {"limits": expression, "requests": expression}
    spec["@"] = "@.Values.pod@"


def _namespace() -> Object:
    found: Object = yaml.safe_load((HERE / "namespace.yaml").read_text(encoding="utf-8"))
    found["metadata"]["name"] = "@.Release.Namespace@"
    found["metadata"]["labels"]["@"] = "@.Values.namespace.labels@"
    return found


def _shipped(texts: Mapping[str, str]) -> str:
    """Lines that say which files each form's ConfigMap holds."""
    lines = []
    for form in FORMS:
        found = [each for each in yaml.safe_load_all(texts[form]) if each["kind"] == "ConfigMap"]
        files = [_file(*item) for each in found for item in each["data"].items()]
        lines.append(f'{{{{- $_ := set $shipped "{form}" (list {_quoted(files)}) }}}}')
    return "\n".join(lines)


def _file(name: str, text: str) -> str:
    """Where in the chart the file of a ConfigMap stands."""
    (path,) = [
        path
        for pattern in FILES
        for path in CHART.glob(pattern)
        if path.name == name and path.read_text(encoding="utf-8") == text
    ]
    return path.relative_to(CHART).as_posix()


def main(kubectl: str) -> None:
    """Write them, in place of those that were there."""
    made = templates({form: rendered(kubectl, form) for form in FOLDERS})
    for path in TEMPLATES.glob("[!N]*"):
        path.unlink()
    for name, text in made.items():
        (TEMPLATES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
