"""What a row can say: the columns of the import, with the heads under which vendors keep them. Pure."""

from typing import NamedTuple


class Field(NamedTuple):
    """One thing that a column can hold. `heads` are folded (heads.fold_head); `hint` says how a cell is written."""

    name: str
    label: str
    hint: str
    heads: tuple[str, ...]
    is_required: bool = False


FIELDS = (
    Field(
        "serial",
        "Serial number",
        "Letters and digits; spaces and hyphens do not matter.",
        (
            *(
                "serial",
                "serialno",
                "serialnumber",
                "serialnr",
                "sn",
                "dongle",
                "dongleno",
                "donglenumber",
                "dongleserial",
            ),
            *("dongleserialnumber", "dongleid", "systemserialnumber", "systemserial", "key", "keyserial", "keynumber"),
            *("hardlock", "seriennummer", "seriennr", "donglenummer", "donglenr", "dongleseriennummer"),
            *("numerodeserie", "nodeserie", "numeroserie", "ndeserie"),
        ),
        is_required=True,
    ),
    Field(
        "product",
        "Product",
        "The code or the name of a product in the catalogue.",
        (
            *("product", "productcode", "productname", "code", "item", "itemcode", "module", "software", "licence"),
            *("license", "licensedproduct", "licencedproduct", "produkt", "produktname", "artikel", "modul", "produit"),
            *("logiciel", "codeproduit", "sku", "partnumber", "partno"),
        ),
        is_required=True,
    ),
    Field(
        "seats",
        "Seats",
        "A whole number; 1 where it is empty.",
        (
            *(
                "seats",
                "seat",
                "users",
                "numberofseats",
                "noofseats",
                "quantity",
                "qty",
                "licences",
                "licenses",
                "count",
            ),
            *("anzahl", "menge", "plaetze", "arbeitsplaetze", "nombre", "quantite", "postes", "utilisateurs"),
        ),
    ),
    Field(
        "licence",
        "Licence number",
        "Only to tell two licences of one product on a dongle apart.",
        (
            *("licencenumber", "licensenumber", "licenceno", "licenseno", "licenceid", "licenseid", "lizenznummer"),
            *("lizenznr", "numerodelicence"),
        ),
    ),
    Field(
        "acquired_on",
        "Acquired on",
        "The day on which the licence was bought; this or the start of the SMA is needed.",
        (
            *(
                "acquiredon",
                "acquired",
                "purchasedon",
                "purchased",
                "purchasedate",
                "dateofpurchase",
                "boughton",
                "bought",
            ),
            *("orderdate", "dateacquired", "solddate", "soldon", "sold", "invoicedate", "delivered", "deliverydate"),
            *("kaufdatum", "gekauftam", "erworbenam", "lieferdatum", "dateachat", "dateacquisition", "achetele"),
        ),
    ),
    Field(
        "sma_starts_on",
        "SMA starts on",
        "The first day that the SMA covers; where it is empty, the day on which the licence was acquired.",
        (
            *("smastartson", "smastart", "smastartdate", "smafrom", "maintenancestart", "maintenancefrom", "startdate"),
            *(
                "start",
                "validfrom",
                "from",
                "supportstart",
                "contractstart",
                "smabeginn",
                "wartungab",
                "wartungsbeginn",
            ),
            *("beginn", "von", "gueltigab", "debut", "debutsma", "datededebut", "debutmaintenance"),
        ),
    ),
    Field(
        "sma_ends_on",
        "SMA ends on",
        "The last day that the SMA covers.",
        (
            *("smaendson", "smaend", "smaenddate", "smato", "smathrough", "smauntil", "smaexpiry", "smaexpires"),
            *(
                "smaexpirydate",
                "smaexpireson",
                "sma",
                "smadate",
                "maintenanceend",
                "maintenanceuntil",
                "maintenanceexpiry",
            ),
            *(
                "maintenanceto",
                "enddate",
                "end",
                "ends",
                "validto",
                "validuntil",
                "until",
                "through",
                "expiry",
                "expires",
            ),
            *("expirydate", "expirationdate", "supportend", "contractend", "smaende", "smabis", "wartungbis", "ende"),
            *("wartungsende", "bis", "gueltigbis", "ablaufdatum", "fin", "finsma", "datedefin", "finmaintenance"),
        ),
    ),
    Field(
        "expiry_on",
        "Date in the dongle",
        "The SMA expiry date that the dongle holds; where it is empty, the last day that an SMA covers.",
        (
            *("dongledate", "dateindongle", "dateinthedongle", "dongleexpiry", "dongleexpirydate", "programmeddate"),
            *("programmedexpiry", "keydate", "dongledatum", "datedudongle", "dongleexpireson"),
        ),
    ),
    Field(
        "kind",
        "Kind of dongle",
        "Dongle, Key or Imaging License Server.",
        ("kind", "type", "dongletype", "dongletyp", "kindofdongle", "dongleart", "art", "typ", "hardware", "keytype"),
    ),
    Field(
        "customer",
        "Customer",
        "The name of the organisation that owns the dongle.",
        (
            *(
                "customer",
                "customername",
                "company",
                "companyname",
                "organisation",
                "organization",
                "account",
                "client",
            ),
            *(
                "accountname",
                "institution",
                "institute",
                "owner",
                "enduser",
                "university",
                "kunde",
                "kundenname",
                "firma",
            ),
            *("name", "nomduclient", "societe", "entreprise", "organisationname"),
        ),
    ),
    Field(
        "country",
        "Country",
        "A name or a code: Germany, DE, DEU.",
        ("country", "countrycode", "nation", "land", "laendercode", "pays", "codepays"),
    ),
    Field(
        "currency",
        "Currency",
        "In which the customer is quoted: EUR, USD, GBP.",
        ("currency", "currencycode", "curr", "waehrung", "devise", "monnaie"),
    ),
    Field(
        "segment",
        "Segment",
        "Commercial or academic: it chooses the price list.",
        (
            "segment",
            "customersegment",
            "market",
            "sector",
            "customertype",
            "academic",
            "kundensegment",
            "kundenart",
            "secteur",
        ),
    ),
    Field(
        "tax_status",
        "Tax status",
        "Standard, reverse charge or exempt.",
        (
            "taxstatus",
            "tax",
            "vat",
            "vatstatus",
            "taxation",
            "steuer",
            "steuerstatus",
            "mwst",
            "ust",
            "tva",
            "statuttva",
        ),
    ),
    Field(
        "contact_name",
        "Contact",
        "Who gets quotes and codes.",
        (
            *("contact", "contactname", "contactperson", "person", "attention", "attn", "ansprechpartner", "kontakt"),
            *("kontaktperson", "nomducontact", "personnedecontact"),
        ),
    ),
    Field(
        "contact_email",
        "Contact’s e-mail address",
        "Without one no mail can be sent.",
        (
            *(
                "email",
                "emailaddress",
                "mail",
                "contactemail",
                "contactmail",
                "emailadresse",
                "mailadresse",
                "courriel",
            ),
            *("adresseemail", "adressemail", "ecourriel", "emailcontact"),
        ),
    ),
)
BY_NAME = {field.name: field for field in FIELDS}
REQUIRED = tuple(field.name for field in FIELDS if field.is_required)
DAYS = ("acquired_on", "sma_starts_on", "sma_ends_on", "expiry_on")

