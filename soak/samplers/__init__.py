"""What can be measured from outside? One file per source of figures."""
