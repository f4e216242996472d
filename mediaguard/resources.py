"""Files that come with mediaguard: the configuration template, models, the sample school."""

from pathlib import Path


def resource(*parts: str) -> Path:
    """The path of a file or folder that comes with mediaguard.

    In an installed wheel it lies in the package's `data` folder, in a working copy
    (editable install) at the top of the repository.
    """
    package = Path(__file__).parent
    installed = package.joinpath("data", *parts)
    return installed if installed.exists() else package.parent.joinpath(*parts)


def mappings(home: Path) -> dict[str, Path]:
    """The column layouts by file name: those of the home, and the examples that come with it."""
    folders = (resource("config", "examples"), home / "mappings")
    return {path.name: path for folder in folders for path in sorted(folder.glob("*.toml"))}
