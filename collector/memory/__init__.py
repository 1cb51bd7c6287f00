"""Memory while it happens: a sampler in a process of its own, so that taking a sample never delays a timed read."""
