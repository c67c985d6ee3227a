"""Places of Irish areas that the numbering plan does not name, by a prefix of the area. Written by hand."""

from typing import Final

NAMES: Final = {
    "+3531": (
        "Adamstown|Artane|Balbriggan|Baldoyle|Ballinteer|Ballsbridge|Ballyboden|Ballyboughal|Ballybrack|"
        "Ballyfermot|Ballymount|Ballymun|Bayside|Beaumont|Belfield|Blackrock|Blanchardstown|Booterstown|"
        "Cabinteely|Cabra|Castleknock|Cherrywood|Churchtown|Citywest|Clondalkin|Clonsilla|Clonskeagh|"
        "Clontarf|Coolock|Corduff|Cornelscourt|Crumlin|Dalkey|Deansgrange|Donabate|Donnybrook|Drimnagh|"
        "Drumcondra|Dundrum|Dún Laoghaire|Edmondstown|Finglas|Firhouse|Foxrock|Garristown|Glasnevin|"
        "Glasthule|Glenageary|Glencullen|Goatstown|Grangegorman|Greenhills|Harold's Cross|Hollystown|"
        "Howth|Inchicore|Irishtown|Jobstown|Kilbarrack|Killester|Killiney|Kilmacud|Kilmainham|Kilternan|"
        "Kimmage|Knocklyon|Leixlip|Leopardstown|Loughlinstown|Lucan|Lusk|Malahide|Marino|Maynooth|"
        "Milltown|Monkstown|Mount Merrion|Mulhuddart|Naul|Newcastle|Oldtown|Ongar|Palmerstown|"
        "Portmarnock|Portrane|Raheny|Ranelagh|Rathcoole|Rathfarnham|Rathgar|Rathmichael|Rathmines|"
        "Rialto|Ringsend|Rockbrook|Rolestown|Rush|Saggart|Sallynoggin|Sandycove|Sandyford|Sandymount|"
        "Santry|Shankill|Skerries|Springhill|Stepaside|Stillorgan|Sutton|Swords|Tallaght|Templeogue|"
        "Terenure|Tyrrelstown|Walkinstown|Whitechurch|Whitehall|Windy Arbour"
    ),
}
