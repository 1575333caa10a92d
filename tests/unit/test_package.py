"""The package as it is imported: cheap, and each name one thing."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import bootstrap
from bootstrap.backends import all_backends

PACKAGE = Path(bootstrap.__file__).parent
PRODUCTS = {"postgresql", "mysql", "mariadb", "sqlite"}


def python(code: str) -> str:
    """Runs code in a fresh process and gives what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_every_public_name_stays_the_same_when_all_modules_are_imported() -> None:
    names = python(
        "import json, pkgutil, importlib, bootstrap\n"
        "first = {n: getattr(bootstrap, n) for n in bootstrap.__all__}\n"
        "for m in pkgutil.walk_packages(bootstrap.__path__, 'bootstrap.'):\n"
        "    if 'migrations' not in m.name and '__main__' not in m.name:\n"
        "        importlib.import_module(m.name)\n"
        "changed = [n for n, v in first.items() if getattr(bootstrap, n) is not v]\n"
        "modules = [n for n, v in first.items() if type(v).__name__ == 'module']\n"
        "print(json.dumps([len(first), changed, modules]))\n"
    )

    count, changed, modules = json.loads(names)

    assert count == len(bootstrap.__all__)
    assert ([], []) == (changed, modules)


def test_every_command_has_a_function_of_the_same_name() -> None:
    from bootstrap.cli.program import functions_of, reporting_commands

    functions = [one for name in reporting_commands() for one in functions_of(name)]

    assert all(callable(one) for one in functions)


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        bootstrap.nonsense  # noqa: B018


def test_dir_lists_the_public_names() -> None:
    assert sorted(bootstrap.__all__) == dir(bootstrap)


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_do_not_wait_for_sqlalchemy_and_alembic(argument: str) -> None:
    loaded = python(
        "import sys\n"
        f"sys.argv = ['bootstrap', {argument!r}]\n"
        "from bootstrap.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'sqlalchemy', 'alembic', 'rich', 'yaml', 'argon2', 'asyncpg'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))\n"
    )

    assert "LOADED []" == loaded.splitlines()[-1]


def test_nobody_outside_the_backends_compares_with_the_name_of_a_product() -> None:
    places = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).parts[0] != "backends"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.Compare, ast.MatchValue))
        and any(
            isinstance(part, ast.Constant) and part.value in PRODUCTS for part in ast.walk(node)
        )
    ]

    assert [] == places


def test_a_url_loads_its_backend_and_no_other() -> None:
    loaded = python(
        "import sys\n"
        "from bootstrap import urls\n"
        "urls.resolve('sqlite:///app.db')\n"
        "rooms = 'mariadb', 'mysql', 'postgresql', 'sqlite'\n"
        "print([name for name in rooms if f'bootstrap.backends.{name}' in sys.modules])\n"
    )

    assert "['sqlite']\n" == loaded


def test_a_backend_has_the_name_of_its_folder() -> None:
    folders = sorted(path.parent.name for path in PACKAGE.glob("backends/*/__init__.py"))

    assert folders == [backend.name for backend in all_backends()]
