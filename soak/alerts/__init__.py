"""When should somebody be woken? Rules for Prometheus, made of the checks of a scenario."""
