"""Folded names of several places of a country, by calling code. Made by `scripts/make_lists_of_places.py`."""

from typing import Final

NAMES: Final = {
    "43": (
        "anger|au|berndorf|glanegg|gmund|haag|hirschegg|kaltenbach|kirchbach|lend|lichtenegg|"
        "preding|saint andra|saint pantaleon|see|steinfeld|unterweissenbach|uttendorf|wagrain|"
        "warth|wilfersdorf"
    ),
    "32": ("aalst|berchem|deurne"),
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
    "353": ("ballina|blackrock|newcastle"),
    "39": ("latina|massa|pero|rovereto|san marino|stradella|susa"),
    "81": (
        "ama|amagi|date|fuchu|fujioka|funabashi|honjo|ishikawa|izumi|kamikawa|kariya|kashima|"
        "kitakata|koga|komatsu|kumano|masuda|miyako|miyoshi|mizusawa|nakano|nakatsu|numata|"
        "omachi|ono|ota|oyama|ozu|sado|saga|sakai|shibetsu|shimada|shimoda|shingu|shinjo|"
        "takanosu|tanabe|tomioka|tsushima|yamagata|yokkaichi|yuzawa|三次|上川|下田|中津|中野|伊達|佐渡|"
        "佐賀|出水|刈谷|古河|和泉|喜多方|四日市|堺|士別|大洲|大町|大野|太田|宮古|富岡|寒河江|小山|小松|山形|島田|府中|新宮|新庄|"
        "本庄|水沢|沼田|津島|海士|湯沢|熊野|甘木|田辺|益田|石川|船橋|藤岡|鷹巣|鹿島"
    ),
    "52": (
        "actopan|benito juarez|calpulalpan|cardenas|chilapa|ciudad hidalgo|cocula|colonia hidalgo|"
        "contepec|cuauhtemoc|dolores hidalgo|durango|el limon|el salto|emiliano zapata|"
        "gomez farias|guadalupe|guanajuato|gurrero|gutierrez zamora|hidalgo|huitzilac|ixtapa|"
        "jalapa|jalisco|jalpa|jesus maria|juarez|la piedad|lerdo de tejada|loma bonita|magdalena|"
        "morelos|nuva rosita|nuvo leon|ocampo|ocotlan|penjamo|petatlan|ponciano arriaga|"
        "quintana roo|san bunaventura|san carlos|san felipe|san jose de gracia|san lucas|santa ana|"
        "santa maria del monte|sinaloa|sonora|tamazula|tequisquiapan|tlapacoyan|tuxpan|tuzamapan|"
        "xochitepec|zamora"
    ),
    "31": ("hengelo|oosterhout|oosterwolde|vianen"),
    "48": ("chelm|krosno|leszno|siedlce"),
    "351": ("castelo branco|evora|maia|seixal|valongo"),
    "46": ("alunda|ramsele|ryd"),
}
