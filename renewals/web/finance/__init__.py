"""The pages of finance: reports, the lines behind their figures, months and what leaves for the books."""
