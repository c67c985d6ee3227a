"""Municipalities by a prefix of their province, separated by `|`. Made by `scripts/make_lists_of_places.py`."""

from typing import Final

NAMES: Final = {
    "+3481": (
        "Ajalvir|Alcalá de Henares|Alcobendas|Alcorcón|Aldea del Fresno|Algete|Alpedrete|Aranjuez|"
        "Arroyomolinos|Batres|Becerril de la Sierra|Belmonte de Tajo|Boadilla del Monte|Brunete|"
        "Buitrago del Lozoya|Bustarviejo|Camarma de Esteruelas|Campo Real|Carabaña|Casarrubuelos|"
        "Cercedilla|Chapinería|Chinchón|Ciempozuelos|Cobeña|Collado Mediano|Collado Villalba|"
        "Colmenar Viejo|Colmenar de Oreja|Colmenar del Arroyo|Colmenarejo|Coslada|Daganzo de Arriba|"
        "El Escorial|El Molar|El Vellón|El Álamo|Estremera|Fresno de Torote|Fuenlabrada|"
        "Fuentidueña de Tajo|Galapagar|Getafe|Griñón|Guadalix de la Sierra|Guadarrama|"
        "Hoyo de Manzanares|Humanes de Madrid|La Cabrera|Las Rozas de Madrid|Leganés|Loeches|"
        "Los Molinos|Los Santos de la Humosa|Madrid|Majadahonda|Manzanares el Real|Meco|"
        "Mejorada del Campo|Miraflores de la Sierra|Moraleja de Enmedio|Moralzarzal|Morata de Tajuña|"
        "Móstoles|Navacerrada|Navalagamella|Navalcarnero|Navas del Rey|Nuevo Baztán|"
        "Paracuellos de Jarama|Parla|Pedrezuela|Pelayos de la Presa|Perales de Tajuña|Pinto|"
        "Pozuelo de Alarcón|Quijorna|Rascafría|Rivas-Vaciamadrid|Robledo de Chavela|"
        "San Agustín del Guadalix|San Fernando de Henares|San Lorenzo de El Escorial|"
        "San Martín de Valdeiglesias|San Martín de la Vega|San Sebastián de los Reyes|"
        "Serranillos del Valle|Sevilla la Nueva|Soto del Real|Talamanca de Jarama|Tielmes|"
        "Torrejón de Ardoz|Torrejón de Velasco|Torrejón de la Calzada|Torrelaguna|Torrelodones|"
        "Torres de la Alameda|Tres Cantos|Valdemorillo|Valdemoro|Valdetorres de Jarama|Valdilecha|"
        "Velilla de San Antonio|Venturada|Villa del Prado|Villaconejos|Villalbilla|Villamanta|"
        "Villanueva de la Cañada|Villanueva del Pardillo|Villar del Olmo|Villarejo de Salvanés|"
        "Villaviciosa de Odón|Zarzalejo"
    ),
    "+34820": (
        "Arenas de San Pedro|Arévalo|Avellaneda|Burgohondo|Candeleda|Casavieja|Cebreros|Chamartín|"
        "El Barco de Ávila|El Hoyo de Pinares|El Tiemblo|La Adrada|Las Navas del Marqués|"
        "Madrigal de las Altas Torres|Mombeltrán|Navalperal de Pinares|Navaluenga|Pedro Bernardo|"
        "Piedralaves|San Pascual|Solosancho|Sotillo de la Adrada|Ávila"
    ),
    "+34821": (
        "Ayllón|Cantalejo|Cantimpalos|Carbonero el Mayor|Coca|Cuéllar|La Lastrilla|"
        "Nava de la Asunción|Navalmanzano|Navas de Oro|Palazuelos de Eresma|Riaza|"
        "San Cristóbal de Segovia|Santa María la Real de Nieva|Segovia|Sepúlveda|Turégano|"
        "Villacastín"
    ),
    "+34822": (
        "Adeje|Agulo|Alajeró|Arafo|Arona|Barlovento|Breña Alta|Breña Baja|Buenavista del Norte|"
        "Candelaria|El Paso|Fasnia|Frontera|Fuencaliente de la Palma|Garachico|Garafía|"
        "Granadilla de Abona|Guía de Isora|Güímar|Hermigua|Icod de los Vinos|La Guancha|"
        "La Matanza de Acentejo|La Orotava|La Victoria de Acentejo|Los Llanos de Aridane|"
        "Los Realejos|Los Silos|Puerto de la Cruz|Puntagorda|Puntallana|San Juan de la Rambla|"
        "San Miguel de Abona|San Sebastián de la Gomera|Santa Cruz de Tenerife|Santa Cruz de la Palma|"
        "Santa Úrsula|Santiago del Teide|Tacoronte|Tazacorte|Tegueste|Tijarafe|Vallehermoso|"
        "Valverde"
    ),
    "+34823": (
        "Alba de Tormes|Aldeadávila de la Ribera|Arapiles|Buenavista|Béjar|Cabrerizos|"
        "Calvarrasa de Abajo|Candelario|Cantalapiedra|Cantalpino|Carbajosa de la Sagrada|"
        "Ciudad Rodrigo|Fuentes de Oñoro|Guijuelo|La Alberca|La Fuente de San Esteban|Ledesma|"
        "Linares de Riofrío|Lumbrales|Macotera|Peñaranda de Bracamonte|Salamanca|"
        "Santa Marta de Tormes|Terradillos|Villamayor|Villares de la Reina|Villarino de los Aires|"
        "Villavieja de Yeltes|Villoria|Vitigudino"
    ),
    "+34824": (
        "Aceuchal|Ahillones|Alange|Alburquerque|Alconchel|Almendral|Almendralejo|"
        "Arroyo de San Serván|Atalaya|Azuaga|Badajoz|Barcarrota|Berlanga|Bienvenida|"
        "Bodonal de la Sierra|Burguillos del Cerro|Cabeza del Buey|Cabeza la Vaca|Calamonte|"
        "Calera de León|Campanario|Campillo de Llerena|Casas de Don Pedro|Castilblanco|Castuera|"
        "Cheles|Cordobilla de Lácara|Corte de Peleas|Don Benito|Esparragalejo|Esparragosa de Lares|"
        "Esparragosa de la Serena|Feria|Fregenal de la Sierra|Fuenlabrada de los Montes|"
        "Fuente de Cantos|Fuente del Maestre|Fuentes de León|Granja de Torrehermosa|Guareña|"
        "Herrera del Duque|Higuera de Vargas|Higuera de la Serena|Higuera la Real|Hornachos|"
        "Jerez de los Caballeros|La Albuera|La Codosera|La Coronada|La Garrovilla|La Haba|La Parra|"
        "La Roca de la Sierra|Llerena|Lobón|Los Santos de Maimona|Maguilla|Medellín|"
        "Medina de las Torres|Mirandilla|Monesterio|Montemolín|Monterrubio de la Serena|Montijo|"
        "Mérida|Navalvillar de Pela|Oliva de Mérida|Oliva de la Frontera|Olivenza|Orellana la Vieja|"
        "Palomas|Peñalsordo|Puebla de Alcocer|Puebla de Obando|Puebla de Sancho Pérez|"
        "Puebla de la Calzada|Quintana de la Serena|Ribera del Fresno|Salvaleón|"
        "Salvatierra de los Barros|Santa Amalia|Santa Marta|Segura de León|Siruela|"
        "Solana de los Barros|Talarrubias|Talavera la Real|Torre de Miguel Sesmero|Trujillanos|"
        "Usagre|Valdecaballeros|Valdelacalzada|Valdetorres|Valencia del Ventoso|Valle de Santa Ana|"
        "Valle de la Serena|Valverde de Leganés|Valverde de Mérida|Villafranca de los Barros|"
        "Villagarcía de la Torre|Villagonzalo|Villalba de los Barros|Villanueva de la Serena|"
        "Villanueva del Fresno|Villar de Rena|Villar del Rey|Zafra|Zahínos|Zalamea de la Serena"
    ),
    "+34825": (
        "Ajofrín|Almorox|Argés|Añover de Tajo|Bargas|Belvís de la Jara|Borox|Burguillos de Toledo|"
        "Burujón|Cabañas de la Sagra|Calera y Chozas|Camarena|Camuñas|Carranque|"
        "Casarrubios del Monte|Castillo de Bayuela|Cazalegas|Cebolla|Cedillo del Condado|"
        "Chozas de Canales|Cobeja|Cobisa|Consuegra|Corral de Almaguer|Cuerva|Dosbarrios|"
        "El Carpio de Tajo|El Casar de Escalona|El Puente del Arzobispo|El Real de San Vicente|"
        "El Toboso|El Viso de San Juan|Escalona|Escalonilla|Esquivias|Fuensalida|Gerindote|"
        "Guadamur|Gálvez|Huerta de Valdecarábanos|Illescas|La Estrella|La Guardia|"
        "La Puebla de Almoradiel|La Puebla de Montalbán|La Pueblanueva|La Torre de Esteban Hambrán|"
        "Lagartera|Las Ventas de Retamosa|Lillo|Lominchar|Los Navalmorales|Los Navalucillos|"
        "Los Yébenes|Madridejos|Magán|Mazarambroz|Mejorada|Menasalbas|Miguel Esteban|Mocejón|"
        "Mora|Méntrida|Nambroca|Navahermosa|Navalcán|Noblejas|Numancia de la Sagra|Ocaña|"
        "Olías del Rey|Ontígola|Orgaz|Oropesa|Pantoja|Polán|Portillo de Toledo|Pulgar|Quero|"
        "Quintanar de la Orden|Quismondo|Recas|Santa Cruz de la Zarza|Santa Cruz del Retamar|"
        "Santa Olalla|Segurilla|Seseña|Sonseca|Talavera de la Reina|Tembleque|Toledo|Torrijos|"
        "Ugena|Urda|Valmojado|Velada|Villacañas|Villafranca de los Caballeros|"
        "Villanueva de Alcardete|Villarrubia de Santiago|Villaseca de la Sagra|Villatobas|Yeles|"
        "Yepes|Yuncler|Yuncos"
    ),
    "+34826": (
        "Abenójar|Albaladejo|Alcolea de Calatrava|Alcázar de San Juan|Aldea del Rey|Alhambra|"
        "Almadén|Almagro|Almodóvar del Campo|Arenas de San Juan|Argamasilla de Alba|"
        "Argamasilla de Calatrava|Bolaños de Calatrava|Brazatortas|Campo de Criptana|Carrizosa|"
        "Carrión de Calatrava|Castellar de Santiago|Ciudad Real|Corral de Calatrava|Cózar|Daimiel|"
        "El Robledo|Fuencaliente|Fuente el Fresno|Herencia|La Solana|Malagón|Manzanares|Membrilla|"
        "Miguelturra|Montiel|Moral de Calatrava|Pedro Muñoz|Piedrabuena|Poblete|Porzuna|"
        "Pozuelo de Calatrava|Puebla de Don Rodrigo|Puerto Lápice|Puertollano|San Carlos del Valle|"
        "Santa Cruz de Mudela|Socuéllamos|Terrinches|Tomelloso|Torralba de Calatrava|"
        "Torre de Juan Abad|Torrenueva|Valdepeñas|Villahermosa|Villamanrique|"
        "Villanueva de la Fuente|Villarrubia de los Ojos|Villarta de San Juan|Viso del Marqués"
    ),
    "+34827": (
        "Ahigal|Alcuéscar|Alcántara|Aldeanueva de la Vera|Aliseda|Almaraz|Almoharín|Alía|"
        "Arroyo de la Luz|Arroyomolinos|Brozas|Cabezuela del Valle|Caminomorisco|Carcaboso|"
        "Casar de Cáceres|Casar de Palomero|Casatejada|Castañar de Ibor|Cañamero|Cañaveral|"
        "Ceclavín|Cilleros|Coria|Cáceres|Eljas|Galisteo|Garganta la Olla|Gata|Guadalupe|"
        "Guijo de Galisteo|Hervás|Jarandilla de la Vera|Jaraíz de la Vera|Jerte|La Pesga|Logrosán|"
        "Losar de la Vera|Madrigal de la Vera|Madrigalejo|Madroñera|Majadas|Malpartida de Cáceres|"
        "Malpartida de Plasencia|Miajadas|Montehermoso|Montánchez|Moraleja|Navaconcejo|"
        "Navalmoral de la Mata|Navas del Madroño|Nuñomoral|Peraleda de la Mata|Pinofranqueado|"
        "Piornal|Plasencia|Riolobos|Rosalejo|Serradilla|Sierra de Fuentes|Talayuela|Tornavacas|"
        "Torrecillas de la Tiesa|Torrejoncillo|Torremocha|Torreorgaz|Trujillo|Valdefuentes|"
        "Valencia de Alcántara|Valverde del Fresno|Villanueva de la Vera|Zarza de Granadilla|"
        "Zarza la Mayor|Zorita"
    ),
    "+34828": (
        "Agaete|Agüimes|Antigua|Arrecife|Artenara|Arucas|Firgas|Gáldar|Haría|Ingenio|La Oliva|"
        "Las Palmas de Gran Canaria|Mogán|Moya|Puerto del Rosario|Pájara|San Bartolomé|"
        "San Bartolomé de Tirajana|Santa Brígida|Teguise|Tejeda|Telde|Teror|Tinajo|Tuineje|Tías|"
        "Valleseco|Valsequillo de Gran Canaria|Vega de San Mateo|Yaiza"
    ),
    "+3483": (
        "Abrera|Aiguafreda|Alella|Arenys de Mar|Arenys de Munt|Argentona|Artés|Avinyó|Badalona|"
        "Bagà|Balsareny|Barberà del Vallès|Barcelona|Begues|Berga|Cabrera de Mar|Cabrils|Calaf|"
        "Caldes de Montbui|Calella|Canet de Mar|Canovelles|Canyelles|Capellades|Cardedeu|Cardona|"
        "Castellar del Vallès|Castellbisbal|Castelldefels|Castellví de Rosanes|Centelles|"
        "Cerdanyola del Vallès|Cervelló|Collbató|Corbera de Llobregat|Cornellà de Llobregat|"
        "Cubelles|Cànoves i Samalús|Dosrius|El Masnou|El Prat de Llobregat|Esparreguera|"
        "Esplugues de Llobregat|Fonollosa|Gavà|Gelida|Gironella|Granollers|Gurb|Igualada|"
        "L'Ametlla del Vallès|L'Esquirol|L'Hospitalet de Llobregat|La Garriga|La Granada|"
        "La Llagosta|La Pobla de Claramunt|La Roca del Vallès|Lliçà d'Amunt|Malgrat de Mar|Malla|"
        "Manlleu|Manresa|Martorell|Masquefa|Matadepera|Mataró|Mediona|Moià|Molins de Rei|"
        "Mollet del Vallès|Monistrol de Montserrat|Montcada i Reixac|Montgat|Montmeló|"
        "Montornès del Vallès|Navarcles|Navàs|Olesa de Bonesvalls|Olesa de Montserrat|Olivella|"
        "Olost|Pallejà|Parets del Vallès|Piera|Pineda de Mar|Polinyà|Premià de Dalt|Premià de Mar|"
        "Ripollet|Rubí|Sabadell|Sallent|Sant Adrià de Besòs|Sant Andreu de Llavaneres|"
        "Sant Andreu de la Barca|Sant Boi de Llobregat|Sant Celoni|Sant Cugat del Vallès|"
        "Sant Feliu de Llobregat|Sant Joan Despí|Sant Joan de Vilatorrada|Sant Julià de Cerdanyola|"
        "Sant Just Desvern|Sant Martí Sarroca|Sant Pere de Ribes|Sant Pere de Riudebitlles|"
        "Sant Pol de Mar|Sant Quirze del Vallès|Sant Sadurní d'Anoia|Sant Salvador de Guardiola|"
        "Sant Vicenç de Castellet|Sant Vicenç de Montalt|Sant Vicenç dels Horts|"
        "Santa Coloma de Cervelló|Santa Coloma de Gramenet|Santa Eugènia de Berga|"
        "Santa Eulàlia de Ronçana|Santa Maria d'Oló|Santa Maria de Palautordera|"
        "Santa Perpètua de Mogoda|Santa Susanna|Sentmenat|Seva|Sitges|Subirats|Súria|Taradell|"
        "Teià|Terrassa|Tiana|Tona|Tordera|Torelló|Torrelles de Llobregat|Ullastrell|Vallgorguina|"
        "Vallirana|Vic|Viladecans|Vilafranca del Penedès|Vilanova del Camí|Vilanova i la Geltrú|"
        "Vilassar de Mar|Òdena"
    ),
    "+34841": (
        "Albelda de Iregua|Alberite|Aldeanueva de Ebro|Alfaro|Arnedo|Autol|Baños de Río Tobía|"
        "Calahorra|Casalarreina|Cenicero|Cervera del Río Alhama|Entrena|Ezcaray|Fuenmayor|Haro|"
        "Lardero|Logroño|Murillo de Río Leza|Nájera|Pradejón|Quel|Rincón de Soto|San Asensio|"
        "San Vicente de la Sonsierra|Santo Domingo de la Calzada|Villamediana de Iregua"
    ),
    "+34842": (
        "Ampuero|Arenas de Iguña|Argoños|Bareyo|Bárcena de Cicero|Cabezón de la Sal|Camargo|"
        "Cartes|Castro-Urdiales|Cieza|Colindres|Comillas|El Astillero|Hazas de Cesto|Laredo|"
        "Limpias|Los Corrales de Buelna|Miengo|Molledo|Noja|Penagos|Polanco|Potes|Puente Viesgo|"
        "Ramales de la Victoria|Reinosa|Reocín|Ruesga|San Vicente de la Barquera|"
        "Santa Cruz de Bezana|Santa María de Cayón|Santander|Santiurde de Toranzo|Santoña|Selaya|"
        "Solórzano|Suances|Torrelavega|Villacarriedo|Villaescusa|Villafufre"
    ),
    "+34843": (
        "Andoain|Aretxabaleta|Arrasate/Mondragón|Asteasu|Astigarraga|Ataun|Azkoitia|Azpeitia|"
        "Beasain|Bergara|Deba|Donostia/San Sebastián|Eibar|Elgoibar|Errenteria|Eskoriatza|"
        "Getaria|Hernani|Hondarribia|Idiazabal|Irun|Irura|Legazpi|Legorreta|Lezo|Mendaro|"
        "Mutriku|Orio|Oñati|Pasaia|Segura|Tolosa|Urnieta|Usurbil|Villabona|Zarautz|Zumaia|"
        "Zumarraga"
    ),
    "+34844": (
        "Arrigorriaga|Balmaseda|Barakaldo|Basauri|Berango|Bermeo|Berriatua|Berriz|Bilbao|Derio|"
        "Durango|Ea|Elorrio|Erandio|Ermua|Forua|Galdakao|Gatika|Gernika-Lumo|Getxo|Güeñes|"
        "Leioa|Lekeitio|Lezama|Mundaka|Mungia|Ondarroa|Ortuella|Portugalete|Santurtzi|Sestao|"
        "Sopela|Sopuerta|Urduña/Orduña|Zalla|Zamudio|Zaratamo|Zeanuri|Zierbena"
    ),
    "+34845": ("Agurain/Salvatierra|Amurrio|Laguardia|Laudio/Llodio"),
    "+34847": (
        "Aranda de Duero|Arcos|Belorado|Briviesca|Burgos|Espinosa de los Monteros|Ibeas de Juarros|"
        "Lerma|Medina de Pomar|Melgar de Fernamental|Miranda de Ebro|Oña|Pradoluengo|"
        "Quintanar de la Sierra|Roa|Salas de los Infantes|Sasamón|Trespaderne|Villadiego|"
        "Villagonzalo Pedernales"
    ),
    "+34848": (
        "Allo|Altsasu/Alsasua|Andosilla|Aoiz/Agoitz|Arce/Artzi|Arguedas|Arróniz|Artajona|"
        "Ayegui/Aiegi|Azagra|Barañáin/Barañain|Bera|Beriáin|Berrioplano/Berriobeiti|Berriozar|"
        "Burlada/Burlata|Buñuel|Cadreita|Caparroso|Carcastillo|Castejón|Cintruénigo|Corella|"
        "Cárcar|Cáseda|Doneztebe/Santesteban|Estella-Lizarra|Falces|Fitero|Funes|Fustiñana|Galar|"
        "Huarte/Uharte|Larraga|Lerín|Lesaka|Lodosa|Los Arcos|Lumbier|Marcilla|Mendavia|"
        "Mendigorria|Milagro|Murchante|Olazti/Olazagutía|Olite/Erriberri|Orkoien|Pamplona/Iruña|"
        "Peralta/Azkoien|Puente la Reina/Gares|Ribaforada|Sada|San Adrián|Sangüesa/Zangoza|"
        "Santacara|Sartaguda|Sesma|Tafalla|Tudela|Valtierra|Villafranca|Villatuerta|"
        "Villava/Atarrabia|Zizur Mayor/Zizur Nagusia"
    ),
    "+34849": (
        "Alovera|Azuqueca de Henares|Brihuega|Cabanillas del Campo|Chiloeches|Cifuentes|El Casar|"
        "Fontanar|Guadalajara|Horche|Humanes|Jadraque|Marchamalo|Molina de Aragón|Mondéjar|"
        "Pastrana|Quer|Sacedón|Sigüenza|Torrejón del Rey|Trijueque|Trillo|Uceda|"
        "Villanueva de la Torre|Yunquera de Henares"
    ),
    "+34850": (
        "Abla|Abrucena|Adra|Albox|Alcolea|Alhama de Almería|Almería|Antas|Arboleas|Benahadux|"
        "Berja|Canjáyar|Cantoria|Carboneras|Chirivel|Cuevas del Almanzora|Dalías|El Ejido|Fines|"
        "Fiñana|Garrucha|Gádor|Gérgal|Huércal de Almería|Huércal-Overa|La Mojonera|"
        "Laujar de Andarax|Lubrín|Macael|María|Mojácar|Níjar|Olula del Río|Oria|Pulpí|Purchena|"
        "Rioja|Roquetas de Mar|Serón|Sorbas|Tabernas|Turre|Tíjola|Vera|Viator|Vélez-Blanco|"
        "Vélez-Rubio|Vícar|Zurgena"
    ),
    "+34851": (
        "Alameda|Alcaucín|Alfarnate|Algarrobo|Alhaurín de la Torre|Alhaurín el Grande|Almargen|"
        "Almogía|Almáchar|Alozaina|Antequera|Archidona|Ardales|Arenas|Arriate|Benahavís|"
        "Benalmádena|Benamargosa|Benamocarra|Benaoján|Campillos|Canillas de Aceituno|Casabermeja|"
        "Casarabonela|Casares|Cañete la Real|Colmenar|Comares|Cortes de la Frontera|Coín|"
        "Cuevas Bajas|Cuevas de San Marcos|Cuevas del Becerro|Cártama|Cómpeta|Estepona|Frigiliana|"
        "Fuengirola|Fuente de Piedra|Gaucín|Guaro|Humilladero|Igualeja|Istán|Manilva|Marbella|"
        "Mijas|Moclinejo|Mollina|Monda|Málaga|Nerja|Ojén|Periana|Pizarra|Rincón de la Victoria|"
        "Riogordo|Ronda|Sayalonga|Sierra de Yeguas|Teba|Tolox|Torremolinos|Torrox|"
        "Villanueva de Algaidas|Villanueva de Tapia|Villanueva del Rosario|Villanueva del Trabuco|"
        "Viñuela|Vélez-Málaga|Yunquera|Álora"
    ),
    "+34853": (
        "Alcalá la Real|Alcaudete|Andújar|Arjona|Arjonilla|Arquillos|Arroyo del Ojanco|Baeza|"
        "Bailén|Baños de la Encina|Beas de Segura|Begíjar|Bélmez de la Moraleda|"
        "Cabra del Santo Cristo|Cambil|Campillo de Arenas|Canena|Castillo de Locubín|Cazorla|"
        "Chiclana de Segura|Chilluévar|Frailes|Fuensanta de Martos|Fuerte del Rey|Guarromán|Huelma|"
        "Huesa|Ibros|Iznatoraf|Jabalquinto|Jamilena|Jaén|Jimena|Jódar|La Carolina|"
        "La Guardia de Jaén|La Iruela|La Puerta de Segura|Linares|Lopera|Los Villares|Lupión|"
        "Mancha Real|Marmolejo|Martos|Mengíbar|Montizón|Navas de San Juan|Noalejo|Orcera|"
        "Peal de Becerro|Pegalajar|Porcuna|Pozo Alcón|Puente de Génave|Quesada|Rus|Sabiote|"
        "Santisteban del Puerto|Santo Tomé|Segura de la Sierra|Sorihuela del Guadalimar|"
        "Torreblascopedro|Torredonjimeno|Torreperogil|Torres|Valdepeñas de Jaén|Vilches|"
        "Villacarrillo|Villanueva de la Reina|Villanueva del Arzobispo|Villardompardo|Úbeda"
    ),
    "+34854": (
        "Aguadulce|Albaida del Aljarafe|Alcalá de Guadaíra|Alcalá del Río|Alcolea del Río|Algámitas|"
        "Almensilla|Aznalcázar|Aznalcóllar|Badolatosa|Benacazón|Bollullos de la Mitación|Bormujos|"
        "Brenes|Burguillos|Camas|Cantillana|Carmona|Carrión de los Céspedes|Casariche|"
        "Castilblanco de los Arroyos|Castilleja de Guzmán|Castilleja de la Cuesta|Cañada Rosal|"
        "Constantina|Coria del Río|Coripe|Dos Hermanas|El Castillo de las Guardas|El Coronil|"
        "El Ronquillo|El Rubio|El Saucejo|El Viso del Alcor|Espartinas|Estepa|Fuentes de Andalucía|"
        "Gelves|Gerena|Gilena|Gines|Guillena|Herrera|Huévar del Aljarafe|La Algaba|La Campana|"
        "La Luisiana|La Puebla de Cazalla|La Puebla de los Infantes|La Puebla del Río|La Rinconada|"
        "La Roda de Andalucía|Las Cabezas de San Juan|Lebrija|Lora del Río|Los Corrales|Los Molares|"
        "Los Palacios y Villafranca|Mairena del Alcor|Mairena del Aljarafe|Marchena|Marinaleda|"
        "Martín de la Jara|Montellano|Morón de la Frontera|Olivares|Osuna|Palomares del Río|"
        "Paradas|Pedrera|Peñaflor|Pilas|Pruna|Salteras|San Juan de Aznalfarache|Sanlúcar la Mayor|"
        "Santiponce|Sevilla|Tocina|Tomares|Umbrete|Utrera|Valencina de la Concepción|"
        "Villamanrique de la Condesa|Villanueva de San Juan|Villanueva del Ariscal|"
        "Villanueva del Río y Minas|Villaverde del Río|Écija"
    ),
    "+34856": (
        "Alcalá de los Gazules|Alcalá del Valle|Algar|Algeciras|Algodonales|Arcos de la Frontera|"
        "Barbate|Benalup-Casas Viejas|Bornos|Castellar de la Frontera|Chiclana de la Frontera|"
        "Chipiona|Conil de la Frontera|Cádiz|El Bosque|El Gastor|El Puerto de Santa María|Espera|"
        "Grazalema|Jerez de la Frontera|Jimena de la Frontera|La Línea de la Concepción|Los Barrios|"
        "Medina Sidonia|Olvera|Paterna de Rivera|Prado del Rey|Puerto Real|Puerto Serrano|Rota|"
        "San Fernando|San Roque|Sanlúcar de Barrameda|Setenil de las Bodegas|Tarifa|Trebujena|"
        "Ubrique|Vejer de la Frontera|Villamartín|Zahara"
    ),
    "+34857": (
        "Adamuz|Alcaracejos|Almedinilla|Almodóvar del Río|Añora|Baena|Belalcázar|Belmez|Benamejí|"
        "Bujalance|Cabra|Carcabuey|Cardeña|Castro del Río|Cañete de las Torres|Córdoba|Dos Torres|"
        "Doña Mencía|El Carpio|El Viso|Encinas Reales|Espejo|Espiel|Fernán-Núñez|Fuente Obejuna|"
        "Fuente Palmera|Guadalcázar|Hinojosa del Duque|Hornachuelos|Iznájar|La Carlota|La Rambla|"
        "La Victoria|Lucena|Luque|Montalbán de Córdoba|Montemayor|Montilla|Montoro|Monturque|"
        "Nueva Carteya|Obejo|Palenciana|Palma del Río|Pedro Abad|Pedroche|Peñarroya-Pueblonuevo|"
        "Posadas|Pozoblanco|Priego de Córdoba|Puente Genil|Rute|Santa Eufemia|Santaella|"
        "Torrecampo|Valenzuela|Villa del Río|Villafranca de Córdoba|Villanueva de Córdoba|"
        "Villanueva del Duque|Villaralto|Villaviciosa de Córdoba"
    ),
    "+34858": (
        "Albolote|Albuñol|Albuñuelas|Alfacar|Algarinejo|Alhama de Granada|Alhendín|Almuñécar|"
        "Arenas del Rey|Armilla|Atarfe|Baza|Beas de Granada|Benalúa de las Villas|Benamaurel|"
        "Campotéjar|Caniles|Castilléjar|Castril|Cenes de la Vega|Chauchina|Chimeneas|"
        "Churriana de la Vega|Cijuela|Colomera|Cortes de Baza|Cuevas del Campo|Cádiar|Cájar|"
        "Cúllar|Cúllar Vega|Darro|Deifontes|Dílar|Dúrcal|Fonelas|Freila|Fuente Vaqueros|Galera|"
        "Gor|Granada|Guadahortuna|Guadix|Gualchos|Gójar|Güevéjar|Güéjar Sierra|Huéneja|Huéscar|"
        "Huétor Tájar|Huétor Vega|Iznalloz|Jayena|Jérez del Marquesado|Lanjarón|Las Gabias|Loja|"
        "Láchar|Maracena|Moclín|Molvízar|Monachil|Montefrío|Montejícar|Montillana|"
        "Moraleda de Zafayona|Motril|Ogíjares|Orce|Otívar|Padul|Pedro Martínez|Peligros|"
        "Pinos Genil|Pinos Puente|Polopos|Pulianas|Purullena|Píñar|Quéntar|Salar|Salobreña|"
        "Torre-Cardela|Ugíjar|Vélez de Benaudalla|Zafarraya|Zagra|Zújar|Íllora|Ítrabo|Órgiva"
    ),
    "+34859": (
        "Aljaraque|Almonte|Alosno|Aracena|Aroche|Ayamonte|Beas|Bollullos Par del Condado|Bonares|"
        "Calañas|Cartaya|Chucena|El Cerro de Andévalo|Escacena del Campo|Gibraleón|Hinojos|Huelva|"
        "Isla Cristina|Jabugo|La Palma del Condado|Lepe|Lucena del Puerto|Manzanilla|Moguer|Nerva|"
        "Niebla|Palos de la Frontera|Paterna del Campo|Paymogo|Puebla de Guzmán|Punta Umbría|"
        "Rosal de la Frontera|San Bartolomé de la Torre|San Juan del Puerto|Trigueros|"
        "Valverde del Camino|Villablanca|Villalba del Alcor|Villarrasa|Zalamea la Real"
    ),
    "+34860": (
        "Ademuz|Ador|Agullent|Aielo de Malferit|Alaquàs|Albaida|Albal|Albalat de la Ribera|"
        "Albalat dels Sorells|Alberic|Alboraia/Alboraya|Albuixech|Alcàntera de Xúquer|Alcàsser|"
        "Aldaia|Alfafar|Alfara del Patriarca|Alfarrasí|Algemesí|Alginet|Almoines|Almussafes|"
        "Alzira|Anna|Antella|Atzeneta d'Albaida|Ayora|Barx|Barxeta|Bellreguard|Benaguasil|"
        "Benetússer|Beniarjó|Benifairó de les Valls|Benifaió|Benigànim|Benimodo|Beniparrell|"
        "Benirredrà|Bocairent|Bolbaite|Burjassot|Buñol|Bétera|Camporrobles|Canals|"
        "Canet d'En Berenguer|Carcaixent|Carlet|Casinos|Castelló de Rugat|Catadau|Catarroja|"
        "Chella|Chelva|Cheste|Chiva|Corbera|Cullera|Càrcer|Daimús|Enguera|Estivella|Faura|"
        "Favara|Foios|Fortaleny|Gandia|Gavarda|Gilet|Godella|Godelleta|Guadassuar|"
        "Llanera de Ranes|Llaurí|Llombai|Llutxent|Llíria|Loriguilla|Macastre|Manises|Manuel|"
        "Marines|Massamagrell|Meliana|Miramar|Mislata|Moixent/Mogente|Montcada/Moncada|Montesa|"
        "Montroi/Montroy|Museros|Navarrés|Nàquera/Náquera|Oliva|Olocau|Ontinyent|Paiporta|"
        "Palma de Gandía|Paterna|Pedralba|Picanya|Picassent|Piles|Polinyà de Xúquer|Puçol|"
        "Quart de Poblet|Quartell|Quatretonda|Rafelcofer|Rafelguaraf|Requena|Riola|Rocafort|"
        "Ròtova|Sagunt/Sagunto|Sedaví|Senyera|Serra|Siete Aguas|Silla|Simat de la Valldigna|"
        "Sinarcas|Sollana|Sueca|Sumacàrcer|Tavernes Blanques|Tavernes de la Valldigna|Torrent|"
        "Tous|Turís|Tuéjar|Utiel|Vallada|València|Venta del Moro|Vilallonga/Villalonga|"
        "Vilamarxant|Villar del Arzobispo|Vinalesa|Xeraco|Xeresa|Xirivella|Xàtiva|Yátova|"
        "l'Alcúdia|l'Alcúdia de Crespins|l'Alqueria de la Comtessa|l'Eliana|l'Olleria|"
        "la Font de la Figuera|la Pobla Llarga|la Pobla de Farnals|la Pobla de Vallbona"
    ),
    "+34864": (
        "Albocàsser|Alcalà de Xivert|Almassora|Almenara|Altura|Artana|Benassal|Benicarló|"
        "Benicàssim/Benicasim|Betxí|Borriana/Burriana|Borriol|Cabanes|"
        "Castelló de la Plana/Castellón de la Plana|Chilches/Xilxes|Càlig|El Toro|Jérica|"
        "Lucena del Cid|Moncofa|Morella|Nules|Onda|Orpesa/Oropesa del Mar|Peníscola/Peñíscola|"
        "Ribesalbes|Sant Jordi/San Jorge|Segorbe|Sierra Engarcerán|Soneja|Torreblanca|Traiguera|"
        "Vila-real|Vilafranca/Villafranca del Cid|Vinaròs|Viver|l'Alcora|"
        "les Alqueries/Alquerías del Niño Perdido"
    ),
    "+34865": (
        "Agost|Alacant/Alicante|Albatera|Alcalalí|Alcoi/Alcoy|Algorfa|Algueña|Almoradí|Altea|"
        "Aspe|Beneixama|Benejúzar|Benferri|Beniarbeig|Beniarrés|Benidoleig|Benidorm|Benijófar|"
        "Benissa|Biar|Bigastro|Busot|Callosa de Segura|Calp|Castalla|Catral|Cocentaina|Cox|"
        "Daya Nueva|Dolores|Dénia|Elda|Elx/Elche|Finestrat|Gata de Gorgos|Granja de Rocamora|"
        "Guardamar del Segura|Hondón de los Frailes|Ibi|Jacarilla|Los Montesinos|Monforte del Cid|"
        "Monòver/Monóvar|Mutxamel|Novelda|Ondara|Onil|Orba|Orihuela|Pedreguer|Pego|"
        "Pilar de la Horadada|Polop|Rafal|Redován|Rojales|Salinas|San Isidro|"
        "San Miguel de Salinas|Sant Joan d'Alacant|Santa Pola|Sax|Teulada|Tibi|Torrevieja|Villena|"
        "Xixona/Jijona|Xàbia/Jávea|el Campello|el Fondó de les Neus/Hondón de las Nieves|"
        "el Pinós/Pinoso|el Poble Nou de Benitatxell/Benitachell|els Poblets|l'Alfàs del Pi|la Nucia|"
        "la Romana|la Vila Joiosa/Villajoyosa"
    ),
    "+34867": (
        "Albacete|Alcalá del Júcar|Alcaraz|Almansa|Alpera|Balazote|Barrax|Bogarra|Bonete|"
        "Casas de Juan Núñez|Casas-Ibáñez|Caudete|Cenizate|Chinchilla de Monte-Aragón|El Bonillo|"
        "Elche de la Sierra|Fuente-Álamo|Fuentealbilla|Hellín|Higueruela|La Gineta|La Roda|Letur|"
        "Lezuza|Liétor|Madrigueras|Mahora|Minaya|Molinicos|Montealegre del Castillo|Munera|"
        "Nerpio|Ontur|Ossa de Montiel|Peñas de San Pedro|Pozo Cañada|Pozohondo|Riópar|San Pedro|"
        "Socovos|Tarazona de la Mancha|Tobarra|Valdeganga|Villamalea|Villarrobledo|Yeste"
    ),
    "+34868": (
        "Abanilla|Abarán|Albudeite|Alcantarilla|Aledo|Alguazas|Alhama de Murcia|Archena|Beniel|"
        "Blanca|Bullas|Calasparra|Campos del Río|Cartagena|Cehegín|Ceutí|Cieza|Fortuna|"
        "Fuente Álamo de Murcia|Jumilla|La Unión|Las Torres de Cotillas|Librilla|Lorca|Lorquí|"
        "Los Alcázares|Mazarrón|Molina de Segura|Moratalla|Mula|Murcia|Pliego|Puerto Lumbreras|"
        "Ricote|San Javier|San Pedro del Pinatar|Santomera|Torre-Pacheco|Totana|Yecla|Águilas"
    ),
    "+34869": (
        "Belmonte|Campillo de Altobuey|Casas de Benítez|Casas de Fernando Alonso|Casasimarro|"
        "Castejón|Cuenca|El Pedernoso|El Provencio|Fuente de Pedro Naharro|Honrubia|"
        "Horcajo de Santiago|Huete|Iniesta|La Alberca de Záncara|Landete|Las Mesas|Las Pedroñeras|"
        "Ledaña|Los Hinojosos|Minglanilla|Mira|Mota del Cuervo|Motilla del Palancar|Moya|Priego|"
        "Quintanar del Rey|San Clemente|San Lorenzo de la Parrilla|Sisante|Tarancón|"
        "Valverde de Júcar|Villalpardo|Villamayor de Santiago|Villanueva de la Jara|Villar de Olalla"
    ),
    "+34871": (
        "Alaior|Alaró|Alcúdia|Algaida|Andratx|Artà|Binissalem|Bunyola|Búger|Calvià|Campanet|"
        "Campos|Capdepera|Consell|Costitx|Es Castell|Esporles|Felanitx|Ferreries|Inca|"
        "Lloret de Vistalegre|Lloseta|Llubí|Llucmajor|Manacor|Maria de la Salut|Marratxí|Maó|"
        "Montuïri|Muro|Palma|Petra|Pollença|Porreres|Puigpunyent|Sa Pobla|"
        "Sant Antoni de Portmany|Sant Joan de Labritja|Sant Josep de sa Talaia|Sant Lluís|"
        "Santa Eugènia|Santa Eulària des Riu|Santa Margalida|Santa María del Camí|Santanyí|Selva|"
        "Sencelles|Ses Salines|Sineu|Son Servera|Sóller|Valldemossa|Vilafranca de Bonany"
    ),
    "+34872": (
        "Anglès|Banyoles|Begur|Besalú|Bescanó|Blanes|Bordils|Breda|Cabanes|Cadaqués|"
        "Campdevànol|Camprodon|Cassà de la Selva|Castelló d'Empúries|Celrà|Figueres|"
        "Fornells de la Selva|Girona|Hostalric|L'Escala|La Bisbal d'Empordà|Les Planes d'Hostoles|"
        "Llagostera|Llançà|Llers|Lloret de Mar|Llívia|Mieres|Olot|Palafrugell|Palamós|Pals|"
        "Portbou|Puigcerdà|Ribes de Freser|Ripoll|Riudellots de la Selva|Roses|Salt|"
        "Sant Feliu de Guíxols|Sant Joan de les Abadesses|Sant Joan les Fonts|Santa Coloma de Farners|"
        "Santa Cristina d'Aro|Santa Pau|Sarrià de Ter|Sils|Torrent|Torroella de Montgrí|"
        "Tossa de Mar|Verges|Vilablareix|Viladrau|Vilafant|Vilajuïga"
    ),
    "+34873": (
        "Agramunt|Aitona|Albesa|Alcarràs|Alcoletge|Alfarràs|Alguaire|Almacelles|Almenar|Alpicat|"
        "Alàs i Cerc|Anglesola|Arbeca|Artesa de Segre|Balaguer|Bellcaire d'Urgell|Bellpuig|"
        "Bellver de Cerdanya|Bellvís|Castellserà|Cervera|Corbins|El Pont de Suert|Golmés|Guissona|"
        "Juneda|La Fuliola|La Seu d'Urgell|Linyola|Miralcamp|Mollerussa|Oliana|Ponts|Rosselló|"
        "Seròs|Solsona|Sort|Soses|Torrefarrera|Torres de Segre|Tremp|Tàrrega|Térmens|"
        "Vallfogona de Balaguer|Verdú|Vilanova de Bellpuig"
    ),
    "+34874": (
        "Albalate de Cinca|Alcolea de Cinca|Almudévar|Ayerbe|Ballobar|Barbastro|Belver de Cinca|"
        "Benasque|Binaced|Binéfar|Fonz|Fraga|Graus|Grañén|Gurrea de Gállego|Huesca|Jaca|Lanaja|"
        "Monzón|Sabiñánigo|Sallent de Gállego|Sariñena|Tardienta|Zaidín"
    ),
    "+34875": (
        "Almazán|Arcos de Jalón|Berlanga de Duero|Covaleda|Duruelo de la Sierra|Golmayo|"
        "San Esteban de Gormaz|San Leonardo de Yagüe|Soria|Vinuesa|Ágreda|Ólvega"
    ),
    "+34876": (
        "Ainzón|Alagón|Alfajarín|Alfamén|Alhama de Aragón|Ariza|Ateca|Belchite|Biota|Boquiñeni|"
        "Borja|Brea de Aragón|Cadrete|Calatayud|Calatorao|Cariñena|Caspe|Cuarte de Huerva|Daroca|"
        "Ejea de los Caballeros|El Burgo de Ebro|Escatrón|Fabara|Figueruelas|Fuentes de Ebro|"
        "Gallur|Gelsa|Illueca|La Almunia de Doña Godina|La Muela|Leciñena|Luceni|Maella|Magallón|"
        "Mallén|Maluenda|María de Huerva|Morata de Jalón|Muel|Nonaspe|Pedrola|Pina de Ebro|"
        "Pinseque|Quinto|Remolinos|Ricla|San Mateo de Gállego|Sádaba|Sástago|Tarazona|Tauste|"
        "Torres de Berrellén|Utebo|Villamayor de Gállego|Villanueva de Gállego|Zaragoza|Zuera|Épila"
    ),
    "+34877": (
        "Alcanar|Alcover|Alforja|Almoster|Altafulla|Amposta|Ascó|Batea|Calafell|Cambrils|"
        "Constantí|Creixell|Cunit|Deltebre|El Molar|El Perelló|El Pla de Santa Maria|El Vendrell|"
        "Els Pallaresos|Falset|Flix|Gandesa|L'Ampolla|La Canonja|La Pobla de Mafumet|La Secuita|"
        "La Selva del Camp|Les Borges del Camp|Masdenverge|Mont-roig del Camp|Montblanc|Móra d'Ebre|"
        "Reus|Riudecols|Riudoms|Salou|Santa Bàrbara|Santa Oliva|Tarragona|Torredembarra|Tortosa|"
        "Ulldecona|Vallmoll|Valls|Vila-seca"
    ),
    "+34878": (
        "Albalate del Arzobispo|Albarracín|Alcañiz|Alcorisa|Andorra|Calaceite|Calamocha|Calanda|"
        "Cella|El Cuervo|Escucha|Fonfría|Híjar|Mas de las Matas|Monreal del Campo|Montalbán|"
        "Mora de Rubielos|Santa Eulalia|Sarrión|Teruel|Utrillas|Valderrobres"
    ),
    "+34879": (
        "Aguilar de Campoo|Alar del Rey|Astudillo|Baltanás|Barruelo de Santullán|Becerril de Campos|"
        "Carrión de los Condes|Cervera de Pisuerga|Dueñas|Grijota|Guardo|Herrera de Pisuerga|"
        "Palencia|Paredes de Nava|Saldaña|Santibáñez de la Peña|Torquemada|Velilla del Río Carrión|"
        "Venta de Baños|Villada|Villamuriel de Cerrato"
    ),
    "+34880": (
        "Alcañices|Benavente|Bermillo de Sayago|Coreses|Fermoselle|Fonfría|Fuentesaúco|Galende|"
        "Moraleja del Vino|Morales de Toro|Morales del Vino|Puebla de Sanabria|Riofrío de Aliste|"
        "San Cristóbal de Entreviñas|Santa Cristina de la Polvorosa|Santibáñez de Vidriales|Toro|"
        "Villaescusa|Villalpando|Villanueva del Campo|Villaralbo|Zamora"
    ),
    "+34881": (
        "A Baña|A Coruña|A Pobra do Caramiñal|Abegondo|Aranga|Ares|Arteixo|Arzúa|"
        "As Pontes de García Rodríguez|Bergondo|Betanzos|Boimorto|Boiro|Camariñas|Cambre|Carballo|"
        "Cariño|Carnota|Carral|Cedeira|Cee|Cerceda|Cerdido|Coirós|Corcubión|Coristanco|"
        "Culleredo|Dumbría|Fene|Ferrol|Fisterra|Laxe|Lousame|Mazaricos|Mesía|Miño|Moeche|"
        "Monfero|Mugardos|Muros|Narón|Negreira|Oleiros|Ordes|Oroso|Outes|Padrón|Porto do Son|"
        "Rianxo|Ribeira|Sada|Santa Comba|Santiago de Compostela|Sobrado|Teo|Touro|Trazo|"
        "Valdoviño|Vedra|Vilasantar"
    ),
    "+34882": (
        "A Pobra do Brollón|Abadín|Baralla|Becerreá|Begonte|Castro de Rei|Castroverde|Cervo|"
        "Chantada|Foz|Friol|Guitiriz|Lugo|Láncara|Meira|Mondoñedo|Monforte de Lemos|Monterroso|"
        "Navia de Suarna|O Incio|O Páramo|Ourol|Outeiro de Rei|Pantón|Paradela|Quiroga|Ribadeo|"
        "Riotorto|Rábade|Samos|Sarria|Sober|Taboada|Trabada|Vilalba|Viveiro"
    ),
    "+34883": (
        "Alaejos|Aldeamayor de San Martín|Arroyo de la Encomienda|Boecillo|Campaspero|Castronuño|"
        "Cigales|Cistérniga|Fresno el Viejo|Fuensaldaña|La Pedraja de Portillo|La Seca|"
        "Laguna de Duero|Matapozuelos|Mayorga|Medina de Rioseco|Medina del Campo|Mojados|"
        "Montemayor de Pililla|Nava del Rey|Olmedo|Pedrajas de San Esteban|Peñafiel|Portillo|"
        "Quintanilla de Onésimo|Rueda|Santovenia de Pisuerga|Serrada|Simancas|Tordesillas|"
        "Tudela de Duero|Valdestillas|Valladolid|Viana de Cega|Villabrágima|Villalón de Campos|"
        "Villanubla|Villanueva de Duero|Zaratán|Íscar"
    ),
    "+34884": (
        "Avilés|Bimenes|Boal|Cangas de Onís|Cangas del Narcea|Coaña|Colunga|Corvera de Asturias|"
        "Cudillero|Degaña|El Franco|Gijón|Grado|Grandas de Salime|Illas|Llanera|Llanes|Mieres|"
        "Muros de Nalón|Navia|Noreña|Oviedo|Parres|Ribadesella|Salas|Sariego|Soto del Barco|"
        "Tapia de Casariego|Tineo|Valdés|Vegadeo|Villaviciosa"
    ),
    "+34886": (
        "A Estrada|Arbo|Baiona|Bueu|Caldas de Reis|Cambados|Catoira|Covelo|Cuntis|Dozón|"
        "Fornelos de Montes|Gondomar|Lalín|Marín|Meaño|Meis|Moaña|Mondariz|Moraña|Mos|Nigrán|"
        "O Grove|O Rosal|Poio|Ponteareas|Pontevedra|Portas|Redondela|Ribadumia|Rodeiro|Sanxenxo|"
        "Silleda|Tomiño|Tui|Valga|Vigo|Vilagarcía de Arousa|Vilanova de Arousa"
    ),
    "+34887": (
        "Astorga|Bembibre|Benavides|Boñar|Bustillo del Páramo|Cacabelos|Camponaraya|Carracedelo|"
        "Castrocalbón|Castrocontrigo|Castropodame|Cea|Chozas de Abajo|Cistierna|Congosto|Corullón|"
        "Cuadros|Cubillos del Sil|Cármenes|Fabero|Folgoso de la Ribera|Garrafe de Torío|Gradefes|"
        "Hospital de Órbigo|Igüeña|La Bañeza|La Pola de Gordón|La Robla|Laguna de Negrillos|León|"
        "Llamas de la Ribera|Mansilla de las Mulas|Matallana de Torío|Onzonilla|Palacios del Sil|"
        "Ponferrada|Puente de Domingo Flórez|Quintana del Castillo|Sabero|Sahagún|"
        "San Andrés del Rabanedo|San Justo de la Vega|Santa Elena de Jamuz|Santa Marina del Rey|"
        "Santa María del Páramo|Sariegos|Sobrado|Soto de la Vega|Toreno|Torre del Bierzo|Turcia|"
        "Valdefresno|Valdepolo|Valderas|Valderrueda|Valdevimbre|Valencia de Don Juan|"
        "Valverde de la Virgen|Vega de Espinareda|Villablino|Villadangos del Páramo|"
        "Villafranca del Bierzo|Villamanín|Villamañán|Villaquejida|Villaquilambre|"
        "Villarejo de Órbigo|Villasabariego|Villaturiel"
    ),
    "+34888": (
        "A Rúa|Allariz|Amoeiro|Avión|Baltar|Bande|Baños de Molgas|Boborás|Carballeda de Avia|"
        "Cartelle|Castrelo de Miño|Castro Caldelas|Celanova|Cenlle|Coles|Cualedro|Entrimo|Esgos|"
        "Laza|Lobios|Maceda|Manzaneda|Maside|Melón|Nogueira de Ramuín|O Barco de Valdeorras|"
        "O Carballiño|Ourense|Oímbra|Padrenda|Petín|Rairiz de Veiga|Ribadavia|Riós|San Amaro|"
        "Sarreaus|Taboadela|Toén|Trasmiras|Verea|Verín|Xinzo de Limia"
    ),
}
