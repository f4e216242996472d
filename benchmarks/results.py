"""Results are printed, and kept in a file with one section for each benchmark."""

import re
from collections.abc import Sequence
from pathlib import Path


def section(path: Path | None, title: str, lines: Sequence[str]) -> None:
    """Print `lines`; with a path, also put them under `title` in that Markdown file."""
    text = "\n".join(line.rstrip() for line in lines)
    print(text)
    if path is None:
        return
    kept = path.read_text(encoding="utf-8") if path.exists() else "# Results: seeing and knowing\n"
    block = f"\n## {title}\n\n{text}\n"
    pattern = re.compile(rf"\n## {re.escape(title)}\n.*?(?=\n## |\Z)", re.DOTALL)
    kept = pattern.sub(lambda _: block, kept) if pattern.search(kept) else kept + block
    path.write_text(kept, encoding="utf-8")
