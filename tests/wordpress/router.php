<?php
// What a web server's rewrite rules do: files are served, everything else is WordPress' business.
$root = $_SERVER['DOCUMENT_ROOT'];
$path = rawurldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) ?: '/');
$is_page = is_file("$root$path") || is_file(rtrim("$root$path", '/') . '/index.php');
if ($path !== '/' && $is_page) {
    return false;
}
// With plain permalinks WordPress writes no rewrite rules, and what is no file is not found.
if ($path !== '/' && is_file(dirname($root) . '/plain-permalinks')) {
    http_response_code(404);
    exit('Not Found');
}
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = '/index.php';
$_SERVER['SCRIPT_FILENAME'] = "$root/index.php";
require "$root/index.php";
