"""The Compare task: two curves of one modality, with scores and residual."""
