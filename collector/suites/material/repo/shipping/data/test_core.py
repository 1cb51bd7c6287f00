from pathlib import Path

import shipping
from shipping.report import make_report

DATA = Path(__file__).parent


def test_price():
    assert shipping.Order("x", "near", 1.2).price() == 421


def test_unknown_zone():
    try:
        shipping.check_order(shipping.Order("x", "moon", 1))
    except ValueError as error:
        assert str(error) == "x: unknown zone moon"
    else:
        raise AssertionError("no error")


def test_report():
    shipping.read_orders(DATA / "orders.csv")
    assert make_report() == (DATA / "expected_report.txt").read_text(encoding="utf-8")
