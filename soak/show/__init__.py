"""Who looks on while it runs? Metrics, web page, terminal, log lines."""
