"""The plugin comes and goes."""

from tests.wordpress.server import Site
from tests.wordpress_plugin.site import PluginSite

LEFT = """
global $wpdb;
$options = $wpdb->get_col("SELECT option_name FROM $wpdb->options WHERE option_name LIKE '%mediaguard%'");
$tables = $wpdb->get_col("SHOW TABLES LIKE '%mediaguard%'");
echo json_encode([$options, $tables, wp_next_scheduled('mediaguard_tell')]);
"""  # noqa: E501


def test_nothing_of_its_own_is_left(wordpress: Site):
    site = PluginSite(wordpress)
    site.install()
    try:
        site.set_up("http://127.0.0.1:9")
        assert site.call("PUT", f"/content/{'0' * 64}", b"x").status_code == 422
        wordpress.run("Mediaguard\\Notes\\put('gone:x', '');")
        assert site.private.is_dir()
    finally:
        site.uninstall()
    assert wordpress.run(LEFT) == "[[],[],false]"
    assert not site.private.exists()
