"""One adapter per system; bench/engine_course.py says what it must offer."""
