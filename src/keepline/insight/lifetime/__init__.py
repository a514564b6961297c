"""How long a customer stays and what they bring meanwhile: models as functions of arrays, without tables."""
