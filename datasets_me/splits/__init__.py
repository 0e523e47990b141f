"""Who trains and who is tested: folds as data, and the check that nothing leaks between their parts."""
