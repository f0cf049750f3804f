"""Who gets the figures where nobody can fetch them? Remote write, and a last word to a gateway."""
