"""How is more load made than one machine gives? Shares of a soak on many nodes, judged as one."""
