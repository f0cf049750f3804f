"""What is due next, and how does it reach the target and come back?"""
