"""What can be wrong with a row, and what to do about it. Pure.

A cause has a stable code; faults of one cause stand together on the page and in the workbook that goes back.
"""

from typing import NamedTuple


class Cause(NamedTuple):
    """Why rows are refused: a title for all of them, and what mends it."""

    title: str
    remedy: str


class Fault(NamedTuple):
    """One row refused: its number, the field (or none: the row as a whole), and a sentence about this very row."""

    code: str
    row: int
    field: str
    sentence: str


SAVED_AS_TEXT = "Format the column as text first, so that the spreadsheet keeps what is typed."
SAY_ONE = "Decide what is right and write the same in all of them."

CAUSES = {
    # serials
    "serial_missing": Cause(
        "No serial number", "Write the serial in every row, also where it is the one of the row above."
    ),
    "serial_unreadable": Cause(
        "Not a serial number", "A serial has letters A–Z and digits, 32 at most; spaces and hyphens do not matter."
    ),
    "serial_lost_zeros": Cause(
        "Serial numbers that have probably lost their leading zeros",
        f"Write them with their zeros. {SAVED_AS_TEXT} Or say on the page with the columns that shorter serials are"
        " right, or that they are to be filled up with zeros.",
    ),
    "serial_scientific": Cause(
        "Serial numbers that the spreadsheet has turned into figures like 1.04E+5",
        f"Digits are lost: read them off the dongle or an older list. {SAVED_AS_TEXT}",
    ),
    "serial_too_long_a_number": Cause(
        "Serial numbers too long for a number",
        f"Spreadsheets keep 15 digits of a number and turn the rest into zeros. {SAVED_AS_TEXT} Then type them again.",
    ),
    "serial_as_date": Cause(
        "Serial numbers that the spreadsheet has turned into dates",
        f"A serial like 3-12 becomes a date. {SAVED_AS_TEXT} Then type them again.",
    ),
    # licences
    "product_missing": Cause("No product", "Write the code or the name of the product that is licensed."),
    "product_unknown": Cause(
        "Products that are not in the catalogue",
        "Write the code or the name as the catalogue has it. What is missing there has to be added to the catalogue"
        " first.",
    ),
    "seats_out_of_range": Cause("Seats that can’t be", "Write a whole number from 1 to 65,535, or nothing for 1."),
    "acquired_missing": Cause(
        "Licences without a first day",
        "Write when the licence was acquired or when its SMA starts; one of the two is needed.",
    ),
    "row_twice": Cause(
        "Rows that stand twice",
        "Delete one of them. If the dongle does carry two such licences, number them in a column “Licence number”,"
        " or write one row with the seats of both.",
    ),
    "too_many_products": Cause(
        "Dongles with more than 60 products",
        "A dongle holds 60 products at most: is the serial right in all of these rows?",
    ),
    # dates
    "date_unreadable": Cause(
        "Dates that can’t be read",
        "Write 2026-03-31, 31.03.2026, 31/03/2026 or 31 Mar 2026, or format the cell as a date.",
    ),
    "date_impossible": Cause("Days that do not exist", "Correct the day or the month."),
    "date_as_number": Cause(
        "Dates that have become numbers",
        "The spreadsheet counts days. Format the column as a date there, look whether the dates are right (old"
        " Macintosh"
        " workbooks count from 1904, others from 1900: four years apart), and save again.",
    ),
    "date_order_unknown": Cause(
        "Dates that can be read in two ways",
        "Nothing in the file says whether 03/04/2026 is in March or in April. Choose the order on the page with the"
        " columns.",
    ),
    "date_out_of_range": Cause(
        "Dates before 1980 or after 2100",
        "Correct the year. If all dates are four years off, the workbook counts days from 1904 and they were copied"
        " from one that counts from 1900, or the other way round.",
    ),
    "start_without_end": Cause(
        "SMAs without a last day", "Write the last day that the SMA covers, or no first day either."
    ),
    "ends_before_start": Cause("SMAs that end before they start", "Correct one of the two days."),
    "period_before_acquired": Cause(
        "SMAs that start before the licence was acquired", "Correct the day of the purchase or the start of the SMA."
    ),
    "periods_overlap": Cause(
        "SMAs of one licence that overlap",
        "A day is covered once. Correct the days; if these are two licences of one product, number them in a column"
        " “Licence number”.",
    ),
    # customers
    "country_missing": Cause(
        "Customers without a country", "Write it, or choose on the page with the columns what holds where it is empty."
    ),
    "country_unknown": Cause(
        "Countries that do not exist", "Write the English name or the code of two letters: Germany, DE."
    ),
    "currency_missing": Cause(
        "Customers without a currency", "Write it, or choose on the page with the columns what holds where it is empty."
    ),
    "currency_unknown": Cause("Currencies that do not exist", "Write the code of three letters: EUR, USD, GBP."),
    "choice_unknown": Cause(
        "Words that this column does not know", "Write one of the words that stand beside the fault."
    ),
    "email_unreadable": Cause(
        "E-mail addresses that can’t be", "Write one address like ada@cells.example, or leave it empty."
    ),
    "customer_missing": Cause(
        "Contacts and countries without a customer", "Write the customer’s name, or empty the customer’s other columns."
    ),
    "dongle_of_two_customers": Cause("Dongles of two customers", f"A dongle has one owner. {SAY_ONE}"),
    "customer_differs": Cause("Customers of whom two rows say different things", SAY_ONE),
    "dongle_differs": Cause("Dongles of which two rows say different things", SAY_ONE),
    # cells
    "formula_without_value": Cause(
        "Formulas without a value",
        "The workbook was saved by a program that does not calculate. Open it in a spreadsheet program and save it"
        " again, or replace the formulas by their values (copy, paste values).",
    ),
    "cell_error": Cause(
        "Cells that show an error", "Mend the formula behind #N/A, #REF! and the like, or write the value itself."
    ),
    "cell_merged": Cause(
        "Merged cells",
        "Only the first of merged cells has a value. Select them, unmerge them, and fill the value into every row.",
    ),
    "text_garbled": Cause(
        "Texts that were saved in a wrong encoding",
        "Letters like ä or é became two others before the file came here. Write the texts anew, or export them once"
        " more as UTF-8 from where they come.",
    ),
    "text_too_long": Cause("Texts that are too long", "Shorten them to 200 letters."),
    # what is on record
    "differs_from_record": Cause(
        "What differs from what is on record",
        "An import adds, it never overwrites. If the file is wrong, correct it; if the record is, correct that first.",
    ),
    "dongle_not_active": Cause(
        "Dongles that are lost or retired", "Nothing is added to these. Take the rows out, or correct the serial."
    ),
}
