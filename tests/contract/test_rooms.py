"""Small rooms: a newcomer can take in a folder, and a test module, at one sitting."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_MODULES = 12
MOST_TEST_LINES = 600

# a larger room -> why it is one
LARGE_ROOMS = {
    "cli": "one module a command, which is what a reader looks for",
}
# a longer test module -> why it is one
LONG_TESTS: dict[str, str] = {}


def test_no_folder_of_the_package_holds_too_many_modules() -> None:
    package = ROOT / "codearena_plugin"
    folders = {path.parent for path in package.rglob("*.py")}
    sizes = {
        str(folder.relative_to(package)): len({*folder.glob("*.py")} - {folder / "__init__.py"}) for folder in folders
    }
    assert sizes
    assert {name: n for name, n in sizes.items() if n > MOST_MODULES and name not in LARGE_ROOMS} == {}


def test_no_test_module_is_too_long() -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / "tests").rglob("*.py")
    }
    assert {name: n for name, n in lengths.items() if n > MOST_TEST_LINES and name not in LONG_TESTS} == {}
