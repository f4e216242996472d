"""WordPress' own pages in a real browser: the media page, the editor, the settings."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from mediaguard.resources import resource
from tests.wordpress_plugin.site import PluginSite, Serving

PASSWORD = "only for this test"


@pytest.fixture
def page(browser: Browser, site: PluginSite, school: Serving) -> Iterator[Page]:
    """Somebody who is logged in, as an administrator."""
    site.wordpress.run(
        "if (!username_exists('head')) wp_insert_user(['user_login' => 'head', 'role' =>"
        f" 'administrator', 'user_pass' => {json.dumps(PASSWORD)}]);"
    )
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site.wordpress.url}/wp-login.php")
    page.fill("#user_login", "head")
    page.fill("#user_pass", PASSWORD)
    page.click("#wp-submit")
    page.wait_for_url("**/wp-admin/**")
    yield page
    context.close()


@pytest.fixture
def path() -> Callable[[int], Path]:
    folder = resource("sample_media", "photos")
    return lambda number: next(folder.glob(f"{number:02}-*.jpg"))


def test_the_media_page(page, site, school, path):
    page.goto(f"{site.wordpress.url}/wp-admin/media-new.php")
    page.set_input_files("input[type=file] >> nth=0", path(3))
    page.wait_for_selector(".media-item .edit-attachment", timeout=60_000)
    published = school.publications()[0]
    source = site.wordpress.media()[0]["source_url"]
    assert source == published["urls"][0]

    page.set_input_files("input[type=file] >> nth=0", path(7))
    page.wait_for_selector(".media-item .error-div", timeout=60_000)
    told = page.inner_text(".media-item .error-div")
    assert "Not added yet" in told
    assert "comes into the media library by itself" in told
    assert len(site.wordpress.media()) == 1
    assert {url.rpartition("/")[2] for url in published["urls"]} == site.uploads().keys()


def test_the_block_editor(page, site, school, path):
    page.goto(f"{site.wordpress.url}/wp-admin/post-new.php")
    page.wait_for_function("window.wp && wp.data && wp.data.select('core/editor')")
    page.evaluate(
        "() => { wp.data.dispatch('core/preferences').set('core/edit-post', 'welcomeGuide', false);"
        " wp.data.dispatch('core/block-editor').insertBlocks("
        "   wp.blocks.createBlock('core/image')); }"
    )
    page.set_input_files(".block-editor-media-placeholder input[type=file]", path(7))
    notice = page.wait_for_selector(
        ".block-editor-media-placeholder .components-notice, "
        ".components-snackbar, .components-notice",
        timeout=60_000,
    )
    assert "Not added yet" in notice.inner_text()
    page.set_input_files(".block-editor-media-placeholder input[type=file]", path(10))
    page.wait_for_selector(".wp-block-image img[src*='/wp-content/uploads/']", timeout=60_000)
    shown = page.get_attribute(".wp-block-image img", "src")
    assert shown in school.publications()[0]["urls"]


def test_the_settings_page(page, site, school):
    place = f"{site.wordpress.url}/wp-admin/options-general.php?page=mediaguard"
    page.goto(place)
    assert page.input_value("#mediaguard-address") == school.url
    assert site.secret not in page.content()
    assert f'url = "{site.base}"' in page.inner_text("pre")
    page.fill("#mediaguard-address", "http://mediaguard.example")
    page.click("#submit >> nth=0")
    page.wait_for_selector(".notice-error")
    page.goto(place)
    assert page.input_value("#mediaguard-address") == school.url
    page.click("text=Test the connection")
    assert "may use that channel" in page.inner_text(".notice-success")
    page.fill("#mediaguard-channel", "facebook")
    page.click("input[value='Save Changes']")
    page.wait_for_selector(".notice-success")
    page.click("text=Test the connection")
    assert "did not take this" in page.inner_text(".notice-error")
    page.fill("#mediaguard-channel", "website-public")
    page.click("input[value='Save Changes']")
    page.wait_for_selector(".notice-success")
    # Nobody is made to do it by a link, nor does it for those who may not.
    told = page.goto(f"{site.wordpress.url}/wp-admin/admin-post.php?action=mediaguard_test")
    assert told.status == 403
