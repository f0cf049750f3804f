"""Which systems can be soaked? One file per system, each speaking the protocol of a target."""
