"""What a finished run or comparison looks like: its figures, and a page that stands alone.

run_figures    the figures of a run
run            report.html of a run
comparison     report.html of a comparison
page           templates, filled; text from data is always escaped
"""

from rnnkit.report.run_figures import draw

__all__ = ["draw"]
