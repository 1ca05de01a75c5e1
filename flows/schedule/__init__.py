"""Scheduled runs: each with its date, challenging the champion; failures are notified.

flow         a scheduled run: train, compare with the champion, promote or decline; or notify
pause        whether a person paused it on its page
serving      the command's process that starts the runs of a schedule
"""
