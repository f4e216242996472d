<?php
// Calls to mediaguard. Whatever does not answer as documented is an error. With curl itself, because
// WordPress' own functions hold what they send in memory, and a video may be large.

namespace Mediaguard;

defined( 'ABSPATH' ) || exit;

const LARGEST_ANSWER = 4000000;

/** Something cannot be done; the message is for whoever asked for it. */
final class Refused extends \Exception {

	/** @var int Of HTTP; 0 without an answer. */
	public $status;

	/** @var int Seconds after which to try again, if that was said. */
	public $retry_after;

	public function __construct( string $message, int $status = 0, int $retry_after = 0 ) {
		parent::__construct( $message );
		$this->status      = $status;
		$this->retry_after = $retry_after;
	}
}

/**
 * Bring a photo or video.
 *
 * @param string   $path  Where it is.
 * @param string[] $texts What is published beside it: file_name, title, caption, alt_text.
 * @return array The item.
 */
function send_media( string $path, array $texts ): array {
	$boundary = bin2hex( random_bytes( 16 ) );
	$head     = '';
	foreach ( array_merge( array( 'channel' => setting( 'channel' ) ), $texts ) as $name => $value ) {
		$head .= "--$boundary\r\nContent-Disposition: form-data; name=\"$name\"\r\n\r\n$value\r\n";
	}
	$head .= "--$boundary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"upload\"\r\n\r\n";
	$body  = fopen( 'php://temp/maxmemory:8000000', 'w+b' );
	$file  = fopen( $path, 'rb' );
	if ( ! $body || ! $file ) {
		throw new Refused( __( 'The file cannot be read, so it was not added.', 'mediaguard' ) );
	}
	fwrite( $body, $head );
	$copied = stream_copy_to_stream( $file, $body );
	fclose( $file );
	$ended = fwrite( $body, "\r\n--$boundary--\r\n" );
	if ( filesize( $path ) !== $copied || ! $ended ) {
		throw new Refused( __( 'The file cannot be read, so it was not added.', 'mediaguard' ) );
	}
	$item = call( 'POST', '/v1/media', "multipart/form-data; boundary=$boundary", $body );
	return known( $item );
}

/** What became of an item. */
function item( string $id ): array {
	return known( call( 'GET', "/v1/media/$id" ) );
}

/** Say that a publication is not here any more. */
function tell_removed( string $key ): void {
	call( 'POST', '/v1/takedowns', 'application/json', wp_json_encode( array( 'publication' => $key ) ) );
}

/** Whether mediaguard can be reached, and lets this website use its channel. */
function try_connection(): void {
	$page = call( 'GET', '/v1/publications?limit=1&channel=' . rawurlencode( setting( 'channel' ) ) );
	if ( ! is_array( $page['items'] ?? null ) ) {
		throw odd_answer();
	}
}

/**
 * A signed request, and its answer if that is a success.
 *
 * @param string|resource $body As it is sent.
 * @throws Refused With words for whoever asked.
 */
function call( string $method, string $path, string $type = '', $body = '' ): array {
	$id      = 'msg_' . bin2hex( random_bytes( 16 ) );
	$now     = (string) time();
	$message = new Message( signing_keys(), $id, $now );
	$length  = 0;
	if ( is_string( $body ) ) {
		$text = $body;
		$body = fopen( 'php://memory', 'w+b' );
		fwrite( $body, $text );
	}
	rewind( $body );
	while ( ! feof( $body ) ) {
		$piece   = (string) fread( $body, 1 << 18 );
		$length += strlen( $piece );
		$message->update( $piece );
	}
	rewind( $body );
	$headers = array(
		'Accept-Language: ' . language(),
		'Expect:',
		'mediaguard-sender: ' . setting( 'sender' ),
		"webhook-id: $id",
		"webhook-timestamp: $now",
		'webhook-signature: ' . implode( ' ', $message->signatures() ),
	);
	if ( '' !== $type ) {
		$headers[] = "Content-Type: $type";
	}
	$answer      = '';
	$retry_after = 0;
	$curl        = curl_init( rtrim( setting( 'address' ), '/' ) . $path );
	curl_setopt_array(
		$curl,
		array(
			CURLOPT_CUSTOMREQUEST   => $method,
			CURLOPT_HTTPHEADER      => $headers,
			CURLOPT_USERAGENT       => 'mediaguard-wordpress/' . VERSION,
			CURLOPT_PROTOCOLS       => CURLPROTO_HTTP | CURLPROTO_HTTPS,
			CURLOPT_FOLLOWLOCATION  => false,
			CURLOPT_CONNECTTIMEOUT  => 10,
			CURLOPT_LOW_SPEED_LIMIT => 1000,
			CURLOPT_LOW_SPEED_TIME  => 30,
			CURLOPT_TIMEOUT         => 60 + intdiv( $length, 50000 ),
			CURLOPT_HEADERFUNCTION  => function ( $_, string $line ) use ( &$retry_after ): int {
				if ( preg_match( '/^retry-after:\s*(\d{1,5})\s*$/i', $line, $found ) ) {
					$retry_after = (int) $found[1];
				}
				return strlen( $line );
			},
			CURLOPT_WRITEFUNCTION   => function ( $_, string $piece ) use ( &$answer ): int {
				$answer .= $piece;
				return strlen( $answer ) > LARGEST_ANSWER ? 0 : strlen( $piece );
			},
		)
	);
	if ( 'GET' !== $method ) {
		curl_setopt_array( $curl, array( CURLOPT_UPLOAD => true, CURLOPT_INFILE => $body, CURLOPT_INFILESIZE => $length ) );
	}
	$done   = curl_exec( $curl );
	$status = (int) curl_getinfo( $curl, CURLINFO_RESPONSE_CODE );
	curl_close( $curl );
	fclose( $body );
	if ( true !== $done || 0 === $status ) {
		throw new Refused( __( 'mediaguard cannot be reached just now, so nothing was added. Try again in a few minutes; if it stays like this, tell the administrator of this website.', 'mediaguard' ) );
	}
	$told = json_decode( $answer, true, 50 );
	if ( $status >= 200 && $status < 300 && is_array( $told ) ) {
		return $told;
	}
	throw refusal( $status, is_array( $told ) ? $told : array(), $retry_after );
}

/** What an answer means that is no success. */
function refusal( int $status, array $told, int $retry_after ): Refused {
	$detail = is_string( $told['detail'] ?? null ) ? $told['detail'] : '';
	if ( 401 === $status ) {
		return new Refused( __( 'mediaguard does not know this website: its name or secret is not right, or its clock is not. Tell the administrator of this website.', 'mediaguard' ), $status );
	}
	if ( $status < 300 || '' === $detail ) {
		return odd_answer( $status, $retry_after );
	}
	/* translators: %s: a sentence from mediaguard */
	return new Refused( sprintf( __( 'mediaguard did not take this: %s', 'mediaguard' ), $detail ), $status, $retry_after );
}

function odd_answer( int $status = 0, int $retry_after = 0 ): Refused {
	return new Refused( __( 'mediaguard gave an answer that makes no sense, so nothing was added. Tell the administrator of this website.', 'mediaguard' ), $status, $retry_after );
}

/** The item, if it is one. */
function known( array $item ): array {
	$id    = $item['id'] ?? null;
	$state = $item['state'] ?? null;
	if ( ! is_string( $id ) || ! preg_match( '/^[0-9a-f]{1,64}$/D', $id )
		|| ! in_array( $state, array( 'received', 'held', 'blocked', 'released', 'rejected' ), true ) ) {
		throw odd_answer();
	}
	return $item;
}
