"""Which inputs moved the answer, in figures and in one sentence."""
