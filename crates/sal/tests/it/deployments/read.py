"""Reads files of deploy/ for the tests and prints them as JSON: `read.py yaml|cloudformation|hcl FILE…`."""

import json
import re
import sys

import hcl2
import yaml


class Tags(yaml.SafeLoader):
    """CloudFormation's short forms, as {"Ref": …} and {"Fn::…": …}."""


def short_form(loader, suffix, node):
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {name: value}


Tags.add_multi_constructor("!", short_form)


def references(text):
    """What expressions of a module refer to, comments and descriptions left out."""
    text = re.sub(r"(?m)^\s*#.*$", "", text)
    text = re.sub(r'(?m)^\s*(description|error_message)\s*=.*$', "", text)
    found = set(re.findall(r"\b(?:var|local)\.[a-z_0-9]+", text))
    found |= set(re.findall(r"\bdata\.[a-z_0-9]+\.[a-z_0-9]+", text))
    found |= {name for name in re.findall(r"(?<![.\w\"])(aws_[a-z_0-9]+\.[a-z_0-9]+)", text)}
    return sorted(found)


def declared(module):
    """What a module declares, by the names that expressions use."""
    plain = lambda name: name.strip('"')
    found = set()
    for block in module.get("variable", []):
        found |= {f"var.{plain(name)}" for name in block}
    for block in module.get("locals", []):
        found |= {f"local.{plain(name)}" for name in block if not name.startswith("__")}
    for kind, prefix in (("resource", ""), ("data", "data.")):
        for block in module.get(kind, []):
            for type_, named in block.items():
                found |= {f"{prefix}{plain(type_)}.{plain(name)}" for name in named}
    return sorted(found)


kind, *paths = sys.argv[1:]
result = {}
for path in paths:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if kind == "yaml":
        result[path] = [part for part in yaml.safe_load_all(text) if part]
    elif kind == "cloudformation":
        result[path] = yaml.load(text, Loader=Tags)
    else:
        module = hcl2.loads(text)
        result[path] = {
            "declared": declared(module),
            "references": references(text),
            "outputs": sorted(name.strip('"') for block in module.get("output", []) for name in block),
        }
print(json.dumps(result))
