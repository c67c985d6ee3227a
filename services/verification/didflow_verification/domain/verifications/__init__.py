"""Verifications: details are submitted, judged, reviewed, claimed and revoked, and the what-if predicts the result."""