# What a choice may be called, folded as heads are; the codes themselves and their labels are known to all of them.
KINDS = {
    "dongle": ("dongle", "usb", "usbdongle", "hasp", "hardlock", "stick"),
    "key": ("key", "softwarekey", "usbkey", "schluessel", "cle"),
    "licence_server": (
        *("licenceserver", "licenseserver", "imaginglicenseserver", "imaginglicenceserver", "server", "ils", "network"),
        *("networkdongle", "netzwerk", "netzwerkdongle", "lizenzserver", "serveurdelicences"),
    ),
}
SEGMENTS = {
    "commercial": (
        *("commercial", "com", "industry", "industrial", "corporate", "company", "business", "private", "kommerziell"),
        *("industrie", "no", "nein", "non", "0", "false"),
    ),
    "academic": (
        *("academic", "acad", "edu", "education", "university", "research", "nonprofit", "akademisch", "universitaet"),
        *("hochschule", "forschung", "academique", "universite", "yes", "ja", "oui", "1", "true", "x"),
    ),
}
TAX_STATUSES = {
    "standard": ("standard", "normal", "full", "taxed", "yes", "vat", "mwst", "tva", "regulaer"),
    "reverse_charge": ("reversecharge", "reverse", "rc", "euvatid", "innergemeinschaftlich", "autoliquidation"),
    "exempt": ("exempt", "none", "no", "free", "export", "zero", "steuerfrei", "befreit", "exonere"),
}
CHOICES = {"kind": KINDS, "segment": SEGMENTS, "tax_status": TAX_STATUSES}
