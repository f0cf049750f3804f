"""What is left of a run? Its directory read back, as JSON, HTML, Markdown, JUnit and figures."""
