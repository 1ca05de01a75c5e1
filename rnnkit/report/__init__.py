"""Reports of finished runs and comparisons: figures and a self-contained HTML page.

run_figures    the figures of a run
run            report.html of a run
comparison     report.html of a comparison
page           render templates; text from data is always escaped
"""
