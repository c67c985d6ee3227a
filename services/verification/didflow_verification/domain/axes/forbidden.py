"""What happens where a state is to go a way that its closed table does not have."""


class ForbiddenTransitionError(Exception):
    """A decision tried a way that is not in a closed table: a defect of ours, never a caller's fault."""

    code = "forbidden_transition"
