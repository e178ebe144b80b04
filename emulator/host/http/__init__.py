"""HTTP as Kestrel reads it and YARP forwards it. Imports no other room."""
