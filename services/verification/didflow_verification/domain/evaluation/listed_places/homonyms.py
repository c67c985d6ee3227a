"""Folded names of several places of a country, by calling code. Made by `scripts/make_lists_of_places.py`."""

from typing import Final

NAMES: Final = {
    "43": (
        "anger|au|berndorf|glanegg|gmund|haag|hirschegg|kaltenbach|kirchbach|lend|lichtenegg|"
        "preding|saint andra|saint pantaleon|see|steinfeld|unterweissenbach|uttendorf|wagrain|"
        "warth|wilfersdorf"
    ),
    "32": ("aalst"),
    "49": (
        "bobingen|brockel|bunde|burgstadt|dorpstedt|friedland|friedrichstadt|gesees|grabow|"
        "hochheim|hohenthann|holzkirchen|husby|kaulsdorf|konradsreuth|kunreuth|langenhorn|leezen|"
        "lohne|marl|monsheim|moringen|olsberg|osterfeld|otzen|pocking|rheinau|rottenbach|"
        "schonberg|schwerin|stallwang|stolpe|thalmassing|weissensee|wesenberg"
    ),
    "34": (
        "aguadulce|algar|almagro|almenara|amposta|andosilla|arapiles|arcos|arzua|atalaya|"
        "avellaneda|baza|belmonte|bunavista|cabanes|carmenes|cea|cerceda|comillas|el perello|"
        "el viso|fonfria|funcaliente|garachico|hellin|legazpi|lobios|mieres|mondonedo|moya|"
        "navas|oleiros|oria|palomas|poio|salamanca|san isidro|san pascual|san roqu|sant jordi|"
        "santa eugenia|santa eulalia|sarria|simancas|sobrado|torrent|torrenuva|valdefuntes|"
        "valverde|villascusa"
    ),
    "353": ("ballina"),
    "39": ("latina|massa|pero|rovereto|san marino|stradella|susa"),
    "81": (
        "ama|amagi|date|fuchu|fujioka|funabashi|honjo|ishikawa|izumi|kamikawa|kariya|kitakata|"
        "koga|komatsu|kumano|masuda|miyako|miyoshi|mizusawa|nakano|nakatsu|numata|omachi|ono|"
        "ota|oyama|ozu|sado|saga|sakai|shibetsu|shimada|shimoda|shingu|shinjo|takanosu|"
        "tanabe|tomioka|tsushima|yamagata|yokkaichi|yuzawa"
    ),
    "52": (
        "actopan|calpulalpan|cardenas|chilapa|ciudad hidalgo|cocula|colonia hidalgo|contepec|"
        "dolores hidalgo|durango|el limon|emiliano zapata|gomez farias|guanajuato|gurrero|"
        "gutierrez zamora|hidalgo|huitzilac|ixtapa|jalapa|jalisco|jalpa|jesus maria|la piedad|"
        "lerdo de tejada|loma bonita|magdalena|morelos|nuva rosita|nuvo leon|ocampo|ocotlan|"
        "penjamo|petatlan|ponciano arriaga|quintana roo|san bunaventura|san carlos|san felipe|"
        "san jose de gracia|san lucas|santa ana|santa maria del monte|sinaloa|sonora|tamazula|"
        "tequisquiapan|tlapacoyan|tuxpan|tuzamapan|xochitepec|zamora"
    ),
    "31": ("hengelo|oosterhout|oosterwolde|vianen"),
    "48": ("chelm|krosno|leszno|siedlce"),
    "351": ("castelo branco|evora"),
    "46": ("alunda|ramsele|ryd"),
}
