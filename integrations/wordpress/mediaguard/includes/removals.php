<?php
// What somebody deletes here is told to mediaguard, until that has heard it.

namespace Mediaguard;

defined( 'ABSPATH' ) || exit;

const TELL = 'mediaguard_tell';

add_action( 'delete_attachment', __NAMESPACE__ . '\\note_deletion' );
add_action( TELL, __NAMESPACE__ . '\\tell_all_removed' );
add_action( 'init', __NAMESPACE__ . '\\plan_telling' );
register_deactivation_hook( dirname( __DIR__ ) . '/mediaguard.php', __NAMESPACE__ . '\\stop_telling' );

/** Noted before it is done; told at the end of the request, when it is. */
function note_deletion( int $id ): void {
	$key = Library\key_of_file( (string) get_attached_file( $id, true ) );
	// What mediaguard itself asked for it knows.
	if ( null === $key || null !== Notes\get( "removed:$key" ) ) {
		return;
	}
	Notes\put( "gone:$key", '' );
	if ( ! has_action( 'shutdown', __NAMESPACE__ . '\\tell_all_removed' ) ) {
		add_action( 'shutdown', __NAMESPACE__ . '\\tell_all_removed' );
	}
}

/** Tell what was deleted; what cannot be told now stays on the list. */
function tell_all_removed(): void {
	$recent = Notes\all( 'gone:', 300 );
	foreach ( array_keys( Notes\all( 'gone:' ) ) as $name ) {
		$key = substr( $name, strlen( 'gone:' ) );
		if ( Library\attachments( $key ) ) {
			// Somebody is just about to delete it; later it was only a crop, and the rest stays.
			if ( ! isset( $recent[ $name ] ) ) {
				Notes\forget( $name );
			}
			continue;
		}
		if ( ! is_ready() ) {
			return;
		}
		try {
			tell_removed( $key );
		} catch ( Refused $refused ) {
			if ( 404 !== $refused->status ) {
				return;
			}
		}
		Notes\forget( $name );
	}
}

function plan_telling(): void {
	if ( ! wp_next_scheduled( TELL ) ) {
		wp_schedule_event( time(), 'hourly', TELL );
	}
}

function stop_telling(): void {
	wp_clear_scheduled_hook( TELL );
}
