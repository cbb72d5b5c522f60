"""From the tables of a document to values.

``fields`` reads single values and says what is wrong with them; ``conditions``, ``rules``,
``rates``, ``dns`` and ``farm`` each read the tables of their name. What leaves is a value or a
RulebookError that begins with the place.
"""
