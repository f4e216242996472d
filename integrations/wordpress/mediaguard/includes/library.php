<?php
// What belongs to a publication in the media library. Its key is in the name of each of its files,
// sizes and crops among them; so a file and what it belongs to are never apart.

namespace Mediaguard\Library;

use Mediaguard\Content;
use Mediaguard\Notes;

defined( 'ABSPATH' ) || exit;

const KEY = '(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])';

add_filter( 'wp_insert_attachment_data', __NAMESPACE__ . '\\hide_key' );
add_action( 'add_attachment', __NAMESPACE__ . '\\refuse_late' );

/**
 * A file name with the key of its publication, and with no other: somebody may add again what was
 * downloaded here, and its old name is that of another publication.
 */
function file_name( string $name, string $key, string $extension ): string {
	$stem = sanitize_file_name( pathinfo( $name, PATHINFO_FILENAME ) );
	$stem = trim( preg_replace( '/[^a-z0-9]+/', '-', strtolower( remove_accents( $stem ) ) ), '-' );
	$stem = preg_replace( '/-?' . KEY . '.*$/', '', $stem );
	return ltrim( substr( $stem, 0, 60 ) . "-$key.$extension", '-' );
}

/** The key in the name of a file, the last if there are several; null if there is none. */
function key_of_file( string $name ): ?string {
	return preg_match_all( '/' . KEY . '/', wp_basename( $name ), $found ) ? end( $found[0] ) : null;
}

/** @return string[] Those of the files that belong to a publication. */
function of_key( array $files, string $key ): array {
	return array_filter(
		$files,
		function ( string $file ) use ( $key ): bool {
			return key_of_file( $file ) === $key;
		}
	);
}

/** The file name ending for a media type; null if this website does not take it. */
function extension( string $media_type ): ?string {
	if ( ! preg_match( '#^(image|video)/#', $media_type ) ) {
		return null;
	}
	$endings = array_search( $media_type, get_allowed_mime_types(), true );
	return $endings ? explode( '|', $endings )[0] : null;
}

/** @return int[] The attachments of a publication, oldest first. */
function attachments( string $key ): array {
	global $wpdb;
	$found = $wpdb->get_results(
		$wpdb->prepare(
			"SELECT post_id, meta_value FROM $wpdb->postmeta WHERE meta_key = '_wp_attached_file' AND meta_value LIKE %s ORDER BY post_id",
			'%' . $wpdb->esc_like( $key ) . '%'
		)
	);
	$ids   = array_keys( of_key( array_column( (array) $found, 'meta_value', 'post_id' ), $key ) );
	return array_values( array_filter( $ids, 'get_post' ) );
}

/** @return string[] All files of a publication, wherever they lie among the uploads. */
function files( string $key ): array {
	$base  = wp_get_upload_dir()['basedir'];
	$found = array();
	foreach ( array( '', '/*', '/*/*' ) as $folders ) {
		array_push( $found, ...( glob( "$base$folders/*$key*" ) ?: array() ) );
	}
	foreach ( attachments( $key ) as $id ) {
		array_push( $found, ...beside( $id, $key ) );
	}
	return array_unique( array_filter( of_key( $found, $key ), 'is_file' ) );
}

/** @return string[] The files of a publication where one of its attachments lies. */
function beside( int $id, string $key ): array {
	return of_key( glob( dirname( (string) get_attached_file( $id, true ) ) . "/*$key*" ) ?: array(), $key );
}

/**
 * What mediaguard is told of a publication: its name here, which is its key, and every address.
 *
 * @return array|null Null if nothing of it is here.
 */
function published( string $key ): ?array {
	$urls = array();
	foreach ( attachments( $key ) as $id ) {
		$url    = wp_get_attachment_url( $id );
		$urls[] = $url;
		foreach ( beside( $id, $key ) as $file ) {
			$urls[] = dirname( $url ) . '/' . rawurlencode( wp_basename( $file ) );
		}
	}
	$urls = array_values( array_unique( array_filter( $urls ) ) );
	return $urls ? array( 'id' => $key, 'urls' => $urls ) : null;
}

/** Make a publication's content public, if it is not; an upload may have done it already. */
function publish( array $data ): void {
	$key = $data['key'];
	if ( ! attachments( $key ) ) {
		create( $data );
	}
	complete( $key );
}

/** Put a publication in the place of others, everywhere; and delete those. */
function replace( array $data, array $earlier ): void {
	$key = $data['key'];
	foreach ( array_diff( $earlier, array( $key ) ) as $old ) {
		foreach ( attachments( $old ) as $id ) {
			// One attachment takes the new content and stays what it is to posts; what was cropped
			// out of the old content goes.
			if ( attachments( $key ) ) {
				wp_delete_attachment( $id, true );
			} else {
				exchange( $id, $data );
			}
		}
	}
	publish( $data );
	foreach ( array_diff( $earlier, array( $key ) ) as $old ) {
		remove( $old );
		swap_in_texts( $old, $key );
	}
}

