<?php
// What has to be remembered between requests: a small table, read without any cache, because
// requests that run at the same time have to see each other's notes. Times are the database's.

namespace Mediaguard\Notes;

defined( 'ABSPATH' ) || exit;

const MADE = 'mediaguard_notes_made';
const DAY  = 86400;
const EVER = 36500 * DAY;

/** Notes by the beginning of their name, and the seconds after which nobody needs them. */
const LIFE = array(
	'seen:'    => 3600,        // signatures of messages that came
	'upload:'  => 3600,        // uploads that wait for an item
	'publish:' => 3600,        // items that may become public now
	'removed:' => 7 * DAY,     // keys that were taken down
	'asked:'   => 90 * DAY,    // who wanted to add an item, and under which title
);

add_action( 'plugins_loaded', __NAMESPACE__ . '\\make' );

function table(): string {
	global $wpdb;
	return $wpdb->prefix . 'mediaguard_notes';
}

/** Make the table, once. */
function make(): void {
	global $wpdb;
	if ( get_option( MADE ) ) {
		return;
	}
	$wpdb->query(
		'CREATE TABLE IF NOT EXISTS ' . table() . ' (name varchar(120) NOT NULL, value longtext NOT NULL,'
		. ' at bigint NOT NULL, PRIMARY KEY (name)) ' . $wpdb->get_charset_collate()
	);
	update_option( MADE, 1, true );
}

/** Write a note, or write it anew; false if that failed. */
function put( string $name, string $value ): bool {
	global $wpdb;
	return false !== $wpdb->query( $wpdb->prepare( 'REPLACE INTO ' . table() . ' VALUES (%s, %s, UNIX_TIMESTAMP())', $name, $value ) );
}

/** Write a note unless there is one; whether it is new. Of two at the same time one is. */
function add( string $name, string $value = '' ): bool {
	global $wpdb;
	return 1 === $wpdb->query( $wpdb->prepare( 'INSERT IGNORE INTO ' . table() . ' VALUES (%s, %s, UNIX_TIMESTAMP())', $name, $value ) );
}

/** A note, not older than that many seconds; null if there is none. */
function get( string $name, int $age = EVER ): ?string {
	global $wpdb;
	return $wpdb->get_var( $wpdb->prepare( 'SELECT value FROM ' . table() . ' WHERE name = %s AND at + %d >= UNIX_TIMESTAMP()', $name, $age ) );
}

/** @return string[] The notes whose names begin so, not older than that, by name. */
function all( string $beginning, int $age = EVER ): array {
	global $wpdb;
	$rows = $wpdb->get_results(
		$wpdb->prepare(
			'SELECT name, value FROM ' . table() . ' WHERE name LIKE %s AND at + %d >= UNIX_TIMESTAMP() ORDER BY at',
			$wpdb->esc_like( $beginning ) . '%',
			$age
		)
	);
	return array_column( (array) $rows, 'value', 'name' );
}

function forget( string $name ): void {
	global $wpdb;
	$wpdb->delete( table(), array( 'name' => $name ) );
}

/** Forget what nobody needs any more. */
function sweep(): void {
	global $wpdb;
	foreach ( LIFE as $beginning => $age ) {
		$wpdb->query(
			$wpdb->prepare(
				'DELETE FROM ' . table() . ' WHERE name LIKE %s AND at + %d < UNIX_TIMESTAMP()',
				$wpdb->esc_like( $beginning ) . '%',
				$age
			)
		);
	}
}
