"""Scheduled runs: each with its date, against the champion, and told to whoever wants to know.

flow         a scheduled run: train, compare with the champion, promote or decline
serving      the command's process that starts the runs of a schedule
failing      a command or a webhook, called where a run failed
"""
