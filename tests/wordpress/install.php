<?php
// Installs WordPress in a database of its own and prints an application password as JSON.
define('WP_INSTALLING', true);
[, $folder, $user] = $argv;
$_SERVER['HTTP_HOST'] = '127.0.0.1';

// Nobody is to get mail about it.
function wp_new_blog_notification() {}
function wp_mail() { return true; }

require $folder . '/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('A school', $user, 'wordpress@example.org', true, '', wp_generate_password(24));

// As on sites that are some years old: a page of its own for each picture.
update_option('wp_attachment_pages_enabled', 1);
global $wp_rewrite;
$wp_rewrite->set_permalink_structure('/%year%/%monthnum%/%postname%/');
flush_rewrite_rules(false);

$id = get_user_by('login', $user)->ID;
[$password] = WP_Application_Passwords::create_new_application_password($id, ['name' => 'mediaguard']);
echo json_encode(['password' => $password]);
