"""The contract between didflow's services, order systems and carrier adapters. It imports no other didflow package."""
