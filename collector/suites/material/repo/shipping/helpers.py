def clean(text):
    return text.strip().lower()


def format_money(cents, currency):
    return f"{cents / 100:>8.2f} {currency}"
