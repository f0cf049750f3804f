"""Did it get worse? One run against a baseline, metric by metric, decided with intervals."""
