"""What does a soak look like in Grafana? Dashboards by grafanalib, after the current schema."""
