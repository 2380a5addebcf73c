"""How sure a score is: bootstraps over groups, exact intervals, and corrected tests.

Examples of one patient or speaker resemble each other, so they say less than as many examples of
strangers. What is resampled is therefore the group. A group enters as its sufficient statistics
(a confusion matrix, a sum of losses, its share of an area), so that all resamples of a score cost
one matrix product, whatever the number of examples.
"""
