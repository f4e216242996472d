<?php
// What mediaguard asks for: the contract of its channel "http" (docs/guides/cms-builder.md).
//
//     PUT  …/wp-json/mediaguard/v1/content/{sha256}   a rendition; it stays private
//     POST …/wp-json/mediaguard/v1/events             publish, replace, remove or lookup
//
// Both are signed, and checked before anything is made of them. Asked twice, they do it once, and
// answer after making sure that it is so.

namespace Mediaguard;

defined( 'ABSPATH' ) || exit;

const ROUTES = 'mediaguard/v1';

/** Seconds that mediaguard is kept waiting for an upload under way. */
const PATIENCE = 20;

const LARGEST_EVENT = 100000;

add_action( 'parse_request', __NAMESPACE__ . '\\receive_content', 1 );
add_action( 'rest_api_init', __NAMESPACE__ . '\\add_routes' );

/** Before WordPress' own API, which reads a body whole into memory: a video may be large. */
function receive_content( \WP $wp ): void {
	$route = (string) ( $wp->query_vars['rest_route'] ?? '' );
	if ( 'PUT' !== ( $_SERVER['REQUEST_METHOD'] ?? '' ) || ! preg_match( '#^/' . ROUTES . '/content/([0-9a-f]{64})$#D', $route, $found ) ) {
		return;
	}
	$status = take_content( $found[1] );
	status_header( $status );
	nocache_headers();
	if ( 503 === $status ) {
		header( 'Retry-After: 10' );
	}
	exit;
}

/** Bytes of the largest content. */
const LARGEST_CONTENT = 10000000000;

/** Bytes of the disk that no content may take; and the part of the rest for each: PHP itself keeps
 * a second copy of a body, and two may come at once. */
const RESERVE = 256000000;
const SHARE   = 4;

/** Seconds that a content may take, and the bytes per second that it brings at least. */
const LONGEST = 7200;
const SLOWEST = 50000;

/**
 * The status with which a content is answered. Who sends it is known only when it is whole; so
 * until then it gets no more of the disk and of the time than a stranger may have.
 */
function take_content( string $sha256 ): int {
	$header  = function ( string $name ): string {
		return (string) ( $_SERVER[ 'HTTP_' . strtoupper( strtr( $name, '-', '_' ) ) ] ?? '' );
	};
	$message = incoming( $header );
	if ( null === $message ) {
		return 401;
	}
	$length = (string) ( $_SERVER['CONTENT_LENGTH'] ?? '' );
	if ( ! preg_match( '/^[0-9]{1,12}$/D', $length ) ) {
		return 411;
	}
	if ( (int) $length > LARGEST_CONTENT ) {
		return 413;
	}
	if ( (int) $length > ( disk_free_space( Content\folder() ) - RESERVE ) / SHARE ) {
		return 507;
	}
	allow_seconds( LONGEST );
	$part = Content\begin();
	if ( null === $part ) {
		return 503;
	}
	$status = take_body( $part, $message, $header( 'webhook-signature' ), $sha256 );
	if ( 204 === $status && ! rename( $part, Content\path( $sha256 ) ) ) {
		$status = 507;
	}
	if ( is_file( $part ) ) {
		unlink( $part );
	}
	return $status;
}

/** Write the body of this request into a file; the status for what it is. */
function take_body( string $part, Message $message, string $signature, string $sha256 ): int {
	$file = fopen( $part, 'wb' );
	$body = fopen( 'php://input', 'rb' );
	if ( ! $file || ! $body ) {
		return 507;
	}
	$digest = hash_init( 'sha256' );
	$began  = microtime( true );
	$taken  = 0;
	while ( ! feof( $body ) ) {
		$piece  = (string) fread( $body, 1 << 16 );
		$taken += strlen( $piece );
		if ( ! keeps_pace( $taken, microtime( true ) - $began ) ) {
			return 503;
		}
		$message->update( $piece );
		hash_update( $digest, $piece );
		if ( fwrite( $file, $piece ) !== strlen( $piece ) ) {
			return 507;
		}
	}
	if ( ! fclose( $file ) ) {
		return 507;
	}
	if ( ! $message->is_signed_by( $signature ) ) {
		return 401;
	}
	return hash_equals( $sha256, hash_final( $digest ) ) ? 204 : 422;
}

/** Whether so many bytes in so many seconds are enough to go on; somebody silent the web server ends. */
function keeps_pace( int $bytes, float $seconds ): bool {
	return $seconds <= min( LONGEST, 60 + $bytes / SLOWEST );
}

function add_routes(): void {
	register_rest_route(
		ROUTES,
		'/events',
		array(
			'methods'             => 'POST',
			'callback'            => __NAMESPACE__ . '\\receive_event',
			'permission_callback' => __NAMESPACE__ . '\\is_from_mediaguard',
			'show_in_index'       => false,
		)
	);
}

/** Whether mediaguard signed this just now, and it did not come before. */
function is_from_mediaguard( \WP_REST_Request $request ) {
	$header  = function ( string $name ) use ( $request ): string {
		return (string) $request->get_header( strtr( $name, '-', '_' ) );
	};
	$body    = (string) $request->get_body();
	$message = incoming( $header );
	$right   = false;
	if ( null !== $message && strlen( $body ) <= LARGEST_EVENT ) {
		$message->update( $body );
		$right = $message->is_signed_by( $header( 'webhook-signature' ) );
	}
	if ( ! $right ) {
		return new \WP_Error( 'mediaguard_signature', 'not signed by mediaguard just now', array( 'status' => 401 ) );
	}
	Notes\sweep();
	// mediaguard signs anew when it tries again, so the very same message is somebody else's. What
	// is signed counts, not how it was sent: signatures can be left out or put in another order.
	$seen = 'seen:' . hash( 'sha256', $header( 'webhook-id' ) . '.' . $header( 'webhook-timestamp' ) . '.' . $body );
	if ( ! Notes\add( $seen ) ) {
		return new \WP_Error( 'mediaguard_repeated', 'this message came before', array( 'status' => 401 ) );
	}
	update_option( 'mediaguard_heard', time(), false );
	return true;
}

