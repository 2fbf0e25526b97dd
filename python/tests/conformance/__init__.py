"""The cases of `contract/adapters`, sent to a small application of each web adapter."""
