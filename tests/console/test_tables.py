"""Cells that say what they are, for screens on which a row is a list."""

import re

import pytest

from mediaguard.core.access import Role
from mediaguard.web.console.tables import labelled
from tests.console.school import Visiting

TABLE = """<p>before</p><table class="x"><caption>c</caption><thead><tr>
<th scope="col">One &amp; "two"</th><th scope="col" class="n"><a href="?s">Three</a></th>
<th><span class="hidden-words">Acts</span></th></tr></thead><tbody>
<tr><th scope="row">a</th><td class="n">b <b>c</b></td><td>d</td></tr>
<tr><td>e</td><td>  </td><td>f</td></tr><tr><td colspan="3">none</td></tr></tbody></table>
<p>after"""


def test_every_cell_has_the_heading_of_its_column():
    made = labelled(TABLE)
    assert '<th data-label="One &amp; &quot;two&quot;" scope="row">a</th>' in made
    assert '<td data-label="Three" class="n">b <b>c</b></td>' in made
    assert "<td>d</td>" in made  # its heading is not to be seen
    assert '<td data-label="One &amp; &quot;two&quot;">e</td><td>  </td>' in made
    assert '<td colspan="3">none</td>' in made
    assert re.sub(r' data-label="[^"]*"', "", made) == TABLE


def test_a_page_without_tables_stays_as_it_is():
    assert labelled("<table><tr><td>x</td></tr></table>") == "<table><tr><td>x</td></tr></table>"
    assert labelled("<p>x</p>") == "<p>x</p>"


@pytest.mark.parametrize("language", ["en", "nl"])
def test_all_tables_alike(world, language):
    officer = Visiting(world, frozenset({Role.OFFICER, Role.ADMINISTRATOR}), language=language)
    for path in ("audit", "users", "people", "people/S-1", "account"):
        page = officer.get(f"/console/{path}").text
        bodies = re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL)
        assert bodies, path
        assert all("data-label=" in body for body in bodies), path
