"""The tape and what stands around it: tensors, variables, recording, and the transforms that record for the user."""
