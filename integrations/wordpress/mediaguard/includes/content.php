<?php
// Renditions that mediaguard brought and that are not public yet: in a folder of their own,
// outside the website, under their SHA-256.

namespace Mediaguard\Content;

defined( 'ABSPATH' ) || exit;

/** Contents that may come in at the same time: whoever sends one is proven only at its end. */
const AT_ONCE = 2;

/** Seconds after which one that grows no more belongs to no request any longer. */
const BROKEN_OFF = 600;

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

/** The path for a content that comes in now; null if as many do already as may. */
function begin(): ?string {
	sweep();
	// Made first and counted afterwards: of two that begin at the same time none is overlooked.
	$part = path( bin2hex( random_bytes( 16 ) ) . '.part' );
	touch( $part );
	if ( count( glob( folder() . '/*.part' ) ?: array() ) > AT_ONCE ) {
		unlink( $part );
		return null;
	}
	return $part;
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

/** Remove what broke off, and what was brought long ago and never asked for. */
function sweep(): void {
	foreach ( glob( folder() . '/*' ) as $path ) {
		$life = '.part' === substr( $path, -5 ) ? BROKEN_OFF : 86400;
		if ( is_file( $path ) && filemtime( $path ) < time() - $life ) {
			unlink( $path );
		}
	}
}
