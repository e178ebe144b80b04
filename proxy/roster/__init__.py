"""`python -m proxy.keys`: makes keys for a person or a class, on the machine of the person who gives them out.

The function loads none of these files, and `azd deploy` leaves them out (.funcignore).
"""
