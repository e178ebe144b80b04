"""HTTP as Kestrel reads it and YARP forwards it. The host and its other rooms may import this room."""
