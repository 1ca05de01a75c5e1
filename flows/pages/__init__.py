"""Flow runs, task runs and artifacts in Prefect's pages, sent by a thread beside the work.

The work never waits for Prefect: requests are queued in the order of what happened and one thread
sends them through Prefect's API. A request that is not answered is sent again until the command
ends, so a server that starts late or comes back shows the whole run. Prefect's own engine is not
used for it, because it asks the server before each run begins and ends, and fails the run where
the server does not answer.
"""

from flows.pages.runs import FlowRun, Pages, TaskRun
from flows.pages.shown_run import key_of

__all__ = ["FlowRun", "Pages", "TaskRun", "key_of"]
