<?php
// Where mediaguard is, and who this website is to it. A constant in wp-config.php wins over what
// the settings page stores; the secret belongs there.

namespace Mediaguard;

defined( 'ABSPATH' ) || exit;

const OPTION = 'mediaguard';

/** One of address, sender, channel and secret; empty if it is not set. */
function setting( string $name ): string {
	$constant = 'MEDIAGUARD_' . strtoupper( $name );
	if ( defined( $constant ) ) {
		return trim( (string) constant( $constant ) );
	}
	$stored = get_option( OPTION );
	return is_array( $stored ) && is_string( $stored[ $name ] ?? null ) ? trim( $stored[ $name ] ) : '';
}

/** Whether a setting stands in wp-config.php. */
function is_fixed( string $name ): bool {
	return defined( 'MEDIAGUARD_' . strtoupper( $name ) );
}

/**
 * The keys that sign what is sent and received: one, or two while they are exchanged.
 *
 * @return string[] As bytes.
 */
function signing_keys(): array {
	$keys = array();
	foreach ( preg_split( '/\s+/', setting( 'secret' ), -1, PREG_SPLIT_NO_EMPTY ) as $secret ) {
		$key = key_of_secret( $secret );
		if ( null !== $key ) {
			$keys[] = $key;
		}
	}
	return $keys;
}

/** The bytes of `whsec_…`; null if it is none. */
function key_of_secret( string $secret ): ?string {
	$key = 0 === strpos( $secret, 'whsec_' ) ? base64_decode( substr( $secret, 6 ), true ) : false;
	return is_string( $key ) && strlen( $key ) >= 24 && strlen( $key ) <= 64 ? $key : null;
}

/** Whether media may be sent to this address: encrypted, or to this very machine. */
function is_safe_address( string $address ): bool {
	$parts = wp_parse_url( $address );
	$host  = strtolower( $parts['host'] ?? '' );
	$how   = $parts['scheme'] ?? '';
	$here  = in_array( $host, array( 'localhost', '127.0.0.1', '[::1]' ), true );
	$plain = isset( $parts['user'] ) || isset( $parts['query'] ) || isset( $parts['fragment'] );
	return '' !== $host && ! $plain && ( 'https' === $how || ( $here && 'http' === $how ) );
}

/** Whether everything is there that is needed to send something. */
function is_ready(): bool {
	return is_safe_address( setting( 'address' ) ) && '' !== setting( 'sender' )
		&& '' !== setting( 'channel' ) && array() !== signing_keys() && extension_loaded( 'curl' );
}

/** Let this request take so long, where that can be said. */
function allow_seconds( int $seconds ): void {
	if ( function_exists( 'set_time_limit' ) ) {
		set_time_limit( $seconds );
	}
}
