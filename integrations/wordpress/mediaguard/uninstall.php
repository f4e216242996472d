<?php
// Forget everything of the plugin's own. The media stay; mediaguard can no longer take them down.

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

global $wpdb;
$mediaguard_folder = defined( 'MEDIAGUARD_FOLDER' ) ? MEDIAGUARD_FOLDER
	: get_temp_dir() . 'mediaguard-' . substr( wp_hash( 'mediaguard-content' ), 0, 20 );
foreach ( glob( "$mediaguard_folder/*" ) ?: array() as $mediaguard_file ) {
	unlink( $mediaguard_file );
}
if ( is_dir( $mediaguard_folder ) ) {
	rmdir( $mediaguard_folder );
}
wp_clear_scheduled_hook( 'mediaguard_tell' );
$mediaguard_sites = is_multisite() ? get_sites( array( 'fields' => 'ids', 'number' => 0 ) ) : array( 0 );
foreach ( $mediaguard_sites as $mediaguard_site ) {
	if ( $mediaguard_site ) {
		switch_to_blog( $mediaguard_site );
	}
	foreach ( array( 'mediaguard', 'mediaguard_heard', 'mediaguard_notes_made' ) as $mediaguard_option ) {
		delete_option( $mediaguard_option );
	}
	$wpdb->query( "DROP TABLE IF EXISTS {$wpdb->prefix}mediaguard_notes" );
	if ( $mediaguard_site ) {
		restore_current_blog();
	}
}
