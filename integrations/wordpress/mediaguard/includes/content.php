<?php
// Renditions that mediaguard brought and that are not public yet: in a folder of their own,
// outside the website, under their SHA-256.

namespace Mediaguard\Content;

defined( 'ABSPATH' ) || exit;

/** The folder; `MEDIAGUARD_FOLDER` names another one, for websites on several machines. */
function folder(): string {
	$folder = defined( 'MEDIAGUARD_FOLDER' ) ? MEDIAGUARD_FOLDER
		: get_temp_dir() . 'mediaguard-' . substr( wp_hash( 'mediaguard-content' ), 0, 20 );
	if ( ! is_dir( $folder ) ) {
		mkdir( $folder, 0700, true );
	}
	return untrailingslashit( $folder );
}

function path( string $sha256 ): string {
	return folder() . "/$sha256";
}

/** Whether it is there, byte for byte. */
function is_whole( string $path, string $sha256 ): bool {
	return is_file( $path ) && hash_equals( $sha256, (string) hash_file( 'sha256', $path ) );
}

/**
 * Put the very content somewhere; in one step, so that nobody ever sees half of it.
 *
 * @return bool Whether it is there.
 */
function place( string $sha256, string $target ): bool {
	$part = $target . '.' . bin2hex( random_bytes( 8 ) ) . '.part';
	$done = copy( path( $sha256 ), $part ) && is_whole( $part, $sha256 )
		&& chmod( $part, fileperms( dirname( $target ) ) & 0666 ) && rename( $part, $target );
	if ( ! $done && is_file( $part ) ) {
		unlink( $part );
	}
	return $done;
}

function forget( string $sha256 ): void {
	if ( is_file( path( $sha256 ) ) ) {
		unlink( path( $sha256 ) );
	}
}

/** Remove what was brought long ago and never asked for. */
function sweep(): void {
	foreach ( glob( folder() . '/*' ) as $path ) {
		if ( is_file( $path ) && filemtime( $path ) < time() - 86400 ) {
			unlink( $path );
		}
	}
}
