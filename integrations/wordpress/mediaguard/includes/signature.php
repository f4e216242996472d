<?php
// Signed messages as Standard Webhooks has them (https://www.standardwebhooks.com), both ways. The
// body is read piece by piece: a video is never whole in memory.

namespace Mediaguard;

defined( 'ABSPATH' ) || exit;

/** Seconds by which a message may be older or newer than this machine's clock says. */
const TOLERANCE = 300;

/** A message whose body is coming by. */
final class Message {

	/** @var \HashContext[] One for each key. */
	private $digests = array();

	/** @param string[] $keys Any of them signs. */
	public function __construct( array $keys, string $id, string $timestamp ) {
		foreach ( $keys as $key ) {
			$digest = hash_init( 'sha256', HASH_HMAC, $key );
			hash_update( $digest, "$id.$timestamp." );
			$this->digests[] = $digest;
		}
	}

	/** The next piece of the body. */
	public function update( string $piece ): void {
		foreach ( $this->digests as $digest ) {
			hash_update( $digest, $piece );
		}
	}

	/** The signatures of all keys, when the body is complete. */
	public function signatures(): array {
		$signatures = array();
		foreach ( $this->digests as $digest ) {
			$signatures[] = 'v1,' . base64_encode( hash_final( hash_copy( $digest ), true ) );
		}
		return $signatures;
	}

	/** Whether one of the signatures given is right. */
	public function is_signed_by( string $given ): bool {
		$right = false;
		foreach ( $this->signatures() as $signature ) {
			foreach ( array_slice( explode( ' ', $given ), 0, 20 ) as $other ) {
				$right = hash_equals( $signature, $other ) || $right;
			}
		}
		return $right;
	}
}

/**
 * A message that comes in, if its headers say that it was signed just now.
 *
 * @param callable $header Gives a header by its name, or an empty string.
 */
function incoming( callable $header ): ?Message {
	$id        = $header( 'webhook-id' );
	$timestamp = $header( 'webhook-timestamp' );
	$keys      = signing_keys();
	if ( array() === $keys || '' === $id || strlen( $id ) > 200 || ! preg_match( '/^[0-9]{1,12}$/D', $timestamp ) ) {
		return null;
	}
	return abs( time() - (int) $timestamp ) > TOLERANCE ? null : new Message( $keys, $id, $timestamp );
}
