"""Scheduled runs: each with its date, challenging the champion; failures are notified.

flow         a scheduled run: train, compare with the champion, promote or decline; or notify
serving      the command's process that starts the runs of a schedule
"""
