<?php
// Settings, mediaguard: where it is, who this website is to it, and whether both hear each other.

namespace Mediaguard;

defined( 'ABSPATH' ) || exit;

const PAGE       = 'mediaguard';
const TEST       = 'mediaguard_test';
const MAY_CHANGE = 'manage_options';

add_action( 'admin_menu', __NAMESPACE__ . '\\add_page' );
add_action( 'admin_init', __NAMESPACE__ . '\\register' );
add_action( 'admin_notices', __NAMESPACE__ . '\\remind' );
add_action( 'admin_post_' . TEST, __NAMESPACE__ . '\\test_connection' );

function add_page(): void {
	add_options_page( 'mediaguard', 'mediaguard', MAY_CHANGE, PAGE, __NAMESPACE__ . '\\show_page' );
}

function register(): void {
	register_setting( PAGE, OPTION, array( 'sanitize_callback' => __NAMESPACE__ . '\\cleaned' ) );
}

/** What is stored of a form; what is wrong in it stays as it was, and is told. */
function cleaned( $given ): array {
	$stored = get_option( OPTION );
	$stored = is_array( $stored ) ? $stored : array();
	foreach ( array( 'address', 'sender', 'channel', 'secret' ) as $name ) {
		$value = is_array( $given ) && is_string( $given[ $name ] ?? null ) ? trim( $given[ $name ] ) : '';
		if ( '' === $value ) { // a secret is never shown, so an empty field leaves it as it is
			continue;
		}
		if ( is_right( $name, $value ) ) {
			$stored[ $name ] = $value;
		} elseif ( function_exists( 'add_settings_error' ) ) {
			add_settings_error( OPTION, $name, explain( $name ) );
		}
	}
	return $stored;
}

function is_right( string $name, string $value ): bool {
	if ( 'address' === $name ) {
		return is_safe_address( $value );
	}
	if ( 'secret' === $name ) {
		return ! in_array( null, array_map( __NAMESPACE__ . '\\key_of_secret', preg_split( '/\s+/', $value ) ), true );
	}
	return (bool) preg_match( '/^[a-z0-9][a-z0-9-]{0,62}$/D', $value );
}

/** What belongs into a field. */
function explain( string $name ): string {
	$texts = array(
		'address' => __( 'Where mediaguard is, such as https://mediaguard.school.example. Without https only on this very machine.', 'mediaguard' ),
		'sender'  => __( 'What this website is called there: NAME in [web.senders.NAME].', 'mediaguard' ),
		'channel' => __( 'The channel whose consents count here, such as website-public.', 'mediaguard' ),
		'secret'  => __( 'The secret that both know: whsec_ and what follows. Better than here it stands in wp-config.php, as MEDIAGUARD_SECRET. Two of them, with a space between, while one is exchanged.', 'mediaguard' ),
	);
	return $texts[ $name ];
}

function show_page(): void {
	if ( ! current_user_can( MAY_CHANGE ) ) {
		return;
	}
	$labels = array(
		'address' => __( 'Address', 'mediaguard' ),
		'sender'  => __( 'Name of this website', 'mediaguard' ),
		'channel' => __( 'Channel', 'mediaguard' ),
		'secret'  => __( 'Secret', 'mediaguard' ),
	);
	?>
	<div class="wrap">
		<h1>mediaguard</h1>
		<?php show_test_result(); ?>
		<form action="options.php" method="post">
			<?php settings_fields( PAGE ); ?>
			<table class="form-table" role="presentation">
				<?php foreach ( $labels as $name => $label ) : ?>
					<tr>
						<th scope="row"><label for="mediaguard-<?php echo esc_attr( $name ); ?>"><?php echo esc_html( $label ); ?></label></th>
						<td><?php show_field( $name ); ?></td>
					</tr>
				<?php endforeach; ?>
			</table>
			<?php submit_button(); ?>
		</form>
		<h2><?php esc_html_e( 'Connection', 'mediaguard' ); ?></h2>
		<form action="<?php echo esc_url( admin_url( 'admin-post.php' ) ); ?>" method="post">
			<input type="hidden" name="action" value="<?php echo esc_attr( TEST ); ?>">
			<?php wp_nonce_field( TEST ); ?>
			<?php submit_button( __( 'Test the connection', 'mediaguard' ), 'secondary', 'submit', true, is_ready() ? array() : array( 'disabled' => 'disabled' ) ); ?>
		</form>
		<p><?php echo esc_html( last_heard() ); ?></p>
		<h2><?php esc_html_e( 'In mediaguard.toml', 'mediaguard' ); ?></h2>
		<pre><?php echo esc_html( configuration() ); ?></pre>
	</div>
	<?php
}

