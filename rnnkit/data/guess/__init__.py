"""What a file or a folder of a user is taken for, and the params that read it.

A form is recognised by the readers of `rnnkit.data.sources`, on the first megabytes, without
pandas. What the data do not settle, such as which column is the label, is guessed and said.

    folders      a path: a file, a folder, a pattern with `*`, names in braces
    one_file     a file: JSON, Parquet, lines or a table
    divided      separator, header and decimal mark of a table
    moments      times of a column, and their step
    tables       columns -> tasks; series, frames, texts: for their kinds
    lines        CoNLL, `.ts`, lines of label and text, plain text
    written      the params file
"""

from rnnkit.data.guess.folders import take
from rnnkit.data.guess.taken import Option, Taken

__all__ = ["Option", "Taken", "take"]
