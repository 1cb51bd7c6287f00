import math


def round_up(value, step):
    return math.ceil(value / step) * step


def format_money(cents, currency="EUR"):
    return f"{cents / 100:>8.2f} {currency}"


def total(orders):
    return sum(order.price() for order in orders)