/** Delete a publication: every attachment, and every file, whoever made it. */
function remove( string $key ): void {
	foreach ( attachments( $key ) as $id ) {
		wp_delete_attachment( $id, true );
	}
	foreach ( files( $key ) as $file ) {
		wp_delete_file( $file );
	}
}

function create( array $data ): void {
	require_once ABSPATH . 'wp-admin/includes/image.php';
	$asked  = json_decode( (string) Notes\get( 'asked:' . $data['item'] ), true ) ?: array();
	$name   = (string) ( $asked['name'] ?? '' );
	$folder = wp_upload_dir();
	$path   = $folder['path'] . '/' . file_name( $name, $data['key'], extension( $data['media_type'] ) );
	if ( ! empty( $folder['error'] ) || ! Content\place( $data['sha256'], $path ) ) {
		throw new \RuntimeException( 'the content cannot be put into the uploads' );
	}
	$post  = array(
		'post_mime_type' => $data['media_type'],
		'post_title'     => title( $name ),
		'post_author'    => (int) ( $asked['user'] ?? 0 ),
		'guid'           => $folder['url'] . '/' . wp_basename( $path ),
	);
	if ( ! wp_insert_attachment( wp_slash( $post ), $path ) ) {
		throw new \RuntimeException( 'the attachment cannot be recorded' );
	}
	Notes\forget( 'asked:' . $data['item'] );
}

/** Have what WordPress makes of each file: sizes, and what it knows of it. */
function complete( string $key ): void {
	require_once ABSPATH . 'wp-admin/includes/image.php';
	require_once ABSPATH . 'wp-admin/includes/media.php';
	foreach ( attachments( $key ) as $id ) {
		if ( ! wp_get_attachment_metadata( $id, true ) ) {
			$file = wp_get_original_image_path( $id, true ) ?: get_attached_file( $id, true );
			wp_update_attachment_metadata( $id, wp_generate_attachment_metadata( $id, $file ) );
		} elseif ( wp_attachment_is_image( $id ) ) {
			wp_update_image_subsizes( $id );
		}
	}
}

/** Give an attachment another content. */
function exchange( int $id, array $data ): void {
	$old = (string) get_attached_file( $id, true );
	$new = dirname( $old ) . '/' . file_name( wp_basename( $old ), $data['key'], extension( $data['media_type'] ) );
	if ( ! Content\place( $data['sha256'], $new ) ) {
		throw new \RuntimeException( 'the content cannot be put into the uploads' );
	}
	delete_post_meta( $id, '_wp_attachment_metadata' );
	delete_post_meta( $id, '_wp_attachment_backup_sizes' );
	update_attached_file( $id, $new );
	wp_update_post( array( 'ID' => $id, 'post_mime_type' => $data['media_type'] ) );
}

/**
 * Say the new key wherever an old one is written. Keys are all of the same length, and the sizes of
 * two renditions of one item have the same names; so this holds for addresses in any text, also in
 * what page builders store.
 */
function swap_in_texts( string $old, string $new ): void {
	global $wpdb;
	$texts = array(
		array( $wpdb->posts, array( 'post_content', 'post_content_filtered', 'post_excerpt', 'guid' ) ),
		array( $wpdb->postmeta, array( 'meta_value' ) ),
		array( $wpdb->termmeta, array( 'meta_value' ) ),
		array( $wpdb->options, array( 'option_value' ) ),
	);
	foreach ( $texts as list( $table, $columns ) ) {
		foreach ( $columns as $column ) {
			$wpdb->query(
				$wpdb->prepare(
					"UPDATE $table SET $column = REPLACE($column, %s, %s) WHERE $column LIKE %s",
					$old,
					$new,
					'%' . $wpdb->esc_like( $old ) . '%'
				)
			);
		}
	}
	wp_cache_flush();
}

/** What a file is called, for people. */
function title( string $name ): string {
	$title = sanitize_text_field( pathinfo( $name, PATHINFO_FILENAME ) );
	return '' === $title ? 'mediaguard' : $title;
}

/** Remember, or give, what the upload of this request with this key is called; empty for others. */
function titles( string $key, string $title = '' ): string {
	static $titles = array();
	if ( '' !== $title ) {
		$titles[ $key ] = $title;
	}
	return $titles[ $key ] ?? '';
}

/** The key is of no use in the title and the address of an attachment's page. */
function hide_key( array $data ): array {
	$key = key_of_file( (string) $data['guid'] );
	if ( null !== $key && false !== strpos( $data['post_title'], $key ) ) {
		$title              = titles( $key ) ?: title( str_replace( array( "-$key", $key ), '', $data['post_title'] ) );
		$data['post_title'] = wp_slash( $title );
		$data['post_name']  = wp_unique_post_slug( sanitize_title( $title ), 0, 'inherit', 'attachment', (int) $data['post_parent'] );
	}
	return $data;
}

/** An upload that was so slow that its content was taken down meanwhile is no longer wanted. */
function refuse_late( int $id ): void {
	$key = key_of_file( (string) get_attached_file( $id, true ) );
	if ( null !== $key && null !== Notes\get( "removed:$key" ) ) {
		remove( $key );
	}
}
