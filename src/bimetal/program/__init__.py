"""What to compute: letters, words, operators, programs, and the proofs about them."""
