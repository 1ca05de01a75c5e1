"""Claims about recurrent networks as experiments: trainings, predictions and what came out.

files      the claims of this version
claim      a claim's file: its sentence, conditions, variants, seeds and predictions
measure    its trainings
scores     what they scored
predicted  the predictions, and whether they hold
page       a page of Markdown with figures
"""
