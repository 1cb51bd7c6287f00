from shipping import core


class Order:
    def __init__(self, id, zone, kg):
        self.id = id
        self.zone = zone
        self.kg = kg

    def price(self):
        return core.price_of(self)

    def is_heavy(self):
        return self.kg > 20
