"""Prices before the fuel surcharge."""

RATES = {"domestic": 110, "near": 240, "far": 450}
MINIMUM = 300


def old_price(zone, kg):
    return max(MINIMUM, round(RATES[zone] * kg))


def old_price_table(weights):
    return {zone: [old_price(zone, kg) for kg in weights] for zone in RATES}
