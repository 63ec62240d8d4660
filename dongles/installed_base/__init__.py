"""The installed base comes in: a vendor's spreadsheet of customers, contacts, dongles, licences and SMA dates.

A row is a licence on a dongle, with its dongle's and its customer's columns beside it; further rows of the same
licence are further SMA periods. The road: `sheets` reads the file, `heads` finds out which column holds what, `cells`
and `rows` read the rows, `planning` compares them with what is on record and says what is to be made and what is wrong,
`writing` makes it, `returned` hands the workbook back with a column that says what to mend. All of these but `writing`
know no database. `services` walks the road, for a check and for an import alike: a check is rolled back at its end.
"""
