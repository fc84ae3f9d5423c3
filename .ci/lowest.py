"""Print pip constraints that pin each required dependency to the lowest version that pyproject.toml declares."""

import pathlib
import re
import tomllib

project = tomllib.loads(pathlib.Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
for requirement in project["dependencies"]:
    match = re.fullmatch(r"([A-Za-z0-9_.-]+)>=([0-9.]+)", requirement)
    if match is None:
        message = f"the dependency {requirement!r} has no plain lower bound of the form name>=version"
        raise SystemExit(message)
    print(f"{match[1]}=={match[2]}")
