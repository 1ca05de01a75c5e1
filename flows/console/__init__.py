"""Output of a run: its stages while it goes on, its table when it ends.

output    the console of standard output
stages    stages on a terminal, in a file or in a notebook
result    the table of a finished run
"""

from flows.console.output import QUIET as QUIET
from flows.console.output import Terminal as Terminal
from flows.console.output import in_notebook as in_notebook
from flows.console.output import out as out
from flows.console.result import comparison as comparison
from flows.console.result import number as number
from flows.console.result import print_result as print_result
from flows.console.result import print_verdicts as print_verdicts
from flows.console.stages import Stages as Stages
