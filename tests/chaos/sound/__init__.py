"""Audio that says whose it is and where in the call it lies, with speech at known seconds."""