function show_field( string $name ): void {
	$is_secret = 'secret' === $name;
	printf(
		'<input id="mediaguard-%1$s" name="%2$s[%1$s]" type="%3$s" class="regular-text" value="%4$s" placeholder="%5$s" autocomplete="off" aria-describedby="mediaguard-about-%1$s" %6$s>',
		esc_attr( $name ),
		esc_attr( OPTION ),
		$is_secret ? 'password' : 'text',
		esc_attr( $is_secret ? '' : setting( $name ) ),
		esc_attr( $is_secret && '' !== setting( $name ) ? __( 'It is set. Leave this empty to keep it.', 'mediaguard' ) : '' ),
		disabled( is_fixed( $name ), true, false )
	);
	$about = is_fixed( $name ) ? __( 'It stands in wp-config.php.', 'mediaguard' ) : explain( $name );
	printf( '<p class="description" id="mediaguard-about-%s">%s</p>', esc_attr( $name ), esc_html( $about ) );
}

/** When mediaguard was heard of: that it can call here shows only by that. */
function last_heard(): string {
	$heard   = (int) get_option( 'mediaguard_heard' );
	$waiting = count( Notes\all( 'gone:' ) );
	$told    = $heard
		/* translators: %s: a span of time, such as "5 minutes" */
		? sprintf( __( 'mediaguard was last heard of %s ago.', 'mediaguard' ), human_time_diff( $heard ) )
		: __( 'mediaguard has not called here yet. It does so with the first photo.', 'mediaguard' );
	if ( $waiting ) {
		/* translators: %d: how many */
		$told .= ' ' . sprintf( __( 'Deleted here, and still to be told to mediaguard: %d.', 'mediaguard' ), $waiting );
	}
	return $told;
}

/** What belongs into the configuration over there. */
function configuration(): string {
	$channel = setting( 'channel' ) ?: 'website-public';
	$sender  = setting( 'sender' ) ?: 'wordpress';
	$url     = rest_url( ROUTES );
	return "[channels.$channel]\nconnector = \"http\"\n\n[channels.$channel.http]\nurl = \"$url\"\n"
		. "secrets = [\"file:keys/wordpress\"]\n\n[web.senders.$sender]\n"
		. "secrets = [\"file:keys/wordpress\"]\nchannels = [\"$channel\"]\n";
}

/** Say it to whoever can do something about it. */
function remind(): void {
	if ( ! current_user_can( MAY_CHANGE ) ) {
		return;
	}
	$problem = '';
	if ( ! extension_loaded( 'curl' ) ) {
		$problem = __( "mediaguard needs PHP's extension curl. Until it is there, no photo or video can be added.", 'mediaguard' );
	} elseif ( '' === (string) get_option( 'permalink_structure' ) ) {
		$problem = __( 'mediaguard cannot reach this website while its permalinks are "plain". Choose others under Settings, Permalinks.', 'mediaguard' );
	} elseif ( ! is_ready() ) {
		$problem = __( 'mediaguard is not set up yet, so no photo or video can be added. An administrator does that under Settings, mediaguard.', 'mediaguard' );
	}
	if ( '' !== $problem ) {
		printf( '<div class="notice notice-error"><p>%s</p></div>', esc_html( $problem ) );
	}
}

function test_connection(): void {
	check_admin_referer( TEST );
	if ( ! current_user_can( MAY_CHANGE ) ) {
		wp_die( '', '', array( 'response' => 403 ) );
	}
	try {
		try_connection();
		$told = array( 'success', __( 'mediaguard answers, and this website may use that channel.', 'mediaguard' ) );
	} catch ( Refused $refused ) {
		$told = array( 'error', $refused->getMessage() );
	}
	set_transient( TEST . get_current_user_id(), $told, 60 );
	wp_safe_redirect( admin_url( 'options-general.php?page=' . PAGE ) );
	exit;
}

function show_test_result(): void {
	$told = get_transient( TEST . get_current_user_id() );
	if ( is_array( $told ) ) {
		delete_transient( TEST . get_current_user_id() );
		printf( '<div class="notice notice-%s"><p>%s</p></div>', esc_attr( $told[0] ), esc_html( $told[1] ) );
	}
}
