<?php
// What is said is English in the code, as WordPress has it; Dutch stands in languages/nl.php.

namespace Mediaguard;

defined( 'ABSPATH' ) || exit;

add_filter( 'gettext_mediaguard', __NAMESPACE__ . '\\translate', 10, 2 );

/** The text in the reader's language, unless a language pack has it already. */
function translate( string $translation, string $text ): string {
	static $dutch = null;
	if ( $translation !== $text || 'nl' !== language() ) {
		return $translation;
	}
	$dutch = $dutch ?? require __DIR__ . '/../languages/nl.php';
	return $dutch[ $text ] ?? $text;
}

/** "nl" or "en": those that mediaguard itself speaks. */
function language(): string {
	return 0 === strpos( determine_locale(), 'nl' ) ? 'nl' : 'en';
}
