"""kubernetes.py FILE DIR - checks, offline, that FILE has what the Kubernetes API requires of its
objects and that their names fit together; writes the data of its ConfigMap to DIR."""
import re
import sys

import yaml


class Loader(yaml.SafeLoader):
    """Refuses keys given twice, which YAML forbids and PyYAML lets pass."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(k, deep=deep) for k, _ in node.value]
        assert len(keys) == len(set(keys)), f"a key is given twice: {keys}"
        return super().construct_mapping(node, deep)


def container(c, volumes, known):
    assert set(c) <= known, f"unknown keys: {set(c) - known}"
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", c["name"]) and c["image"]
    for m in c.get("volumeMounts", []):
        assert m["name"] in volumes and m["mountPath"].startswith("/")


objects = {}
for o in yaml.load_all(open(sys.argv[1]), Loader=Loader):
    assert o["kind"] not in objects and o["metadata"]["name"]
    objects[o["kind"]] = o
space, config, daemons = (objects.pop(k) for k in ("Namespace", "ConfigMap", "DaemonSet"))
assert not objects, f"unexpected: {list(objects)}"
assert space["apiVersion"] == config["apiVersion"] == "v1" and daemons["apiVersion"] == "apps/v1"
assert config["metadata"]["namespace"] == daemons["metadata"]["namespace"] == space["metadata"]["name"]

for name, text in config["data"].items():
    assert re.fullmatch(r"[-._a-zA-Z0-9]+", name) and isinstance(text, str)
    with open(f"{sys.argv[2]}/{name}", "w") as f:
        f.write(text)
assert yaml.load(config["data"]["guard.yaml"], Loader=Loader)["version"] == 1

spec = daemons["spec"]
template = spec["template"]
assert spec["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
pod = template["spec"]
volumes = {v["name"]: v for v in pod["volumes"]}
known = {"name", "image", "command", "securityContext", "resources", "volumeMounts", "env"}
assert pod["containers"] and len(pod["initContainers"]) == 1
for c in pod["containers"] + pod["initContainers"]:
    container(c, volumes, known)
assert len({c["image"] for c in pod["containers"] + pod["initContainers"]}) == 1
install = pod["initContainers"][0]
assert install["securityContext"]["privileged"] is True
assert not any(c["securityContext"].get("privileged") for c in pod["containers"])
assert volumes["host"]["hostPath"]["path"] == "/"
assert volumes["config"]["configMap"]["name"] == config["metadata"]["name"]
mounts = {m["name"]: m["mountPath"] for m in install["volumeMounts"]}
assert install["command"][-1] == mounts["config"] + "/install.sh" and "install.sh" in config["data"]
assert {"operator": "Exists"} in pod["tolerations"]
# tools in the pod and on the node take turns by the node's locks
assert volumes["run"]["hostPath"] == {"path": "/run/rucy-devguard", "type": "DirectoryOrCreate"}
assert mounts["run"] == "/run/rucy-devguard"
