from shipping import core
from shipping.utils import format_money, total

CURRENCY = "EUR"
FUEL_SURCHARGE = 0.08


def round_up(value, step):
    result = 0
    while result < value:
        result += step
    return result


def make_report():
    lines = [core.order_line(order) for order in core.sort_orders(core.LAST_ORDERS)]
    weight = sum(round_up(order.kg, 0.5) for order in core.LAST_ORDERS)
    heavy = sum(order.is_heavy() for order in core.LAST_ORDERS)
    lines.append(f"{'total':<16} {format_money(total(core.LAST_ORDERS), CURRENCY)}")
    lines.append(f"{weight} kg charged, {heavy} heavy, surcharge {FUEL_SURCHARGE:.0%}")
    return "\n".join(lines) + "\n"
