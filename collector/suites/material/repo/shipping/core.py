"""Everything about orders."""

import csv
import math
import os

from shipping.helpers import clean, format_money
from shipping.models import Order

RATES = {"domestic": 120, "near": 260, "far": 490}  # cents per kg
FUEL_SURCHARGE = 0.08
CURRENCY = "EUR"
REPORT_FILE = "out/report.txt"
LAST_ORDERS = []


def round_up(value, step):
    return math.ceil(value / step) * step


def read_orders(path):
    LAST_ORDERS.clear()
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            order = Order(row["id"].strip(), clean(row["zone"]), float(row["kg"]))
            check_order(order)
            LAST_ORDERS.append(order)
    return LAST_ORDERS


def check_order(order):
    if order.zone not in RATES:
        raise ValueError(f"{order.id}: unknown zone {order.zone}")
    if order.kg <= 0:
        raise ValueError(f"{order.id}: weight must be positive")


def price_of(order):
    cents = round_up(order.kg, 0.5) * RATES[order.zone]
    return round(cents * (1 + FUEL_SURCHARGE))


def sort_orders(orders):
    return sorted(orders, key=lambda order: (-price_of(order), order.id))


def order_line(order):
    return f"{order.id:<6} {order.zone:<9} {format_money(price_of(order), CURRENCY)}"


def save_report(text):
    os.makedirs(os.path.dirname(REPORT_FILE), exist_ok=True)
    with open(REPORT_FILE, "w", encoding="utf-8") as file:
        file.write(text)


def run(args):
    from shipping.report import make_report

    if not args:
        print("usage: main.py ORDERS.csv [--save]")
        return 2
    read_orders(args[0])
    text = make_report()
    if "--save" in args:
        save_report(text)
    else:
        print(text, end="")
    return 0
