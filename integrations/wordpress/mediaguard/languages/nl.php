<?php
// Dutch, by the English text.

defined( 'ABSPATH' ) || exit;

return array(
	'The file cannot be read, so it was not added.'
		=> 'Het bestand kan niet worden gelezen en is dus niet toegevoegd.',
	'mediaguard cannot be reached just now, so nothing was added. Try again in a few minutes; if it stays like this, tell the administrator of this website.'
		=> 'mediaguard is nu niet bereikbaar, dus er is niets toegevoegd. Probeer het over een paar minuten opnieuw; blijft het zo, zeg het dan tegen de beheerder van deze website.',
	'mediaguard does not know this website: its name or secret is not right, or its clock is not. Tell the administrator of this website.'
		=> 'mediaguard kent deze website niet: de naam of het geheim klopt niet, of de klok. Zeg het tegen de beheerder van deze website.',
	'mediaguard did not take this: %s'
		=> 'mediaguard nam dit niet aan: %s',
	'mediaguard gave an answer that makes no sense, so nothing was added. Tell the administrator of this website.'
		=> 'mediaguard gaf een onbegrijpelijk antwoord, dus er is niets toegevoegd. Zeg het tegen de beheerder van deze website.',
	'Something unexpected went wrong, so this was not added. Tell the administrator of this website.'
		=> 'Er ging iets onverwachts mis, dus dit is niet toegevoegd. Zeg het tegen de beheerder van deze website.',
	'mediaguard is not set up yet, so no photo or video can be added. An administrator does that under Settings, mediaguard.'
		=> 'mediaguard is nog niet ingesteld, dus er kan geen foto of video worden toegevoegd. Een beheerder doet dat onder Instellingen, mediaguard.',
	'Not added yet: mediaguard is still looking at it. When it may be shown, it comes into the media library by itself.'
		=> 'Nog niet toegevoegd: mediaguard bekijkt het nog. Als het getoond mag worden, komt het vanzelf in de mediabibliotheek.',
	'Not added yet: %s Somebody at school looks at it in mediaguard. If it may be shown, it comes into the media library by itself.'
		=> 'Nog niet toegevoegd: %s Iemand op school bekijkt het in mediaguard. Als het getoond mag worden, komt het vanzelf in de mediabibliotheek.',
	'Not added: %s'
		=> 'Niet toegevoegd: %s',
	'This is in the media library already, as "%s". Use that one.'
		=> 'Dit staat al in de mediabibliotheek, als "%s". Gebruik dat.',
	'This was deleted here only just now. Try again in a minute.'
		=> 'Dit is hier zojuist verwijderd. Probeer het over een minuut opnieuw.',
	'The name or text of the file has %s in it. Change that, and add it again.'
		=> 'In de naam of tekst van het bestand staat %s. Verander dat en voeg het opnieuw toe.',
	'What mediaguard sent cannot be used, so nothing was added. Tell the administrator of this website.'
		=> 'Wat mediaguard stuurde, is niet bruikbaar, dus er is niets toegevoegd. Zeg het tegen de beheerder van deze website.',
	'Photos and videos come in through the media library only, where mediaguard looks at them first.'
		=> 'Foto\'s en video\'s komen alleen via de mediabibliotheek binnen, waar mediaguard ze eerst bekijkt.',
	'Where mediaguard is, such as https://mediaguard.school.example. Without https only on this very machine.'
		=> 'Waar mediaguard is, zoals https://mediaguard.school.example. Zonder https alleen op deze machine zelf.',
	'What this website is called there: NAME in [web.senders.NAME].'
		=> 'Hoe deze website daar heet: NAAM in [web.senders.NAAM].',
	'The channel whose consents count here, such as website-public.'
		=> 'Het kanaal waarvan de toestemmingen hier gelden, zoals website-public.',
	'The secret that both know: whsec_ and what follows. Better than here it stands in wp-config.php, as MEDIAGUARD_SECRET. Two of them, with a space between, while one is exchanged.'
		=> 'Het geheim dat beide kennen: whsec_ en wat erop volgt. Beter dan hier staat het in wp-config.php, als MEDIAGUARD_SECRET. Twee, met een spatie ertussen, zolang het ene het andere vervangt.',
	'Address' => 'Adres',
	'Name of this website' => 'Naam van deze website',
	'Channel' => 'Kanaal',
	'Secret' => 'Geheim',
	'Connection' => 'Verbinding',
	'Test the connection' => 'Verbinding testen',
	'In mediaguard.toml' => 'In mediaguard.toml',
	'It is set. Leave this empty to keep it.'
		=> 'Het is ingesteld. Laat dit leeg om het te houden.',
	'It stands in wp-config.php.'
		=> 'Het staat in wp-config.php.',
	'mediaguard was last heard of %s ago.'
		=> 'mediaguard liet %s geleden van zich horen.',
	'mediaguard has not called here yet. It does so with the first photo.'
		=> 'mediaguard heeft hier nog niet aangeklopt. Dat doet het bij de eerste foto.',
	'Deleted here, and still to be told to mediaguard: %d.'
		=> 'Hier verwijderd, en nog aan mediaguard te melden: %d.',
	"mediaguard needs PHP's extension curl. Until it is there, no photo or video can be added."
		=> 'mediaguard heeft de PHP-extensie curl nodig. Zolang die er niet is, kan geen foto of video worden toegevoegd.',
	'mediaguard cannot reach this website while its permalinks are "plain". Choose others under Settings, Permalinks.'
		=> 'mediaguard kan deze website niet bereiken zolang de permalinks "eenvoudig" zijn. Kies andere onder Instellingen, Permalinks.',
	'mediaguard answers, and this website may use that channel.'
		=> 'mediaguard antwoordt, en deze website mag dat kanaal gebruiken.',
);
