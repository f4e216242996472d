<?php
/**
 * Plugin Name:       mediaguard
 * Description:       Photos and videos go into the media library as mediaguard lets them out: nobody who has not agreed can be recognised. Withdrawn consents take them down again.
 * Version:           0.1.0
 * Requires at least: 6.0
 * Requires PHP:      7.4
 * License:           MIT
 * License URI:       https://opensource.org/license/mit
 * Text Domain:       mediaguard
 *
 * Two halves. What somebody adds is sent to mediaguard before it is public (includes/gate.php).
 * What mediaguard publishes, replaces and takes down here, it asks for itself, signed
 * (includes/receiver.php); an upload is done when that arrives. Every file of a publication has the
 * publication's key in its name: by that everything of it is found again (includes/library.php).
 */

namespace Mediaguard;

defined( 'ABSPATH' ) || exit;

const VERSION = '0.1.0';

foreach ( array( 'texts', 'settings', 'signature', 'notes', 'api', 'content', 'library', 'gate', 'receiver', 'removals', 'settings-page' ) as $part ) {
	require_once __DIR__ . "/includes/$part.php";
}