/** Do what an event asks for. */
function receive_event( \WP_REST_Request $request ): \WP_REST_Response {
	$event = json_decode( $request->get_body(), true, 20 );
	$data  = is_array( $event ) ? usable( $event['data'] ?? null ) : null;
	$at    = is_array( $event ) ? strtotime( (string) ( $event['timestamp'] ?? '' ) ) : false;
	if ( null === $data || false === $at ) {
		return answer( 422, 'not an event' );
	}
	allow_seconds( PATIENCE + 180 );
	try {
		switch ( (string) ( $event['type'] ?? '' ) ) {
			case 'publication.publish':
			case 'publication.replace':
				return make_public( $data, $at );
			case 'publication.remove':
				return take_down( $data['key'], $at );
			case 'publication.lookup':
				wait_for_upload( $data['item'] );
				return found( $data['key'] );
		}
	} catch ( \Throwable $error ) {
		error_log( 'mediaguard: ' . $error->getMessage() );
		return answer( 500, 'it did not succeed' );
	}
	return answer( 422, 'an unknown type of event' );
}

/** The data of an event, if it is what it should be. */
function usable( $data ): ?array {
	if ( ! is_array( $data ) ) {
		return null;
	}
	$patterns = array( 'key' => '[0-9a-f]{32}', 'item' => '[0-9a-f]{1,64}', 'sha256' => '[0-9a-f]{64}' );
	foreach ( $patterns as $name => $pattern ) {
		if ( ! is_string( $data[ $name ] ?? null ) || ! preg_match( "/^$pattern$/D", $data[ $name ] ) ) {
			return null;
		}
	}
	foreach ( (array) ( $data['replaces'] ?? array() ) as $key ) {
		if ( ! is_string( $key ) || ! preg_match( '/^[0-9a-f]{32}$/D', $key ) ) {
			return null;
		}
	}
	return $data;
}

function make_public( array $data, int $at ): \WP_REST_Response {
	$key     = $data['key'];
	$removed = Notes\get( "removed:$key" );
	if ( null !== $removed && $at <= (int) $removed ) {
		return answer( 410, 'it was taken down since' );
	}
	if ( null === Library\extension( (string) ( $data['media_type'] ?? '' ) ) ) {
		return answer( 415, 'this website does not take such a file' );
	}
	if ( ! Library\attachments( $key ) && ! Content\is_whole( Content\path( $data['sha256'] ), $data['sha256'] ) ) {
		$again = answer( 503, 'its content is not here' );
		$again->header( 'Retry-After', '5' );
		return $again;
	}
	Notes\forget( "removed:$key" );
	$note    = 'publish:' . $data['item'];
	$earlier = (array) ( $data['replaces'] ?? array() );
	if ( ! $earlier && ! Library\attachments( $key ) ) {
		Notes\put( $note, wp_json_encode( array( 'key' => $key, 'sha256' => $data['sha256'], 'media_type' => $data['media_type'] ) ) );
		wait_for_upload( $data['item'] );
		Notes\forget( $note );
	}
	foreach ( array_diff( $earlier, array( $key ) ) as $old ) {
		Notes\put( "removed:$old", (string) $at );
	}
	Library\replace( $data, $earlier );
	Content\forget( $data['sha256'] );
	return found( $key );
}

/** Let the upload of this very item, if there is one, make the attachment itself. */
function wait_for_upload( string $item ): void {
	$until = microtime( true ) + PATIENCE;
	while ( microtime( true ) < $until ) {
		$uploads = Notes\all( 'upload:', UPLOAD_LIFE );
		if ( ! in_array( $item, $uploads, true ) && ! in_array( '', $uploads, true ) ) {
			return;
		}
		usleep( 100000 );
	}
}

function take_down( string $key, int $at ): \WP_REST_Response {
	// Noted first: an upload that is just about to make it public sees it, or is seen here.
	Notes\put( "removed:$key", (string) $at );
	foreach ( Notes\all( 'publish:' ) as $name => $value ) {
		if ( false !== strpos( $value, $key ) ) {
			Notes\forget( $name );
		}
	}
	$urls = Library\published( $key )['urls'] ?? array();
	Library\remove( $key );
	if ( Library\attachments( $key ) || Library\files( $key ) ) {
		return answer( 500, 'not all of it could be deleted' );
	}
	Notes\forget( "gone:$key" );
	/** For caches that WordPress does not know of. */
	do_action( 'mediaguard_removed', $key, $urls );
	return new \WP_REST_Response( array( 'id' => $key ), 200 );
}

/** What is public under a key. */
function found( string $key ): \WP_REST_Response {
	$published = Library\published( $key );
	return null === $published ? answer( 404, 'nothing is public under this key' ) : new \WP_REST_Response( $published, 200 );
}

function answer( int $status, string $message ): \WP_REST_Response {
	return new \WP_REST_Response( array( 'message' => $message ), $status );
}
