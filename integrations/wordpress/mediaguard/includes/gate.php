<?php
// What somebody adds: sent to mediaguard before it is anywhere public. The upload goes on with the
// rendition in its place, or is refused with the reason.

namespace Mediaguard;

defined( 'ABSPATH' ) || exit;

/** Seconds that somebody waits for the decision; then it comes into the library by itself.
 * `MEDIAGUARD_WAIT` is another number: less than the web server lets a request take. */
const WAIT = 40;

/** Seconds after which an upload that never ended is over. */
const UPLOAD_LIFE = 300;

const MORE_TEXTS = array( 'title', 'caption', 'alt_text', 'description' );

add_filter( 'wp_handle_upload_prefilter', __NAMESPACE__ . '\\let_through', PHP_INT_MAX );
add_filter( 'wp_handle_sideload_prefilter', __NAMESPACE__ . '\\let_through', PHP_INT_MAX );
add_filter( 'pre_move_uploaded_file', __NAMESPACE__ . '\\stop_others', PHP_INT_MAX, 2 );
add_filter( 'wp_upload_bits', __NAMESPACE__ . '\\stop_bits', PHP_INT_MAX );
add_filter( 'rest_request_before_callbacks', __NAMESPACE__ . '\\remember_texts', 10, 3 );

/**
 * A file on its way into the uploads, as WordPress has it; with the rendition in it, or an error.
 *
 * @param array $file As in `$_FILES`.
 */
function let_through( $file ) {
	if ( ! is_array( $file ) || ! empty( $file['error'] ) || ! is_readable( (string) ( $file['tmp_name'] ?? '' ) ) ) {
		return $file;
	}
	if ( ! shows_something( $file['tmp_name'], (string) $file['name'] ) ) {
		return $file;
	}
	try {
		return redacted( $file );
	} catch ( Refused $refused ) {
		$file['error'] = $refused->getMessage();
	} catch ( \Throwable $error ) {
		error_log( 'mediaguard: ' . $error->getMessage() );
		$file['error'] = __( 'Something unexpected went wrong, so this was not added. Tell the administrator of this website.', 'mediaguard' );
	}
	return $file;
}

/** Whether a file may show somebody. What is not known to be something else may. */
function shows_something( string $path, string $name ): bool {
	$found   = extension_loaded( 'fileinfo' ) ? (string) ( new \finfo( FILEINFO_MIME_TYPE ) )->file( $path ) : '';
	$ending  = wp_ext2type( strtolower( pathinfo( $name, PATHINFO_EXTENSION ) ) );
	$unknown = in_array( $found, array( '', 'application/octet-stream', 'application/x-empty' ), true );
	if ( preg_match( '#^(image|video)/|^application/(ogg|mxf|x-shockwave-flash|vnd\.(ms-asf|rn-realmedia))$#', $found ) || in_array( $ending, array( 'image', 'video' ), true ) ) {
		return true;
	}
	return $unknown && null === $ending;
}

/** The file with mediaguard's rendition in the place of what was in it. */
function redacted( array $file ): array {
	if ( ! is_ready() ) {
		throw new Refused( __( 'mediaguard is not set up yet, so no photo or video can be added. An administrator does that under Settings, mediaguard.', 'mediaguard' ) );
	}
	ignore_user_abort( true );
	allow_seconds( patience() + 180 );
	tell_all_removed();
	$name   = (string) $file['name'];
	$upload = 'upload:' . bin2hex( random_bytes( 16 ) );
	register_shutdown_function( __NAMESPACE__ . '\\Notes\\forget', $upload );
	try {
		// Noted before it is sent: what mediaguard publishes of it waits for this upload.
		Notes\put( $upload, '' );
		$item = send_media( $file['tmp_name'], array_merge( texts(), array( 'file_name' => $name ) ) );
		Notes\put( $upload, $item['id'] );
		Notes\put( 'asked:' . $item['id'], wp_json_encode( array( 'name' => $name, 'user' => get_current_user_id() ) ) );
		$publication = wait_for( $item );
		$file        = exchanged( $file, $publication );
	} catch ( \Throwable $error ) {
		Notes\forget( $upload );
		throw $error;
	}
	Notes\forget( 'asked:' . $item['id'] );
	return $file;
}

function patience(): int {
	return defined( 'MEDIAGUARD_WAIT' ) ? min( max( (int) MEDIAGUARD_WAIT, 1 ), UPLOAD_LIFE - 60 ) : WAIT;
}

/** What mediaguard wants to be published of an item. */
function wait_for( array $item ): array {
	$id    = $item['id'];
	$named = is_array( $item['named'] ?? null ) ? $item['named'] : array();
	$until = microtime( true ) + patience();
	$pause = 1.0;
	$look  = microtime( true ) + $pause;
	while ( microtime( true ) < $until ) {
		$note = json_decode( (string) Notes\get( "publish:$id", patience() ), true );
		if ( is_array( $note ) ) {
			return $note;
		}
		if ( microtime( true ) >= $look ) {
			$pause = min( $pause * 1.5, 5.0 );
			try {
				$item = item( $id );
			} catch ( Refused $refused ) {
				if ( ! in_array( $refused->status, array( 0, 429, 503 ), true ) ) {
					throw $refused;
				}
				$pause = max( $pause, min( $refused->retry_after, 10 ) );
			}
			require_going_on( $item, $named );
			$look = microtime( true ) + $pause;
		}
		usleep( 200000 );
	}
	throw new Refused( __( 'Not added yet: mediaguard is still looking at it. When it may be shown, it comes into the media library by itself.', 'mediaguard' ) );
}

