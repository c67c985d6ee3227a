"""The registration of a DID along its life: begun, handed on, ended, and planned for the clock."""
