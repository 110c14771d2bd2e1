"""Fitted estimators of scikit-learn, by their public attributes; scikit-learn itself is never imported."""
