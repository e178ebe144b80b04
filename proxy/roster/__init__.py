"""`python -m proxy.keys`: makes keys for a person or a class, on the machine of who gives them out.

The function loads nothing of this, and `azd deploy` leaves it out (.funcignore).
"""
