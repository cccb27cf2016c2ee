"""Live call audio on Kafka in, deepfake-detection results out.

The plan of the house, roof to ground; imports only go down:

    __main__ > cli > demo > app > engine | adapters | sandbox
             > settings > codec > ports > measures > core > model > errors > pb

core decides, codec translates, engine moves, adapters touch, app builds.
"""