/** Refuse what does not go out, or is out already. */
function require_going_on( array $item, array $named ): void {
	$reason = is_string( $item['reason']['text'] ?? null ) ? $item['reason']['text'] : '';
	if ( 'held' === $item['state'] ) {
		/* translators: %s: the reason, a sentence from mediaguard */
		$told = sprintf( __( 'Not added yet: %s Somebody at school looks at it in mediaguard. If it may be shown, it comes into the media library by itself.', 'mediaguard' ), $reason );
		throw new Refused( $told . named_words( $named ) );
	}
	if ( 'blocked' === $item['state'] || 'rejected' === $item['state'] ) {
		Notes\forget( 'asked:' . $item['id'] );
		/* translators: %s: the reason, a sentence from mediaguard */
		throw new Refused( sprintf( __( 'Not added: %s', 'mediaguard' ), $reason ) . named_words( $named ) );
	}
	if ( 'released' !== $item['state'] ) {
		return;
	}
	foreach ( (array) ( $item['publications'] ?? array() ) as $publication ) {
		$key = is_array( $publication ) ? (string) ( $publication['id'] ?? '' ) : '';
		if ( 'live' !== ( $publication['state'] ?? '' ) || ! preg_match( '/^[0-9a-f]{32}$/D', $key ) ) {
			continue;
		}
		$there = Library\attachments( $key );
		if ( $there ) {
			/* translators: %s: the title of a picture */
			throw new Refused( sprintf( __( 'This is in the media library already, as "%s". Use that one.', 'mediaguard' ), get_post_field( 'post_title', $there[0], 'raw' ) ) );
		}
		Notes\put( "gone:$key", '' );
		tell_all_removed();
		throw new Refused( __( 'This was deleted here only just now. Try again in a minute.', 'mediaguard' ) );
	}
}

/** Which words in which texts name somebody. */
function named_words( array $named ): string {
	$words = array();
	foreach ( $named as $one ) {
		if ( is_string( $one['word'] ?? null ) ) {
			$words[] = '"' . $one['word'] . '"';
		}
	}
	if ( ! $words ) {
		return '';
	}
	/* translators: %s: words, in quotation marks */
	return ' ' . sprintf( __( 'The name or text of the file has %s in it. Change that, and add it again.', 'mediaguard' ), implode( ', ', array_unique( $words ) ) );
}

/** Put the content of a publication into the file of an upload. */
function exchanged( array $file, array $publication ): array {
	$sha256    = (string) $publication['sha256'];
	$extension = Library\extension( (string) $publication['media_type'] );
	// Written in place: WordPress takes only the very file that PHP received.
	if ( null === $extension || ! Content\is_whole( Content\path( $sha256 ), $sha256 )
		|| ! copy( Content\path( $sha256 ), $file['tmp_name'] ) || ! Content\is_whole( $file['tmp_name'], $sha256 ) ) {
		throw new Refused( __( 'What mediaguard sent cannot be used, so nothing was added. Tell the administrator of this website.', 'mediaguard' ) );
	}
	clearstatcache( true, $file['tmp_name'] );
	$file['size'] = filesize( $file['tmp_name'] );
	$file['type'] = $publication['media_type'];
	Library\titles( $publication['key'], Library\title( (string) $file['name'] ) );
	$file['name'] = Library\file_name( (string) $file['name'], $publication['key'], $extension );
	let_go( $sha256 );
	return $file;
}

/** Remember, or ask (without an argument), which contents may be moved into the uploads. */
function let_go( string $sha256 = '' ): array {
	static $contents = array();
	if ( '' !== $sha256 ) {
		$contents[ $sha256 ] = true;
	}
	return $contents;
}

/** Uploads that came here by a way of their own, and not through mediaguard, end here. */
function stop_others( $moved, $file ) {
	$path = is_array( $file ) ? (string) ( $file['tmp_name'] ?? '' ) : '';
	if ( null === $moved && is_readable( $path ) && shows_something( $path, (string) $file['name'] )
		&& ! isset( let_go()[ (string) hash_file( 'sha256', $path ) ] ) ) {
		wp_die( esc_html( another_way() ), '', array( 'response' => 403 ) );
	}
	return $moved;
}

/** The same for content that WordPress is given as a text: by XML-RPC, by mail. */
function stop_bits( $upload ) {
	if ( ! is_array( $upload ) ) {
		return $upload;
	}
	$path = tempnam( get_temp_dir(), 'mediaguard' );
	file_put_contents( $path, (string) $upload['bits'] );
	$shows = shows_something( $path, (string) $upload['name'] );
	unlink( $path );
	return $shows ? another_way() : $upload;
}

function another_way(): string {
	return __( 'Photos and videos come in through the media library only, where mediaguard looks at them first.', 'mediaguard' );
}

/** What a request of the REST API says about the file that it brings. */
function remember_texts( $response, $handler, $request ) {
	if ( 'POST' === $request->get_method() && '/wp/v2/media' === $request->get_route() ) {
		$texts = array();
		foreach ( MORE_TEXTS as $name ) {
			$value = $request->get_param( $name );
			$value = is_array( $value ) ? ( $value['raw'] ?? '' ) : $value;
			if ( is_string( $value ) && '' !== trim( $value ) ) {
				$texts[ $name ] = wp_strip_all_tags( $value );
			}
		}
		if ( isset( $texts['description'] ) ) {
			$texts['caption'] = trim( ( $texts['caption'] ?? '' ) . "\n" . $texts['description'] );
			unset( $texts['description'] );
		}
		texts( $texts );
	}
	return $response;
}

/** @return string[] What goes with the upload of this request. */
function texts( ?array $new = null ): array {
	static $texts = array();
	$texts = $new ?? $texts;
	return $texts;
}
