"""Scheduled runs: each with its date, challenging the champion; failures are notified.

flow         a scheduled run: train, compare with the champion, promote or decline
serving      the command's process that starts the runs of a schedule
notify       a command or a webhook, called where a run failed
"""
