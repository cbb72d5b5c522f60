"""What becomes of mail while parts of the farm fail: ``make chaos``.

``scenarios`` is the table of faults, ``load`` sends steadily and writes down what it was told,
``judge`` compares that with what the far side stored, ``farm`` is the compose farm it happens to,
``report`` writes docs/chaos.md.
"""
